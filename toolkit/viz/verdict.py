"""Which agent one person's choices are most like: learning curves, agents in order, and a few sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.fitting.predictions import predict_correct
from toolkit.fitting.verdict import TOLD_APART, Verdict
from toolkit.trials import Trials
from toolkit.viz.agents import agent_style
from toolkit.viz.learning import add_curves, learning_curve
from toolkit.viz.theme import GUIDE, Theme, finished, translucent

if TYPE_CHECKING:
    import plotly.graph_objects as go

N_CURVES = 3
"""Agents whose curves are drawn beside the person's."""
MOST_NAMED = 4
"""Agents that a sentence names."""
CURVES, ROW, GAP, AROUND = 190, 22, 92, 130
"""Pixels of the curves, of an agent's row, between both panels, and above and below them."""
_SHORTEST_BLOCK, _MOST_BLOCKS = 8, 6


def plot_verdict(
    trials: Trials, verdict: Verdict, *, person: str = "Person", theme: Theme | None = None
) -> go.Figure:
    """A person's learning curve beside those that the best agents expect, and all agents in order.

    Parameters
    ----------
    trials
        Of the one person whom the verdict is about.
    person
        What the person is called in the legend.
    """
    from plotly.subplots import make_subplots

    rows = ROW * (len(verdict.table) + 1)
    drawn = CURVES + GAP + rows
    figure = make_subplots(
        2,
        1,
        row_heights=[CURVES, rows],
        vertical_spacing=GAP / drawn,
        subplot_titles=[
            "Learning, and what the best agents expect",
            "What a choice costs each agent (grey: not told apart from the best)",
        ],
    )
    block = max(_SHORTEST_BLOCK, -(-trials.n_trials // _MOST_BLOCKS))
    add_curves(figure, _curves(trials, verdict, block), bands=False, row=1, col=1)
    people = agent_style("people").label
    for trace in figure.select_traces(selector={"name": people}):
        trace.update(name=person, hovertemplate=trace.hovertemplate.replace(people, person))
    figure.update_annotations(selector={"yanchor": "bottom", "xref": "paper"}, font_size=12)
    _add_agents(figure, verdict)
    figure = finished(figure, _caption(verdict, block, person), height=drawn + AROUND, theme=theme)
    return figure.update_layout(margin={"t": 76})


def _curves(trials: Trials, verdict: Verdict, block: int) -> pd.DataFrame:
    """Learning curves of the person, and of the best agents with their fitted parameters."""
    parts = [learning_curve(trials, block=block)]
    for agent in verdict.table["agent"][:N_CURVES]:
        expected = predict_correct(verdict.fits[agent], trials, model=verdict.models.get(agent))
        parts.append(learning_curve(trials, block=block, agent=agent, correct=expected))
    return pd.concat(parts, ignore_index=True)


def _add_agents(figure: go.Figure, verdict: Verdict) -> None:
    table, place = verdict.table, {"row": 2, "col": 1}
    styles = [agent_style(agent) for agent in table["agent"]]
    nats = table["nats_per_trial"].to_numpy()
    close = nats[0] + TOLD_APART / verdict.n_trials
    figure.add_scatter(
        x=nats,
        y=[style.label for style in styles],
        mode="markers",
        marker={
            "color": [style.colour for style in styles],
            "symbol": [style.symbol for style in styles],
            "size": 9,
        },
        customdata=table[["bic", "behind", "n_parameters"]],
        hovertemplate="%{y}: %{x:.3f} nats a choice, BIC %{customdata[0]:.1f}, %{customdata[1]:.1f} nats behind, "
        "%{customdata[2]} parameters<extra></extra>",
        showlegend=False,
        **place,
    )
    figure.add_vrect(
        nats[0], close, fillcolor=translucent(GUIDE["color"], 0.2), line_width=0, layer="below", **place
    )
    figure.add_vline(verdict.guessing, line=GUIDE, layer="below", **place)
    note: dict[str, Any] = {
        "showarrow": False,
        "yref": "y2 domain",
        "y": 0,
        "yanchor": "bottom",
        "xanchor": "left",
        "xref": "x2",
        "font": {"color": "#666666", "size": 10},
    }
    figure.add_annotation(x=verdict.guessing, text=" guessing", **note)
    span = np.ptp([*nats, verdict.guessing, close])
    ends = [
        min(nats[0], verdict.guessing) - 0.05 * span,
        max(nats[-1], verdict.guessing, close) + 0.12 * span,
    ]
    figure.update_xaxes(
        title_text="Nats a choice, parameters paid for (BIC / 2)", range=ends, nticks=6, **place
    )
    last = len(styles)
    figure.update_yaxes(range=[last, -0.7], showline=False, ticks="", ticklabelstandoff=6, **place)


def _caption(verdict: Verdict, block: int, person: str) -> str:
    return (
        f"Above: proportion right in blocks of {block} trials, drawn at the block's last; black: {person.lower()}; colours: "
        f"what the {N_CURVES} best agents, fitted to these choices, expect on the same trials. Below: half of BIC by "
        f"choice for every agent, less is better; dotted: guessing; grey: agents that {verdict.n_trials} choices cannot "
        f"tell from the best ({TOLD_APART:.0f} nats of log evidence, so that the best is 20 times as likely)."
    )


def verdict_in_words(verdict: Verdict, *, person: str = "you") -> str:
    """Who learns most like the person, how far ahead, and what these choices cannot tell.

    Parameters
    ----------
    person
        What the person is called within a sentence.
    """
    n, agent, best = verdict.n_trials, agent_style(verdict.best).label, verdict.table.iloc[0]
    learned = f"{agent} learned"
    if verdict.best == "random":
        agent += ", which learns nothing and prefers one of the answers,"
        learned = f"{agent} answered"
    cost = f"{best['nats_per_trial']:.2f} nats a choice, guessing costs {verdict.guessing:.2f}"
    if not verdict.beats_guessing:
        return (
            f"No agent foretells these {n} choices better than guessing once its parameters are paid for: the best, "
            f"{agent_style(verdict.best).label}, costs {cost}. They do not say how {person} learned; more trials might."
        )
    ahead = f"{verdict.lead:.1f} nats ahead of the second, {agent_style(verdict.second).label}"
    if not verdict.rivals:
        return f"{learned} most like {person}: {cost}. It is {ahead}, more than the {TOLD_APART:.0f} that tell agents apart."
    return (
        f"{agent} comes closest to {person}: {cost}. But {n} choices cannot tell it from {_named(verdict.rivals)}: it is "
        f"only {ahead}, and {TOLD_APART:.0f} would be needed."
    )


def _named(agents: list[str]) -> str:
    labels = [agent_style(agent).label for agent in agents[:MOST_NAMED]]
    more = len(agents) - len(labels)
    labels += [f"{more} more"] if more else []
    return " and ".join([", ".join(labels[:-1]), labels[-1]] if len(labels) > 1 else labels)

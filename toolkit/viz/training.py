"""Meta-learners: how they were trained, how they learn, and which problems suit them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.viz.agents import BLUE, GREY, VERMILION, agent_style
from toolkit.viz.learning import BAND, add_band
from toolkit.viz.sources import source_style
from toolkit.viz.theme import GUIDE, INK, Theme, finished, wrapped

if TYPE_CHECKING:
    import plotly.graph_objects as go

_SOURCES = {"ecological": "bank"}
"""Source that stands for a prior where the names differ."""

_LOSSES = {"validation_loss": "Held-out problems", "familiar_loss": "New points of familiar problems"}
_MOST = {"accuracy": 1.0, "log_loss": math.inf}
_WHITE = "#FFFFFF"
_STRONGEST_GAIN = 0.2
"""Nats from which on a gain is drawn in full colour."""


def plot_training(
    curve: pd.DataFrame,
    learner: str,
    untrained: Mapping[str, Mapping[str, float]],
    *,
    theme: Theme | None = None,
) -> go.Figure:
    """Validation losses over the steps of a training, beside agents that are not trained.

    Parameters
    ----------
    curve
        Of a model card: ``step, validation_loss``, and ``familiar_loss`` if there is one.
    learner
        Whose training it is.
    untrained
        Of other agents by name: losses on the same problems, under the names they have in the curve.
    """
    from plotly.subplots import make_subplots

    panels = {column: title for column, title in _LOSSES.items() if column in curve}
    figure = make_subplots(
        1, len(panels), shared_yaxes=True, subplot_titles=list(panels.values()), horizontal_spacing=0.06
    )
    last = int(curve["step"].max())
    for col, column in enumerate(panels, start=1):
        place = {"row": 1, "col": col, "showlegend": col == 1}
        style = agent_style(learner)
        look = {"mode": "lines+markers", "line": style.line(), "marker": style.marker()}
        figure.add_scatter(x=curve["step"], y=curve[column], name=style.label, **look, **place)
        for name, losses in untrained.items():
            other = agent_style(name)
            flat = {"x": [0, last], "y": [losses[column]] * 2, "mode": "lines"}
            figure.add_scatter(**flat, name=other.label, line=other.line(), **place)
        flat = {"x": [0, last], "y": [math.log(2)] * 2, "mode": "lines"}
        figure.add_scatter(**flat, name="Guessing", line=GUIDE, **place)
    figure.update_xaxes(title_text="Training step", range=[0, last * 1.02])
    figure.update_yaxes(tickformat=".2f")
    figure.update_yaxes(title_text="Log loss (nats)", row=1, col=1)
    figure.update_annotations(font_size=12)
    caption = (
        "Mean over all trials of −log of the probability given to the right category, on problems that are the "
        "same at every step and never trained on. Horizontal lines: agents that are not trained, on the same problems."
    )
    return finished(figure, caption, height=340, theme=theme).update_layout(margin={"t": 64})


def plot_learners(table: pd.DataFrame, *, theme: Theme | None = None) -> go.Figure:
    """Learning curves of learners within problems: proportion correct and log loss.

    Parameters
    ----------
    table
        Of :func:`toolkit.training.compare` with ranges of trials that follow one another.
    """
    from plotly.subplots import make_subplots

    panels = {"accuracy": "Proportion correct", "log_loss": "Log loss (nats)"}
    figure = make_subplots(1, 2, horizontal_spacing=0.12)
    for col, (column, title) in enumerate(panels.items(), start=1):
        for learner, rows in table.groupby("learner", sort=False):
            _add_curve(figure, str(learner), rows, column, col)
        figure.update_xaxes(title_text="Trial", row=1, col=col)
        figure.update_yaxes(title_text=title, tickformat=".2f", row=1, col=col)
    figure.update_xaxes(range=[0, int(table["last"].max()) * 1.02], dtick=20)
    caption = (
        "Over problems that none of the learners was trained on; each point is the mean of the trials since the point "
        f"before. Bands: 95 % intervals of the mean ({BAND} standard errors, draws of one description counted together)."
    )
    return finished(figure, caption, height=400, theme=theme).update_layout(margin={"t": 84})


def plot_sensitivity(table: pd.DataFrame, baseline: str, *, theme: Theme | None = None) -> go.Figure:
    """Accuracy beyond the baseline's by how strongly features go together and how many of them count.

    Parameters
    ----------
    table
        Of :func:`toolkit.training.probes.compare_with`, with ``weights`` and ``correlation`` of the problems.
    baseline
        The learner that the table compares with.
    """
    from plotly.subplots import make_subplots

    titles = {"one": "One feature decides", "equal": "All features count alike"}
    figure = make_subplots(
        1, 2, shared_yaxes=True, subplot_titles=list(titles.values()), horizontal_spacing=0.04
    )
    for col, weights in enumerate(titles, start=1):
        here = table[table["weights"] == weights]
        for learner, rows in here.groupby("learner", sort=False):
            _add_gains(figure, str(learner), rows, col)
        figure.update_xaxes(title_text="Correlation of features", row=1, col=col)
        figure.update_xaxes(tickvals=sorted(here["correlation"].unique()), row=1, col=col)
    label = agent_style(baseline).label
    figure.update_yaxes(title_text=f"Accuracy beyond {label.lower()}", row=1, col=1)
    figure.update_yaxes(tickformat=".2f")
    figure.update_annotations(font_size=12)
    caption = (
        f"Difference in the proportion correct between each learner and {label.lower()} (the line at 0) on the same "
        f"problems. Vertical lines: 95 % intervals ({BAND} standard errors over problems)."
    )
    return finished(figure, caption, height=370, theme=theme).update_layout(margin={"t": 90})


def plot_transfer(table: pd.DataFrame, baseline: str, *, theme: Theme | None = None) -> go.Figure:
    """Log loss by the prior trained on and the prior tested on, and what is gained over the baseline.

    Parameters
    ----------
    table
        Of :func:`toolkit.training.probes.compare_with`, with the prior of each learner as ``trained_on``.
    baseline
        The learner that the table compares with.
    """
    from plotly.subplots import make_subplots

    table = table[table["learner"] != baseline]
    loss, gain, error = (
        table.pivot_table(index="learner", columns="tested_on", values=name, sort=False)
        for name in ("log_loss", "less_loss", "less_loss_se")
    )
    label = agent_style(baseline).label.lower()
    titles = ["Log loss (nats)", f"Nats gained over {label}"]
    figure = make_subplots(1, 2, shared_yaxes=True, subplot_titles=titles, horizontal_spacing=0.04)
    trained_on = table.drop_duplicates("learner").set_index("learner")["trained_on"]
    _add_cells(figure, loss, gain, 2 * error, trained_on)
    for number, name in enumerate(loss.index):
        if trained_on[name] in loss.columns:
            _frame(figure, list(loss.columns).index(trained_on[name]), number)
    figure.update_xaxes(title_text="Tested on", showline=False, ticks="")
    figure.update_yaxes(autorange="reversed", showline=False, ticks="")
    figure.update_yaxes(title_text="Trained on", row=1, col=1)
    figure.update_annotations(font_size=12)
    caption = (
        "Left: mean log loss of each learner on new problems of each prior, darker is worse. Right: how much lower "
        f"that is than the log loss of {label} on the same problems (± two standard errors over problems); blue: "
        "better, orange: worse. Frames: problems of the prior that a learner was trained on."
    )
    height = 110 + 62 * len(loss)
    return finished(figure, caption, height=height, theme=theme).update_layout(margin={"t": 32})


def _prior_label(prior: str) -> str:
    return wrapped(source_style(_SOURCES.get(prior, prior)).label, 10)


def _short_label(learner: str) -> str:
    """The acronym of a label that explains one."""
    label = agent_style(learner).label
    return wrapped(label.partition("(")[2].rstrip(")") or label, 14)


def _add_curve(figure: go.Figure, learner: str, rows: pd.DataFrame, column: str, col: int) -> None:
    style, place = agent_style(learner), {"legendgroup": learner, "row": 1, "col": col}
    trial, mean, half = rows["last"], rows[column], BAND * rows[f"{column}_se"]
    add_band(
        figure,
        trial.to_numpy(),
        mean - half,
        mean + half,
        style.colour,
        most=_MOST[column],
        opacity=0.1,
        **place,
    )
    figure.add_scatter(
        x=trial,
        y=mean,
        mode="lines",
        name=style.label,
        line=style.line(),
        showlegend=col == 1,
        hovertemplate="trial %{x}: %{y:.3f}<extra>" + style.label + "</extra>",
        **place,
    )


def _add_gains(figure: go.Figure, learner: str, rows: pd.DataFrame, col: int) -> None:
    style = agent_style(learner)
    half = BAND * rows["more_accuracy_se"]
    figure.add_scatter(
        x=rows["correlation"],
        y=rows["more_accuracy"],
        error_y={"array": half, "color": style.colour, "thickness": 1.2, "width": 0},
        mode="lines+markers",
        name=style.label,
        line=style.line(),
        marker=style.marker(),
        legendgroup=learner,
        showlegend=col == 1,
        hovertemplate="correlation %{x}: %{y:+.3f}<extra>" + style.label + "</extra>",
        row=1,
        col=col,
    )


def _add_cells(
    figure: go.Figure, loss: pd.DataFrame, gain: pd.DataFrame, error: pd.DataFrame, trained_on: pd.Series
) -> None:
    """The two matrices, each cell with its number."""
    common = {
        "x": [_prior_label(name) for name in loss.columns],
        "y": [f"{_short_label(name)}:<br>{_prior_label(trained_on[name])}" for name in loss.index],
        **{"xgap": 2, "ygap": 2, "showscale": False, "hoverinfo": "skip", "texttemplate": "%{text}"},
    }
    shades = [[0, _WHITE], [1, GREY]]
    figure.add_heatmap(z=loss, text=loss.map("{:.2f}".format), colorscale=shades, **common, row=1, col=1)
    strongest = min(float(np.abs(gain.to_numpy()).max()), _STRONGEST_GAIN)
    written = gain.map("{:+.3f}".format).replace("-", "−", regex=True)
    figure.add_heatmap(
        z=gain,
        text=written + error.map("<br>± {:.3f}".format),
        colorscale=[[0, VERMILION], [0.5, _WHITE], [1, BLUE]],
        **{"zmin": -strongest, "zmax": strongest},
        **common,
        row=1,
        col=2,
    )


def _frame(figure: go.Figure, column: int, row: int) -> None:
    box = {"x0": column - 0.48, "x1": column + 0.48, "y0": row - 0.48, "y1": row + 0.48}
    for col in (1, 2):
        figure.add_shape(type="rect", **box, line={"color": INK, "width": 2.5}, row=1, col=col)

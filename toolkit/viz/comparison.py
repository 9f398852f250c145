"""Models side by side: what they explain, how many people follow each, and who does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from toolkit.errors import UsageError
from toolkit.viz.agents import BLUE, agent_style
from toolkit.viz.theme import GUIDE, INK, Theme, finished, translucent

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from toolkit.fitting.comparison import Comparison

DARKENING = [[0.0, "#FFFFFF"], [1.0, BLUE]]
FAR_BEHIND = 20.0
"""Nats behind a participant's best model that are drawn as far as can be."""

ROW_HEIGHT = 26

_CRITERIA = {
    "bic": "−BIC / 2",
    "aic": "−AIC / 2",
    "laplace": "Laplace's approximation of the marginal likelihood",
    "held_out": "log-likelihood of choices left out of the fit",
}


def plot_comparison(comparison: Comparison, *, theme: Theme | None = None) -> go.Figure:
    """How far every model is behind the best, how many people follow it, and which is the most frequent.

    Parameters
    ----------
    comparison
        Of :func:`toolkit.fitting.compare`.
    """
    from plotly.subplots import make_subplots

    table = comparison.table
    titles = ["Behind the best (nats)", "Model frequency", "Most frequent"]
    figure = make_subplots(
        1,
        3,
        shared_yaxes=True,
        column_widths=[0.5, 0.25, 0.25],
        subplot_titles=titles,
        horizontal_spacing=0.04,
    )
    for row in table.itertuples():
        _add_difference(figure, row)
        _add_frequency(figure, row)
        _add_exceedance(figure, row)
    figure.add_vline(x=0, line=GUIDE, row=1, col=1)
    figure.add_vline(x=1 / len(table), line=GUIDE, row=1, col=2)
    low, high = min(0.0, table["difference_low"].min()), table["difference_high"].max()
    ends = [low - 0.06 * (high - low), high + 0.3 * (high - low)]
    figure.update_xaxes(range=ends, tickformat=",", nticks=5, col=1)
    figure.update_xaxes(title_text="Share of people", rangemode="tozero", tickformat=".1f", nticks=4, col=2)
    figure.update_xaxes(title_text="Probability", range=[-0.05, 1.05], tickvals=[0, 0.5, 1], col=3)
    figure.update_xaxes(title_text="Log evidence", row=1, col=1)
    figure.update_yaxes(autorange="reversed", showline=False, ticks="", ticklabelstandoff=6)
    figure.update_annotations(font_size=12)
    height = 110 + ROW_HEIGHT * len(table)
    figure = finished(figure, _comparison_caption(comparison), height, theme)
    return figure.update_layout(showlegend=False, margin={"t": 32, "l": 130})


def plot_participants(
    comparison: Comparison,
    *,
    value: Literal["difference", "responsibility"] = "difference",
    theme: Theme | None = None,
) -> go.Figure:
    """Every participant (column) under every model (row); people whom one model describes best stand together.

    Parameters
    ----------
    value
        "difference": nats behind the participant's best model; "responsibility": probability that the
        model is the participant's.
    """
    import plotly.graph_objects as go

    if value not in ("difference", "responsibility"):
        raise UsageError(f"participants have no '{value}'.", fix="difference or responsibility.")
    models = comparison.table["model"].tolist()
    wide = _wide(comparison.participants, value).loc[models]
    evidence = _wide(comparison.participants, "log_evidence").loc[models].to_numpy()
    order = np.lexsort([np.ptp(evidence, axis=0), evidence.argmax(0)])
    cells = wide.to_numpy()[:, order]
    far = FAR_BEHIND if value == "difference" else 1.0
    title = "Nats behind the best" if value == "difference" else "Probability"
    figure = go.Figure()
    figure.add_heatmap(
        z=cells,
        x=np.arange(len(order)),
        y=[agent_style(model).label for model in models],
        customdata=np.tile(wide.columns.astype(str)[order], (len(models), 1)),
        zmin=0,
        zmax=far,
        colorscale=DARKENING,
        reversescale=value == "difference",
        colorbar={
            "title": {"text": title, "side": "right"},
            "thickness": 12,
            "outlinewidth": 0,
            **_ends(far, value),
        },
        hovertemplate="participant %{customdata}, %{y}: %{z:.3g}<extra></extra>",
    )
    for edge in np.flatnonzero(np.diff(evidence.argmax(0)[order])) + 0.5:
        figure.add_vline(x=edge, line={"color": INK, "width": 1})
    figure.update_xaxes(
        title_text=f"{len(order)} participants", showticklabels=False, ticks="", showline=False
    )
    figure.update_yaxes(autorange="reversed", showline=False, ticks="", ticklabelstandoff=6)
    height = max(220, 70 + ROW_HEIGHT * len(models))
    figure = finished(figure, _participants_caption(value), height, theme)
    return figure.update_layout(margin={"t": 16, "l": 130})


def _add_difference(figure: go.Figure, row: Any) -> None:
    style = agent_style(row.model)
    interval = {
        "array": [row.difference_high - row.difference],
        "arrayminus": [row.difference - row.difference_low],
        "color": style.colour,
        "thickness": 2,
        "width": 0,
    }
    place = {"row": 1, "col": 1}
    figure.add_scatter(
        x=[row.difference],
        y=[style.label],
        mode="markers",
        marker=style.marker(9),
        error_x=interval,
        hovertemplate=f"{row.difference:,.1f} [{row.difference_low:,.1f}, {row.difference_high:,.1f}]"
        f"<extra>{style.label}</extra>",
        **place,
    )
    figure.add_annotation(
        x=row.difference_high,
        y=style.label,
        text="best" if row.difference == 0 else f"{row.difference:,.0f}",
        showarrow=False,
        xanchor="left",
        xshift=8,
        **place,
    )


def _add_frequency(figure: go.Figure, row: Any) -> None:
    style = agent_style(row.model)
    figure.add_bar(
        x=[row.frequency],
        y=[style.label],
        orientation="h",
        width=0.6,
        marker={"color": translucent(style.colour, 0.55), "line": {"color": style.colour, "width": 1}},
        error_x={"array": [row.frequency_sd], "color": INK, "thickness": 1.5, "width": 0},
        hovertemplate=f"{row.frequency:.3f} ± {row.frequency_sd:.3f}<extra>{style.label}</extra>",
        row=1,
        col=2,
    )


def _add_exceedance(figure: go.Figure, row: Any) -> None:
    style = agent_style(row.model)
    ring = {"color": style.colour, "width": 1.5}
    looks = {
        "exceedance": (row.exceedance, {"color": "white", "line": ring}),
        "protected exceedance": (row.protected_exceedance, {"color": style.colour, "line": ring}),
    }
    for name, (probability, look) in looks.items():
        figure.add_scatter(
            x=[probability],
            y=[style.label],
            mode="markers",
            marker={"symbol": "circle", "size": 9, **look},
            hovertemplate=f"{name} {probability:.3f}<extra>{style.label}</extra>",
            row=1,
            col=3,
        )


def _wide(people: pd.DataFrame, column: str) -> pd.DataFrame:
    """(models, participants) of one column of a comparison's participants."""
    return pd.DataFrame(
        {model: rows.set_index("participant")[column] for model, rows in people.groupby("model", sort=False)}
    ).T


def _ends(far: float, value: str) -> dict[str, Any]:
    """Ticks of a colour bar; the last stands for more where differences are cut off."""
    ticks = [0, far / 2, far]
    texts = ["0", f"{far / 2:g}", f"≥ {far:g}" if value == "difference" else f"{far:g}"]
    return {"tickvals": ticks, "ticktext": texts}


def _comparison_caption(comparison: Comparison) -> str:
    people = comparison.participants["participant"].nunique()
    return (
        f"{len(comparison.table)} models of {people} people. Left: log evidence ({_CRITERIA[comparison.by]}) behind "
        f"the best model with 95 % bootstrap intervals over people ({comparison.n_bootstrap:,} draws). Middle: "
        "expected share of people who follow each model ± 1 standard deviation; dotted: equal shares. Right: "
        "probability that a model is the most frequent, open: as it is, filled: protected against equal "
        f"frequencies (which have the probability {comparison.bor:.2f})."
    )


def _participants_caption(value: str) -> str:
    what = (
        "how many nats of log evidence each model is behind the participant's best, dark: none"
        if value == "difference"
        else "the probability that the participant follows each model"
    )
    return f"Each column is a participant: {what}. Lines separate people by their best model."

"""Classifiers on tables of the world: who is better, where, with how much to learn from, and how sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from toolkit.errors import UsageError
from toolkit.viz.agents import agent_style
from toolkit.viz.theme import GUIDE, INK, Theme, finished, translucent

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from toolkit.benchmark.running import Results
    from toolkit.benchmark.statistics import Ranking

METRIC_NAMES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "auc": "Area under the curve",
    "log_loss": "Log loss",
    "calibration_error": "Calibration error",
}
ROW_HEIGHT = 22
SIGNIFICANT = 0.05
FEWEST_ANSWERS = 20
"""Shares of fewer answers say little and are not drawn."""


def benchmark_table(results: Results) -> pd.DataFrame:
    """One row a model: means over tasks of all metrics, and mean ranks by accuracy and area under the curve.

    The best accuracy first; for :func:`toolkit.viz.show_table`.
    """
    from toolkit.benchmark.scores import METRICS
    from toolkit.benchmark.statistics import ranks_by_task

    means = {metric: results.means(metric) for metric in METRICS}
    table = pd.DataFrame({metric: values.mean() for metric, values in means.items()})
    table["calibration_error"] = results.calibration_errors()
    for metric in ("accuracy", "auc"):
        table[f"rank_{metric}"] = ranks_by_task(means[metric], metric).mean()
    table.insert(0, "model", [agent_style(name).label for name in table.index])
    return table.sort_values("accuracy", ascending=False).reset_index(drop=True)


def plot_tasks(results: Results, metric: str = "accuracy", *, theme: Theme | None = None) -> go.Figure:
    """Every task (row), every model a mark; the tasks that are easiest on average stand on top."""
    import plotly.graph_objects as go

    means = results.means(_known(metric))
    means = means.loc[means.mean(axis=1).sort_values(ascending=metric != "log_loss").index]
    figure = go.Figure()
    for name in means:
        style = agent_style(name)
        figure.add_scatter(
            x=means[name],
            y=means.index,
            mode="markers",
            name=style.label,
            marker={**style.marker(8), "opacity": 0.85},
            hovertemplate=f"%{{y}}: %{{x:.3f}}<extra>{style.label}</extra>",
        )
    figure.update_xaxes(title_text=METRIC_NAMES[metric])
    figure.update_yaxes(showgrid=True, gridcolor="#EEEEEE", showline=False, ticks="", tickfont={"size": 10})
    legend_rows = -(-len(means.columns) // 4)
    height = 90 + ROW_HEIGHT * (len(means) + legend_rows)
    caption = (
        f"{METRIC_NAMES[metric]} of {len(means.columns)} classifiers on {len(means)} tasks, means over sets; "
        "the easiest task on top."
    )
    figure = finished(figure, caption, height, theme)
    return figure.update_layout(margin={"t": 24 + ROW_HEIGHT * legend_rows, "l": 150})


def plot_ranks(ranking: Ranking, *, theme: Theme | None = None) -> go.Figure:
    """Critical-difference diagram: mean ranks, and lines through models that are not told apart."""
    import plotly.graph_objects as go

    table, figure = ranking.table, go.Figure()
    for row, one in enumerate(table.itertuples()):
        style = agent_style(one.model)
        figure.add_scatter(
            x=[one.mean_rank],
            y=[row],
            mode="markers",
            marker=style.marker(9),
            error_x={
                "array": [one.high - one.mean_rank],
                "arrayminus": [one.mean_rank - one.low],
                "color": style.colour,
                "thickness": 1.5,
                "width": 0,
            },
            hovertemplate=f"{one.mean_rank:.2f} [{one.low:.2f}, {one.high:.2f}]<extra>{style.label}</extra>",
        )
    right = max(table["high"].max(), table["mean_rank"].max())
    for number, group in enumerate(ranking.groups):
        rows = table.index[table["model"].isin(group)]
        x = right + 0.25 + 0.2 * number
        line = {"color": INK, "width": 3}
        figure.add_shape(type="line", x0=x, x1=x, y0=rows[0] - 0.25, y1=rows[-1] + 0.25, line=line)
    best = table["mean_rank"].iloc[0]
    figure.add_vrect(
        x0=best, x1=best + ranking.critical_difference, fillcolor=translucent("#9A9A9A", 0.15), line_width=0
    )
    labels = [agent_style(name).label for name in table["model"]]
    figure.update_xaxes(title_text=f"Mean rank by {METRIC_NAMES[ranking.metric].lower()} (1 is best)")
    figure.update_yaxes(
        tickvals=list(range(len(table))), ticktext=labels, autorange="reversed", showline=False, ticks=""
    )
    caption = (
        f"Mean ranks of {len(table)} classifiers over {ranking.n_tasks} tasks with 95 % bootstrap intervals over "
        f"tasks. Upright lines join those that Nemenyi's test does not tell apart; the band is the critical "
        f"difference of {ranking.critical_difference:.2f} from the best. Friedman's test that all are alike: "
        f"p = {ranking.p:.2g}."
    )
    figure = finished(figure, caption, 80 + ROW_HEIGHT * len(table), theme)
    return figure.update_layout(showlegend=False, margin={"t": 16, "l": 150})


def plot_leads(
    table: pd.DataFrame, model: str, metric: str = "accuracy", *, theme: Theme | None = None
) -> go.Figure:
    """How far one classifier is ahead of its rivals on every task, the largest lead on top.

    Parameters
    ----------
    table
        Of :func:`toolkit.benchmark.leads`.
    """
    import plotly.graph_objects as go

    style, figure, rows = agent_style(model), go.Figure(), table.iloc[::-1]
    looks = {
        "lead": ("over the mean of its rivals", style.symbol, style.colour),
        "lead_over_best": ("over the best of them", f"{style.symbol}-open", style.colour),
    }
    for column, (name, symbol, colour) in looks.items():
        figure.add_scatter(
            x=rows[column],
            y=rows["task"],
            customdata=[agent_style(best).label for best in rows["best"]],
            mode="markers",
            name=f"{style.label} {name}",
            marker={"symbol": symbol, "color": colour, "size": 8},
            hovertemplate="%{y}: %{x:+.3f}, best rival %{customdata}<extra></extra>",
        )
    figure.add_vline(x=0, line=GUIDE)
    figure.update_xaxes(
        title_text=f"{METRIC_NAMES[_known(metric)]}, difference (positive: {style.label} is better)"
    )
    figure.update_yaxes(showgrid=True, gridcolor="#EEEEEE", showline=False, ticks="", tickfont={"size": 10})
    caption = (
        f"{METRIC_NAMES[metric]} of {style.label} minus that of its rivals on {len(table)} tasks; the best rival is "
        "another one on every task, chosen after the fact, so that being ahead of it means more than being ahead of one."
    )
    figure = finished(figure, caption, 90 + ROW_HEIGHT * (len(table) + 1), theme)
    return figure.update_layout(margin={"t": 24 + ROW_HEIGHT, "l": 150})


def plot_explanations(table: pd.DataFrame, model: str, *, theme: Theme | None = None) -> go.Figure:
    """Rank correlations of a classifier's lead with properties of the problems, the strongest on top.

    Parameters
    ----------
    table
        Of :func:`toolkit.benchmark.explain_leads`.
    """
    import plotly.graph_objects as go

    from toolkit.benchmark.explaining import PROPERTIES

    style, rows = agent_style(model), table.iloc[::-1]
    sure = rows["p_holm"] < SIGNIFICANT
    figure = go.Figure()
    figure.add_scatter(
        x=rows["rho"],
        y=[PROPERTIES[name] for name in rows["property"]],
        mode="markers",
        marker={
            "symbol": [style.symbol if one else f"{style.symbol}-open" for one in sure],
            "color": style.colour,
            "size": 9,
        },
        error_x={
            "array": rows["high"] - rows["rho"],
            "arrayminus": rows["rho"] - rows["low"],
            "color": style.colour,
            "thickness": 1.5,
            "width": 0,
        },
        customdata=rows[["p", "p_holm"]],
        hovertemplate="%{y}: %{x:.2f}, p = %{customdata[0]:.2g}, corrected %{customdata[1]:.2g}<extra></extra>",
    )
    figure.add_vline(x=0, line=GUIDE)
    figure.update_xaxes(title_text=f"Rank correlation with the lead of {style.label}", range=[-1, 1])
    figure.update_yaxes(showgrid=True, gridcolor="#EEEEEE", showline=False, ticks="")
    caption = (
        f"Spearman's correlations over {table['n'].max()} tasks with 95 % bootstrap intervals over tasks. Filled: beyond "
        f"chance (p < {SIGNIFICANT}) after Holm's correction for {len(table)} properties."
    )
    figure = finished(figure, caption, 80 + ROW_HEIGHT * len(table), theme)
    return figure.update_layout(showlegend=False, margin={"t": 16, "l": 230})


def plot_context_sizes(
    results: Results, metric: str = "accuracy", *, theme: Theme | None = None
) -> go.Figure:
    """A metric against the number of rows to learn from, on the tasks that have all sizes."""
    import plotly.graph_objects as go

    scores = results.scores[results.scores["metric"] == _known(metric)]
    sizes = scores.groupby("task")["n_context"].nunique()
    whole = scores[scores["task"].isin(sizes[sizes == sizes.max()].index)]
    by_task = whole.groupby(["model", "n_context", "task"], sort=False)["value"].mean().reset_index()
    figure = go.Figure()
    for name, rows in by_task.groupby("model", sort=False):
        style = agent_style(str(name))
        points = rows.groupby("n_context")["value"].agg(["mean", "sem"])
        figure.add_scatter(
            x=points.index,
            y=points["mean"],
            mode="lines+markers",
            name=style.label,
            line=style.line(),
            marker=style.marker(7),
            hovertemplate=f"%{{x}} rows: %{{y:.3f}}<extra>{style.label}</extra>",
        )
    ticks = sorted(by_task["n_context"].unique())
    figure.update_xaxes(
        title_text="Rows to learn from", type="log", tickvals=ticks, ticktext=[str(one) for one in ticks]
    )
    figure.update_yaxes(title_text=METRIC_NAMES[metric])
    caption = (
        f"{METRIC_NAMES[metric]}, mean over the {by_task['task'].nunique()} tasks that are large enough for "
        "all numbers of rows."
    )
    legend_rows = -(-by_task["model"].nunique() // 4)
    figure = finished(figure, caption, 360 + ROW_HEIGHT * legend_rows, theme)
    return figure.update_layout(margin={"t": 16 + ROW_HEIGHT * legend_rows})


def plot_calibration(results: Results, *, theme: Theme | None = None) -> go.Figure:
    """How often a classifier is right when it says how sure it is; below the diagonal it is too sure."""
    import plotly.graph_objects as go

    figure, errors = go.Figure(), results.calibration_errors()
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=GUIDE, showlegend=False, hoverinfo="skip")
    for name, rows in results.reliability.groupby("model", sort=False):
        style, pooled = agent_style(str(name)), rows.groupby("bin")[["n", "confidence", "correct"]].sum()
        pooled = pooled[pooled["n"] >= FEWEST_ANSWERS]
        figure.add_scatter(
            x=pooled["confidence"] / pooled["n"],
            y=pooled["correct"] / pooled["n"],
            customdata=pooled["n"],
            mode="lines+markers",
            name=f"{style.label} ({errors[name]:.3f})",
            line=style.line(),
            marker=style.marker(6),
            hovertemplate=f"%{{customdata:,}} rows: %{{y:.3f}}<extra>{style.label}</extra>",
        )
    low = 0.45 if (results.reliability.query("n > 0")["bin"] >= 5).all() else 0
    figure.update_xaxes(title_text="Probability of the class it says", range=[low, 1.01])
    figure.update_yaxes(title_text="Share that is right", range=[max(0, low - 0.1), 1.01])
    caption = (
        "How often the class said is right, by the probability it was given, all answers pooled in tenths of "
        f"at least {FEWEST_ANSWERS}; dotted: probabilities that mean what they say. In brackets the expected calibration error."
    )
    legend_rows = -(-len(errors) // 3)
    figure = finished(figure, caption, 380 + ROW_HEIGHT * legend_rows, theme)
    return figure.update_layout(margin={"t": 16 + ROW_HEIGHT * legend_rows})


def _known(metric: str) -> Any:
    if metric not in METRIC_NAMES or metric == "calibration_error":
        raise UsageError(
            f"there is no metric '{metric}'.", fix="accuracy, balanced_accuracy, auc or log_loss."
        )
    return metric

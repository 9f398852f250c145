"""Model comparison explorer: people beside models, group by group, and one person's learning beside the models'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np
import pandas as pd

from toolkit import fitting
from toolkit.errors import ToolkitError
from toolkit.fitting import Fit, Standings
from toolkit.fitting.standings import Measure, Order
from toolkit.texts import counted
from toolkit.viz import agent_style, plot_standings, titled
from toolkit.widgets.controls import LABELS, WIDE, choice
from toolkit.widgets.dashboard import Dashboard
from toolkit.widgets.fitted_here import AGENTS, CODE, fit_here

if TYPE_CHECKING:
    import plotly.graph_objects as go

FITTED_HERE = "simulated people, fitted here"
GIVEN = "what was given"
EVERYONE = "all"
_MEASURES = (("BIC beyond the best", "bic"), ("nats a choice", "nats"))

_READ = """\
from toolkit import fitting, viz

standings = fitting.read_standings("{source}")"""
_TAKE = """\
from toolkit import fitting, viz

# fits: the tables that were given to the dashboard.
standings = fitting.gather(fits)"""
_AS_IT_IS = """\
from toolkit import viz

# standings: those that were given to the dashboard."""
_CODE = """\
{begin}
shown = standings{where}
figure = viz.plot_standings(shown, {person!r}, by="{by}", order="{order}")
figure = viz.titled(figure, shown.title)
figure"""


@dataclass(frozen=True)
class Explorer:
    """Standings of models with some of the people, one of whom is looked at.

    Attributes
    ----------
    standings
        Of everyone.
    begin
        Code that makes them.
    condition, group, ages
        Whom to show; None is everyone.
    """

    standings: Standings
    begin: str
    person: object
    condition: str | None = None
    group: str | None = None
    ages: tuple[int, int] | None = None
    by: Measure = "bic"
    order: Order = "winner"

    @property
    def chosen(self) -> dict[str, Any]:
        """What people are chosen by."""
        every = {"condition": self.condition, "group": self.group, "ages": self.ages}
        return {name: value for name, value in every.items() if value is not None}

    @cached_property
    def shown(self) -> Standings:
        """Of the people who are shown."""
        return self.standings.where(**self.chosen)

    def figure(self) -> go.Figure:
        """People, models, and the person's curve."""
        figure = plot_standings(self.shown, self.person, by=self.by, order=self.order)
        return titled(figure, self.standings.title)

    def reading(self) -> str:
        """Totals, frequencies, who is left out, and which model describes the person best."""
        shown = self.shown
        return " ".join(filter(None, [_totals(shown), _left_out(shown), _of_person(shown, self.person)]))

    def code(self) -> str:
        """A cell that draws the figure."""
        where = ", ".join(f"{name}={value!r}" for name, value in self.chosen.items())
        return _CODE.format(
            begin=self.begin,
            where=f".where({where})" if where else "",
            person=self.person,
            by=self.by,
            order=self.order,
        )


def _totals(shown: Standings) -> str:
    comparison = shown.comparison
    if comparison is None:
        return f"{_count(shown.participants)} and {counted(len(shown.models), 'model')}: nothing can be compared."
    best, second = comparison.table.iloc[0], comparison.table.iloc[1]
    frequent = comparison.table.loc[comparison.table["frequency"].idxmax()]
    return (
        f"{_count(shown.complete())}: {_label(best.model)} has the smallest BIC in total ({best.bic:,.0f}), "
        f"{second.bic - best.bic:,.0f} less than {_label(second.model)}; {_label(frequent.model)} is the most frequent "
        f"(an estimated {frequent.frequency:.0%} of people, protected exceedance {frequent.protected_exceedance:.2f})."
    )


def _left_out(shown: Standings) -> str:
    failed = shown.failed()
    if failed.empty:
        return ""
    first = failed.iloc[0]
    return (
        f"Left out of these numbers: {_count(failed['participant'].unique())} without an estimate, for instance "
        f"{first.participant} under {_label(first.model)} ({first.reason})."
    )


def _of_person(shown: Standings, person: object) -> str:
    own = shown.wide("bic").loc[person].dropna().sort_values(kind="stable")
    if len(own) < 2:
        return f"Person {person}: {'one estimate alone' if len(own) else 'no estimate'}."
    return f"Person {person}: {_label(own.index[0])} describes them best, by {own.iloc[1]:.1f} BIC before {_label(own.index[1])}."


def _count(everyone: list | np.ndarray) -> str:
    return counted(len(everyone), "person", "people")


def _label(model: str) -> str:
    return agent_style(model).label


class ModelComparison(Dashboard):
    """See which model describes whom, in which group, and click a person to see their learning.

    Parameters
    ----------
    fits
        A fit, several by the models' names, a table of fits, a file of one (.parquet, .csv), or what
        :func:`toolkit.fitting.gather` made. Without it: the newest finished run that has fits, else a few
        simulated people who are fitted here.
    """

    def __init__(
        self,
        fits: Standings | Fit | Mapping[str, Fit | pd.DataFrame] | pd.DataFrame | str | Path | None = None,
        *,
        seed: int = 0,
    ) -> None:
        self.seed, self._given, self._loaded = seed, fits, {}
        sources = [GIVEN] if fits is not None else []
        sources += [*fitting.find_standings(), FITTED_HERE]
        self.source = choice("Fits", sources, sources[0])
        self.condition = choice("Condition", [EVERYONE])
        self.group = choice("Group", [EVERYONE])
        self.ages = widgets.IntRangeSlider(description="Ages", layout=WIDE, style=LABELS)
        self.by = choice("Cells show", _MEASURES)
        self.order = choice("Order of people", ["winner"])
        self.person = choice("Person", [])
        self._fill()
        filters = (self.condition, self.group, self.ages)
        super().__init__([self.source, *filters, self.by, self.order, self.person])
        self.source.observe(self._change_source, "value")
        for control in filters:
            control.observe(self._change_people, "value")
        self.follow(self.by, self.order, self.person)

    def view(self) -> Explorer:
        standings, begin = self._load()
        ages = tuple(self.ages.value)
        return Explorer(
            standings,
            begin,
            self.person.value,
            _unless_everyone(self.condition.value),
            _unless_everyone(self.group.value),
            None if standings.ages in (None, ages) else ages,
            self.by.value,
            self.order.value,
        )

    def _load(self) -> tuple[Standings, str]:
        """Standings of the source that is chosen, and code that makes them."""
        source = self.source.value
        if source not in self._loaded:
            self._loaded[source] = self._read(source)
        return self._loaded[source]

    def _read(self, source: str) -> tuple[Standings, str]:
        if source == FITTED_HERE:
            tell = self._tell if hasattr(self, "bar") else None
            return fit_here(self.seed, tell), CODE.format(seed=self.seed)
        if source != GIVEN:
            return fitting.read_standings(source), _READ.format(source=source)
        if isinstance(self._given, Standings):
            return self._given, _AS_IT_IS
        if isinstance(self._given, str | Path):
            return fitting.read_standings(self._given), _READ.format(source=Path(self._given).as_posix())
        return fitting.gather(self._given, title="Fits that were given"), _TAKE

    def _tell(self, label: str, n_done: int) -> None:
        self.bar.max, self.bar.value, self.bar.description = len(AGENTS), n_done, f"fitting {label}"

    def _fill(self) -> None:
        """Let the controls offer what the standings have."""
        standings, _ = self._load()
        self.condition.options = [EVERYONE, *standings.conditions]
        self.group.options = [EVERYONE, *standings.groups]
        known = standings.ages
        self.ages.layout.display = "none" if known is None else ""
        if known is not None:
            with self.ages.hold_trait_notifications():
                self.ages.min, self.ages.max = known
                self.ages.value = known
        self.order.options = standings.orders
        self._offer(standings)

    def _offer(self, standings: Standings) -> None:
        before, labels = self.person.value, standings.labels
        self.person.options = [(label, person) for person, label in labels.items()]
        self.person.value = before if before in labels else labels.index[0]

    def _change_source(self, _: object) -> None:
        with self.together():
            try:
                with self.busy():
                    self._fill()
            except ToolkitError as error:
                self.say(str(error))
            finally:
                self.bar.max, self.bar.value, self.bar.description = 1, 1, "computing"

    def _change_people(self, _: object) -> None:
        with self.together():
            try:
                self._offer(self.view().shown)
            except ToolkitError:
                return  # Said by redrawing.

    def _draw(self, figure: go.Figure) -> None:
        super()._draw(figure)
        self.shown.data[0].on_click(self._click)

    def _click(self, _: object, points: Any, __: object) -> None:
        view = self.view()
        if points.xs:
            self.person.value = view.shown.in_order(view.order)[round(points.xs[0])]


def _unless_everyone(value: str) -> str | None:
    return None if value == EVERYONE else value

"""Discovery board: what a search for programs tried, who descends from whom, two programs side by side, what was rejected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from toolkit.discovery.search import FinishedSearch, find_searches, read_search
from toolkit.errors import ToolkitError
from toolkit.viz import plot_programs, programs_table, rejected_table, side_by_side, titled
from toolkit.widgets.controls import choice, slider
from toolkit.widgets.dashboard import Dashboard

if TYPE_CHECKING:
    import plotly.graph_objects as go

_LONGEST_NAME = 34

_CODE = """\
from IPython.display import HTML, display

from toolkit import viz
from toolkit.discovery.search import read_search

found = read_search({source!r}).until({n_rounds})
first, second = {first!r}, {second!r}
display(HTML(viz.side_by_side(found[first], found[second])))
display(HTML(viz.programs_table(found)))
display(HTML(viz.rejected_table(found)))
figure = viz.titled(viz.plot_programs(found, first, second), found.title)
figure"""


@dataclass(frozen=True)
class Board:
    """A search as it stood after some rounds, and two of its programs.

    Attributes
    ----------
    search
        Of whom programs are shown.
    source
        What :func:`toolkit.discovery.search.read_search` calls it.
    first, second
        Names of the candidates.
    """

    search: FinishedSearch
    source: str
    first: str
    second: str

    def figure(self) -> go.Figure:
        """The tree of programs and the frontier."""
        return titled(plot_programs(self.search, self.first, self.second), self.search.title)

    def reading(self) -> str:
        """What was tried, what is best, and how the two programs compare."""
        table = self.search.table
        scored = table.dropna(subset=["mean"])
        tried = (
            f"{len(table)} programs in {self.search.n_rounds} rounds, {len(table) - len(scored)} rejected."
        )
        if scored.empty:
            return f"{tried} None of them could be used; the table below says why."
        best = scored.loc[scored["mean"].idxmin()]
        return f"{tried} {_best(best, self.search)} {self._compared()}"

    def _compared(self) -> str:
        one, other = (self.search[name].score.mean for name in (self.first, self.second))
        line = self.search.ancestors(self.first)
        descends = (
            f"B is among A's {len(line) - 1} ancestors."
            if self.second in line[:-1]
            else "A does not descend from B."
        )
        if one is None or other is None:
            which = "A" if one is None else "B"
            return f"{which} was rejected, so there is nothing to compare. {descends}"
        better = "A" if one < other else "B"
        said = (
            "Both have the same mean BIC."
            if one == other
            else f"{better} is better by {abs(one - other):.1f}."
        )
        return f"{said} {descends}"

    def code(self) -> str:
        """A cell that shows the same."""
        return _CODE.format(
            source=self.source, n_rounds=self.search.n_rounds, first=self.first, second=self.second
        )


def _best(best: Any, search: FinishedSearch) -> str:
    chance = search.baselines.get("chance")
    ahead = "" if chance is None else f", {chance - best['mean']:.1f} less than chance"
    return f"The best is {best['name']} with a mean BIC of {best['mean']:.1f} and {best['n_parameters']} parameters{ahead}."


class DiscoveryBoard(Dashboard):
    """Look into a search for programs round by round; nothing is fitted, and no program is run.

    Parameters
    ----------
    source
        Folder or journal of a search. Without it: the newest finished run that has one, else the recorded search that
        comes with the project.

    Attributes
    ----------
    programs
        The two programs beside one another.
    tables
        The best programs, and those that were rejected.
    """

    def __init__(self, source: str | Path | None = None) -> None:
        sources = [*([] if source is None else [Path(source).as_posix()]), *find_searches()]
        self._read: dict[str, FinishedSearch] = {}
        self.source = choice("Search", sources, sources[0])
        self.rounds = slider("Rounds", 1, 1, 1, "How much of the search is shown")
        self.first = choice("Program A", [])
        self.second = choice("Program B", [])
        self.programs, self.tables = widgets.HTML(), widgets.HTML()
        self._begin()
        super().__init__([self.source, self.rounds, self.first, self.second])
        self.children = (*self.children, self.programs, self.tables)
        self.source.observe(self._change(self._begin), "value")
        self.rounds.observe(self._change(self._offer), "value")
        self.follow(self.first, self.second)

    def view(self) -> Board:
        return Board(self._search(), self.source.value, self.first.value, self.second.value)

    def redraw(self, *_: Any) -> None:
        super().redraw()
        if self._held:
            return
        try:
            board = self.view()
            first, second = board.search[board.first], board.search[board.second]
        except ToolkitError:
            return  # Said by redrawing.
        self.programs.value = side_by_side(first, second)
        self.tables.value = programs_table(board.search) + rejected_table(board.search)

    def _whole(self) -> FinishedSearch:
        source = self.source.value
        if source not in self._read:
            self._read[source] = read_search(source)
        return self._read[source]

    def _search(self) -> FinishedSearch:
        return self._whole().until(self.rounds.value)

    def _begin(self) -> None:
        """All rounds of a search, its best program, and what that was made from."""
        self.rounds.max = self._whole().n_rounds
        self.rounds.value = self.rounds.max
        self.first.options = self.second.options = []
        self._offer()

    def _offer(self) -> None:
        """Let programs be chosen among those that were tried by then."""
        search = self._search()
        options = [(_described(search, name), name) for name in search.names]
        first = self.first.value if self.first.value in search.names else search.names[0]
        parents = [one for one in search.ancestors(first) if one != first]
        other = (parents or [*search.names[1:], first])[-1 if parents else 0]
        second = self.second.value if self.second.value in search.names else other
        self.first.options = self.second.options = options
        self.first.value, self.second.value = first, second

    def _change(self, what: Callable[[], None]) -> Callable[[object], None]:
        def changed(_: object) -> None:
            with self.together():
                try:
                    with self.busy():
                        what()
                except ToolkitError:
                    return  # Said by redrawing.

        return changed

    def _draw(self, figure: go.Figure) -> None:
        super()._draw(figure)
        for trace in self.shown.data:
            if trace.customdata is not None:
                trace.on_click(self._click)

    def _click(self, trace: Any, points: Any, _: object) -> None:
        if points.point_inds:
            self.first.value = trace.customdata[points.point_inds[0]][0]


def _described(search: FinishedSearch, name: str) -> str:
    """A candidate in a list to choose from."""
    candidate = search[name]
    mean, said = candidate.score.mean, str(candidate.proposal.content.get("name", ""))
    short = said if len(said) <= _LONGEST_NAME else f"{said[: _LONGEST_NAME - 1]}…"
    return f"{name} · {'rejected' if mean is None else f'{mean:.1f}'} · {short}"

"""What every dashboard is: controls, a figure that follows them, a sentence, and the code that draws the figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from threading import Timer
from typing import TYPE_CHECKING, Any, Protocol

import ipywidgets as widgets

from toolkit.errors import ToolkitError
from toolkit.widgets.keys import OwnKeys

if TYPE_CHECKING:
    import plotly.graph_objects as go

SECONDS_UNANNOUNCED = 0.2
"""Work that takes longer shows a progress bar."""

CONTROLS_WIDTH = "345px"
FIGURE_WIDTH = 605
"""Pixels of a figure, so that it fits beside the controls on a laptop; the code draws it in a journal's width."""
_HIDE, _SHOW = "Hide the code", "Show the code"
_BUTTONS = {"displaylogo": False, "modeBarButtons": [["toImage", "zoom2d", "pan2d", "resetScale2d"]]}
"""Of a figure: few to go through by keyboard, and none that sends it to anybody."""


class View(Protocol):
    """What a dashboard shows at one setting of its controls, without any widget."""

    def figure(self) -> go.Figure:
        """The figure."""

    def reading(self) -> str:
        """A sentence that says what can be seen."""

    def code(self) -> str:
        """A cell that draws the same figure by itself."""


class Dashboard(widgets.VBox):
    """Controls on the left, the figure and what it says on the right, the code below.

    A subclass makes its controls, hands them over here, and says in :meth:`view` what they ask for.

    Parameters
    ----------
    controls
        What stands on the left.
    above
        What stands above the figure.

    Attributes
    ----------
    shown
        The figure on the screen, a ``FigureWidget``.
    message
        The sentence below it, or what is wrong.
    code_area
        The code, once :attr:`code_button` was pressed.
    bar
        Seen while something takes longer than a fifth of a second.
    """

    def __init__(self, controls: Sequence[widgets.Widget], above: Sequence[widgets.Widget] = ()) -> None:
        self.shown: go.FigureWidget | None = None
        self._held = False
        self.message = widgets.HTML()
        self.bar = widgets.IntProgress(
            value=1, max=1, description="computing", bar_style="info", layout={"visibility": "hidden"}
        )
        self.code_button = widgets.ToggleButton(
            description=_SHOW, icon="code", tooltip="The lines that draw this figure without the dashboard"
        )
        self.code_area = widgets.Textarea(
            layout={"width": f"{FIGURE_WIDTH}px", "height": "300px", "display": "none"}, disabled=False
        )
        self.code_area.add_class("toolkit-code")
        self._stage = widgets.VBox()
        self.code_button.observe(self._show_code, "value")
        left = widgets.VBox([*controls, self.bar], layout={"width": CONTROLS_WIDTH, "flex": "0 0 auto"})
        left.add_class("toolkit-controls")
        right = widgets.VBox([*above, self._stage, self.message, self.code_button, self.code_area])
        super().__init__([widgets.HBox([left, right], layout={"flex_flow": "row wrap"}), OwnKeys()])
        self.add_class("toolkit-dashboard")
        self.redraw()

    def view(self) -> View:
        """What the controls ask for now."""
        raise NotImplementedError

    @property
    def code(self) -> str:
        """A cell that draws the present figure without the dashboard."""
        return self.view().code()

    def redraw(self, *_: Any) -> None:
        """Show what the controls ask for; what cannot be is said in words."""
        if self._held:
            return
        with self.busy():
            try:
                view = self.view()
                self._draw(view.figure())
                self.say(view.reading())
                self.code_area.value = view.code()
            except ToolkitError as error:
                self.say(str(error))

    def say(self, sentence: str) -> None:
        """Show a sentence below the figure."""
        self.message.value = (
            f"<p role='status' style='max-width: {FIGURE_WIDTH}px; line-height: 1.4'>{escape(sentence)}</p>"
        )

    def follow(self, *controls: widgets.Widget) -> None:
        """Redraw whenever one of these controls is moved."""
        for control in controls:
            control.observe(self.redraw, "value")

    @contextmanager
    def together(self) -> Iterator[None]:
        """Move several controls and redraw once, after the last."""
        outermost, self._held = not self._held, True
        try:
            yield
        finally:
            if outermost:
                self._held = False
                self.redraw()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Show the progress bar if what is done here takes long."""
        timer = Timer(SECONDS_UNANNOUNCED, self._show_bar, [True])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            self._show_bar(False)

    def show_progress(self, n_done: int, n_all: int) -> None:
        """Show how far something is that is done beside everything else."""
        self.bar.max, self.bar.value = n_all, n_done
        self._show_bar(True)

    def end_progress(self) -> None:
        """Take the bar away again."""
        self._show_bar(False)
        self.bar.max = self.bar.value = 1

    def _show_bar(self, seen: bool) -> None:
        self.bar.layout.visibility = "visible" if seen else "hidden"

    def _show_code(self, _: Any) -> None:
        seen = self.code_button.value
        self.code_button.description = _HIDE if seen else _SHOW
        self.code_area.layout.display = "block" if seen else "none"

    def _draw(self, figure: go.Figure) -> None:
        import plotly.graph_objects as go

        figure.update_layout(width=FIGURE_WIDTH)
        if self.shown is None or _axes(self.shown) != _axes(figure):
            shown = go.FigureWidget(figure)
            shown._config = {**shown._config, **_BUTTONS}
            self._put(shown)
        else:
            replace_content(self.shown, figure)

    def _put(self, figure: go.FigureWidget | None) -> None:
        """Show another figure, or none."""
        before, self.shown = self._stage.children, figure
        self._stage.children = () if figure is None else (figure,)
        for old in before:
            old.close()


def replace_content(shown: go.FigureWidget, figure: go.Figure) -> None:
    """Make a figure on the screen look like another one with the same axes."""
    same = [_kind(trace) for trace in shown.data] == [_kind(trace) for trace in figure.data]
    before, after = shown.layout.to_plotly_json(), figure.layout.to_plotly_json()
    # What another figure does not have stays on the screen unless it is taken away by name.
    gone = {
        name: [] if isinstance(before[name], list | tuple) else None for name in before if name not in after
    }
    with shown.batch_update():
        if same:
            for old, new in zip(shown.data, figure.data, strict=True):
                old.update(new.to_plotly_json(), overwrite=True)
        shown.layout.update({**after, **gone}, overwrite=True)
    if not same:
        shown.data = ()
        shown.add_traces(figure.data)


def _axes(figure: go.Figure) -> set[str]:
    """Names of the axes and colour bars that a figure lays out."""
    return {key for key in figure.layout.to_plotly_json() if "axis" in key}


def _kind(trace: Any) -> tuple[str, frozenset[str]]:
    """Type of a trace and what it sets; traces that agree in both can be changed into one another."""
    return trace.type, frozenset(trace.to_plotly_json())

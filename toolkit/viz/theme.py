"""The look all figures share, in sizes that journals print."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.viz.agents import OKABE_ITO

if TYPE_CHECKING:
    import plotly.graph_objects as go

TEMPLATE_NAME = "toolkit"
RENDERERS = "plotly_mimetype+notebook_connected"
"""JupyterLab reads the first; nbviewer and saved pages show the second."""

PIXELS_PER_MM = 96 / 25.4
"""A browser prints 96 pixels an inch, so a figure of 658 pixels is 174 mm wide on paper."""

DOUBLE_COLUMN_MM = 174
FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"
INK = "#333333"
TITLE_HEIGHT = 26
DEFAULT_HEIGHT = 450
"""Of a figure that says none, as plotly draws it."""

MARGINS = {"l": 56, "r": 16, "t": 40, "b": 48}
GUIDE = {"color": "#9A9A9A", "dash": "dot", "width": 1}
"""Line of a reference value, for instance chance."""


@dataclass(frozen=True)
class Theme:
    """Size of a figure and of its letters.

    Attributes
    ----------
    width_mm
        Width on paper: 85 for one journal column, 174 for two.
    font_size
        Size of axis titles and labels in pixels; 11 are 8.25 points on paper.
    """

    width_mm: float = DOUBLE_COLUMN_MM
    font_size: float = 12

    @property
    def width(self) -> int:
        """Width in pixels."""
        return round(self.width_mm * PIXELS_PER_MM)


def setup() -> None:
    """Give the figures of a notebook the toolkit's look and make them visible everywhere."""
    import plotly.io as pio

    pio.templates[TEMPLATE_NAME] = template()
    pio.templates.default = TEMPLATE_NAME
    pio.renderers.default = RENDERERS


def template(theme: Theme | None = None) -> go.layout.Template:
    """The plotly template of a theme."""
    import plotly.graph_objects as go

    size = (theme or Theme()).font_size
    axis = {
        "showline": True,
        "linecolor": INK,
        "linewidth": 1,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": INK,
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
        "title": {"standoff": 8, "font": {"size": size}},
    }
    layout = {
        "font": {"family": FONT, "size": size, "color": INK},
        "title": {"x": 0, "xref": "paper", "xanchor": "left", "font": {"size": size + 2}},
        "colorway": OKABE_ITO,
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "xaxis": axis,
        "yaxis": axis,
        "legend": {
            "font": {"size": size},
            "bgcolor": "rgba(255,255,255,0)",
            "orientation": "h",
            "x": 0,
            "y": 1,
            "yref": "container",
            "yanchor": "top",
        },
        "hoverlabel": {"font": {"family": FONT, "size": size}},
        "annotationdefaults": {"font": {"size": size}},
        "margin": MARGINS,
    }
    return go.layout.Template(layout=layout)


def finished(figure: go.Figure, caption: str, height: int, theme: Theme | None = None) -> go.Figure:
    """Size, look and caption of a figure that a builder has drawn."""
    theme = theme or Theme()
    return figure.update_layout(
        template=template(theme), width=theme.width, height=height, meta={"caption": caption}
    )


def titled(figure: go.Figure, title: str) -> go.Figure:
    """The figure with a title above everything else, and as much taller."""
    height = (figure.layout.height or DEFAULT_HEIGHT) + TITLE_HEIGHT
    top = figure.layout.margin.t
    figure.update_layout(
        height=height,
        margin_t=(MARGINS["t"] if top is None else top) + TITLE_HEIGHT,
        title={"text": title, "yref": "container", "y": 1, "yanchor": "top", "pad": {"t": 6}},
        legend_y=1 - TITLE_HEIGHT / height,
    )
    return figure


def caption_of(figure: go.Figure | dict) -> str:
    """The sentence that says what a figure shows; empty if it has none."""
    layout = figure["layout"] if isinstance(figure, dict) else figure.layout
    meta = layout.get("meta") if isinstance(layout, dict) else layout.meta
    return str(meta.get("caption", "")) if isinstance(meta, dict) else ""


def translucent(colour: str, opacity: float) -> str:
    """A colour "#RRGGBB" as plotly writes it with an opacity.

    >>> translucent("#000000", 0.2)
    'rgba(0,0,0,0.2)'
    """
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def wrapped(text: str, width: int) -> str:
    """Text in lines of at most ``width`` letters, as plotly breaks them.

    >>> wrapped("ear length relative to head", 16)
    'ear length<br>relative to head'
    """
    return "<br>".join(textwrap.wrap(text, width))

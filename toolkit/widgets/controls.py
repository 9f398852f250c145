"""Controls that several dashboards have: a choice among names, and a slider for every parameter of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import ipywidgets as widgets

from toolkit.models import Model, Parameter
from toolkit.viz import agent_style

WIDE = {"width": "335px"}
LABELS = {"description_width": "165px"}
_STEPS, _DECIMALS = 200, 6

_TYPICAL = {
    "attention": 4.0,
    "association_rate": 0.1,
    "attention_rate": 0.1,
    "attentional_focus": 3.0,
    "background": 0.0,
    "change_rate": 0.1,
    "competition": 1.0,
    "complexity": 0.5,
    "coupling": 0.3,
    "determinism": 5.0,
    "drift": 0.1,
    "give_up": 0.2,
    "lapse": 0.05,
    "leak": 0.2,
    "learning_rate": 0.3,
    "log10_feature_prior": 0.0,
    "log10_label_prior": 0.0,
    "log10_prior_deviation": 0.0,
    "noise": 1.0,
    "response_scaling": 1.0,
    "sensitivity": 5.0,
    "shift": 0.8,
    "stay": 0.9,
    "store": 0.5,
}
"""Where sliders begin, by the beginning of a parameter's name."""


def starting_values(model: Model) -> dict[str, float]:
    """A value for every parameter at which the model learns.

    A usual value, else the median of the prior, else the middle of the bounds; the nearest that a slider can show.
    """
    return {parameter.name: _start(parameter) for parameter in model.parameters}


def _start(parameter: Parameter) -> float:
    names = [name for name in _TYPICAL if parameter.name.startswith(name)]
    value = _TYPICAL[max(names, key=len)] if names else (parameter.lower + parameter.upper) / 2
    if not names and parameter.prior is not None:
        value = float(parameter.prior.median())
    return _nearest(parameter, value)


def on_sliders(model: Model, values: Mapping[str, float]) -> dict[str, float]:
    """The values that sliders show for these: a browser moves whatever lies between two steps to one of them."""
    return {parameter.name: _nearest(parameter, values[parameter.name]) for parameter in model.parameters}


def _nearest(parameter: Parameter, value: float) -> float:
    if parameter.values is not None:
        return min(parameter.values, key=lambda known: abs(known - value))
    step = _step(parameter)
    n_steps = min(max(round((value - parameter.lower) / step), 0), _STEPS)
    return round(parameter.lower + n_steps * step, _DECIMALS)


def _step(parameter: Parameter) -> float:
    """What an arrow key moves its slider by."""
    return (parameter.upper - parameter.lower) / _STEPS


def choice(description: str, options: Iterable, value: object | None = None) -> widgets.Dropdown:
    """A list to choose one thing from; options are values, or pairs of label and value."""
    options = list(options)
    control = widgets.Dropdown(options=options, description=description, layout=WIDE, style=LABELS)
    if value is not None:
        control.value = value
    return control


def agent_options(names: Iterable[str]) -> list[tuple[str, str]]:
    """Agents' labels, as figures show them, and names."""
    return [(agent_style(name).label, name) for name in names]


def slider(description: str, low: int, high: int, value: int, tooltip: str = "") -> widgets.IntSlider:
    """A slider over whole numbers."""
    return widgets.IntSlider(
        value=value,
        min=low,
        max=high,
        description=description,
        tooltip=tooltip,
        layout=WIDE,
        style=LABELS,
    )


def button(description: str, icon: str, tooltip: str, pressed: Callable[[Any], None]) -> widgets.Button:
    """A button as wide as its text."""
    made = widgets.Button(description=description, icon=icon, tooltip=tooltip, layout={"width": "auto"})
    made.on_click(pressed)
    return made


def parameter_sliders(
    model: Model, values: Mapping[str, float], moved: Callable[[str, float], None]
) -> list[widgets.Widget]:
    """A slider for every parameter of a model.

    Parameters
    ----------
    values
        Where they stand.
    moved
        Called with a parameter's name and its new value.
    """
    sliders = []
    for parameter in model.parameters:
        control = _parameter_slider(parameter, values[parameter.name])
        # Sliders give 0.8200000000000001 for 0.82, and code is to draw what is shown.
        control.observe(
            lambda change, name=parameter.name: moved(name, round(float(change["new"]), _DECIMALS)), "value"
        )
        sliders.append(control)
    return sliders


def _parameter_slider(parameter: Parameter, value: float) -> widgets.Widget:
    about = {
        "description": parameter.name.replace("_", " "),
        "tooltip": f"{parameter.name}: {parameter.meaning}",
        "layout": WIDE,
        "style": LABELS,
    }
    if parameter.values is not None:
        return widgets.SelectionSlider(options=list(parameter.values), value=value, **about)
    step = _step(parameter)
    return widgets.FloatSlider(
        value=value,
        min=parameter.lower,
        max=parameter.upper,
        step=step,
        readout_format=".3g" if step < 0.01 else ".2f",
        **about,
    )

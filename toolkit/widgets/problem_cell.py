"""The code that draws what the problem browser shows, put together from its parts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

N_POINTS = 120
N_FEATURES = 2
"""Of problems whose features have no names."""

_BANK = """\
problem = load_bank()[{number}]
generator = Seeds({seed}).torch("bank {number}")
x, y = get_source("bank").draw_named([{number}], {n_points}, generator=generator)
x, y = x[0].double().numpy(), y[0].numpy()
features = [f"{{problem.features[i].name}} ({{problem.features[i].unit}})" for i in {pair}]
categories = problem.categories"""
_OTHER = """\
generator = Seeds({seed}).torch("{source} {number}")
drawn = get_source("{source}"{options}).draw(1, {n_points}, {n_features}, generator=generator)
x, y = drawn.x[0].double().numpy(), drawn.y[0].numpy()
features = [f"feature {{i + 1}}" for i in {pair}]
categories = ["category A", "category B"]"""
_MODEL = """\
span = np.where(high > low, high - low, 1)
trials = probes_after((x[:{n_shown}] - low) / span, y[:{n_shown}], (grid - low) / span, len(categories))
model = get_model_for("{agent}", trials)
theta = model.theta(**{values})
p = model.marginal(theta, trials, Seeds({seed}).numpy("own choices"))[:, -1]"""
_ASKED = """\
probing = Probing(x[:{n_shown}], y[:{n_shown}], grid, len(categories), features=features)
p = probing.answers({ask})"""
_CODE = """\
import numpy as np

from toolkit import viz
{imports}

{draw}

x = x[:, {pair}]
low, high = x.min(0), x.max(0)
along, up = (np.linspace(low[i], high[i], {n_places}) for i in (0, 1))
grid = np.stack(np.meshgrid(along, up), -1).reshape(-1, 2)
{answer}
p = p.reshape({n_places}, {n_places}, -1)
figure = viz.plot_boundaries(
    x, y, {n_shown}, (along, up), p, agent="{agent}", features=features, categories=categories
)
figure = viz.titled(figure, "{title}")
figure"""
_IMPORTS = {
    "from toolkit.data import load_bank": "load_bank(",
    "from toolkit.llm import get_client": "get_client(",
    "from toolkit.models import get_model_for": "get_model_for(",
    "from toolkit.models.after_learning import probes_after": "probes_after(",
    "from toolkit.models.answering.asking import recall": "recall(",
    "from toolkit.models.answering.probing import Probing": "Probing(",
    "from toolkit.models.answering.scripted import ask_script": "ask_script)",
    "from toolkit.seeds import Seeds": "Seeds(",
    "from toolkit.tasks import get_source": "get_source(",
}
"""Each with what in a cell needs it."""


def draw_problem(
    source: str, number: int, seed: int, pair: tuple[int, int], options: Mapping[str, str]
) -> str:
    """Lines that draw a problem and name its features and categories.

    Parameters
    ----------
    options
        Of the source.
    """
    said = "".join(f', {name}="{value}"' for name, value in options.items())
    template = _BANK if source == "bank" else _OTHER
    return template.format(
        source=source,
        number=number,
        seed=seed,
        pair=list(pair),
        options=said,
        n_points=N_POINTS,
        n_features=N_FEATURES,
    )


def ask_a_model(n_shown: int, agent: str, values: Mapping[str, float], seed: int) -> str:
    """Lines that get a model's answers."""
    return _MODEL.format(n_shown=n_shown, agent=agent, values=values, seed=seed)


def ask_a_script(n_shown: int) -> str:
    """Lines that get the answers of the script that stands for language models."""
    return _ASKED.format(n_shown=n_shown, ask="ask_script")


def recall_replies(n_shown: int, journal: Path, model: str) -> str:
    """Lines that get a language model's answers from a journal."""
    client = f'client = get_client("recorded", journal={str(journal)!r}, model={model!r})\n'
    return client + _ASKED.format(n_shown=n_shown, ask="recall(client)")


def whole_cell(draw: str, answer: str, **about: Any) -> str:
    """All lines, with the imports that they need.

    Parameters
    ----------
    about
        ``pair, n_places, n_shown, agent`` and ``title``.
    """
    needed = [line for line, word in _IMPORTS.items() if word in draw + answer]
    return _CODE.format(imports="\n".join(needed), draw=draw, answer=answer, **about)

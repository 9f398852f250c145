"""The README's examples run, and what it names exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.cli import _HOME_OF
from toolkit.models import get_model
from toolkit.sections import list_sections
from toolkit.trials import Trials


@pytest.fixture
def readme(checkout: Path) -> str:
    return (checkout / "README.md").read_text()


def block(readme: str, containing: str) -> str:
    return next(code for code in re.findall(r"```python\n(.*?)```", readme, re.S) if containing in code)


def test_the_table_of_ones_own(readme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame(
        {"subject": 1, "age": 30, "size": [0, 1], "colour": 1, "resp": ["A", "B"], "feedback": ["A", "A"]}
    )
    table.to_csv("mine.csv")
    code = block(readme, "mine.csv")
    assert len(code.strip().splitlines()) <= 10
    names: dict = {}
    exec(code, names)
    np.testing.assert_array_equal(names["trials"].correct, [[1, 0]])


def test_the_model_of_ones_own(readme: str) -> None:
    exec(block(readme, "class Habit"), {"__name__": "readme"})
    table = pd.DataFrame({"participant": 1, "stimulus_0": 0, "category": 0, "choice": [0, 0, 1, None, 1]})
    model = get_model("habit")
    log_p = model.log_likelihood(
        model.theta(strength=1.0), Trials.from_table(table, "category_learning", n_options=2)
    )
    repeated = np.e / (1 + np.e)
    np.testing.assert_allclose(np.exp(log_p), [[0.5, repeated, 1 - repeated, 1, 0.5]])


def test_every_command_is_in_the_table(readme: str) -> None:
    for command in set(_HOME_OF) - {"run-section"}:
        assert f"`toolkit {command}" in readme, command


def test_sections_ask_in_the_table_and_the_map_what_their_notebooks_ask(readme: str, checkout: Path) -> None:
    for section in list_sections().itertuples():
        notebook = json.loads((checkout / f"notebooks/{section.section}.ipynb").read_text())
        assert f"**{section.question}**\n" in notebook["cells"][0]["source"]
        assert f"](notebooks/{section.section}.ipynb) | {section.question} |" in readme


def test_every_link_leads_somewhere(readme: str, checkout: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", readme):
        if not target.startswith("http"):
            assert (checkout / target).exists(), target

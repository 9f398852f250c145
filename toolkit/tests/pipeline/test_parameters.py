"""Parameters are data: nothing but checked names and JSON values reaches a notebook."""

from __future__ import annotations

import math
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.errors import DataError, UsageError
from toolkit.pipeline.execution import read_notebook
from toolkit.pipeline.parameters import check_json, check_parameters_cell, parse_settings, resolve_params
from toolkit.pipeline.secrets import Secrets
from toolkit.tests.pipeline.conftest import PARAMETERS, Project

NAMES = st.sampled_from(["number", "words", "größe", "_x1"])
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def injected(params: dict[str, Any]) -> dict[str, Any]:
    """Values that a notebook sees, from the cell that papermill would put into it."""
    from papermill.parameterize import parameterize_notebook

    notebook = nbformat.v4.new_notebook(metadata={"papermill": {}})
    notebook.cells = [nbformat.v4.new_code_cell("", metadata={"tags": ["parameters"]})]
    result = parameterize_notebook(notebook, params, kernel_name="python3", language="python")
    text = nbformat.writes(result)
    seen: dict[str, Any] = {}
    exec(nbformat.reads(text, as_version=4).cells[1].source, {}, seen)
    return seen


@settings(deadline=None)
@given(st.dictionaries(NAMES, VALUES, min_size=1))
def test_value_to_notebook_to_value_is_the_identity(params: dict[str, Any]) -> None:
    for name, value in params.items():
        check_json(value, name)
    seen = injected(params)
    assert seen == params
    assert repr(seen) == repr(params)  # 1 == 1.0 == True, and -0.0 == 0.0


@pytest.mark.parametrize(
    "value",
    [(1, 2), [(1,)], {1: "a"}, {"a": {1}}, b"x", math.nan, math.inf, [-math.inf], ..., 1j, "\ud800"],
    ids=repr,
)
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="JSON cannot hold"):
        check_json(value, "01_a.words")


def test_settings_are_json_or_else_text(project: Project) -> None:
    project.add("01_a")
    project.add("02_b")
    pipeline = project.pipeline()
    settings = ["number=3", '02.words=["x", "y"]', "01_a.words=007"]
    assert parse_settings(settings, pipeline, pipeline.names) == {
        "01_a": {"number": 3, "words": "007"},
        "02_b": {"number": 3, "words": ["x", "y"]},
    }


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("number", "sets nothing"),
        ("profile=paper", "Use --profile paper"),
        ("nummber=1", "no section has a parameter 'nummber'. Did you mean 'number'"),
        ("number=NaN", "NaN is not a value"),
        ("a;import os=1", "cannot be the name"),
        ("x=__import__('os').system('touch made')#=1", "no section has a parameter 'x'"),
        ("09.number=1", "no section '09'"),
    ],
)
def test_wrong_settings(project: Project, setting: str, message: str) -> None:
    project.add("01_a")
    with pytest.raises(UsageError, match=message):
        parse_settings([setting], project.pipeline(), ["01_a"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"nummber": 1}, "no parameter 'nummber'. Did you mean 'number'"),
        ({"number": "1"}, r"parameter 'number' \(a number\) is '1'"),
        ({"number": True}, "parameter 'number'"),
        ({"number": 1.0}, "parameter 'number'"),
        ({"number": -1}, "greater than or equal to 0"),
        ({"words": ["a", 1]}, r"parameter 'words.1'"),
        ({"a=__import__('os').system('touch made')#": 1}, "no parameter"),
    ],
)
def test_names_and_types_are_those_of_the_model(
    project: Project, values: dict[str, Any], message: str
) -> None:
    project.add("01_a")
    with pytest.raises(UsageError, match=message):
        resolve_params(project.pipeline(), "01_a", "smoke", {"01_a": values})


def test_a_key_is_no_parameter(project: Project) -> None:
    project.add("01_a")
    secrets = Secrets({"SERVICE_KEY": "sk-12345678"})
    overrides = {"01_a": {"words": ["a sk-12345678 b"]}}
    with pytest.raises(UsageError, match="environment variable SERVICE_KEY"):
        resolve_params(project.pipeline(), "01_a", "smoke", overrides, secrets)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (PARAMETERS + "\nmore: int = 1", "has more beyond the model"),
        (PARAMETERS.replace("seed: int = 0", "sead: int = 0"), "lacks seed and has sead beyond"),
        (PARAMETERS + "\nimport os", "more than parameters: `import os`"),
        (PARAMETERS + "\nx = 1", "more than parameters: `x = 1`"),
        ("seed: int =", "not valid Python"),
    ],
)
def test_the_parameters_cell_has_exactly_the_model_s_fields(
    project: Project, cell: str, message: str
) -> None:
    project.add("01_a")
    model = project.pipeline().section("01_a", "smoke").params_model()
    path = project.write_notebook("01_a", cell)
    with pytest.raises(DataError, match=message):
        check_parameters_cell(read_notebook(path), model, path)


def test_there_is_one_parameters_cell(project: Project) -> None:
    project.add("01_a")
    model = project.pipeline().section("01_a", "smoke").params_model()
    path = project.root / "notebooks" / "01_a.ipynb"
    notebook = read_notebook(path)
    check_parameters_cell(notebook, model, path)
    notebook.cells[1].metadata["tags"] = []
    with pytest.raises(DataError, match="0 cells are tagged 'parameters'"):
        check_parameters_cell(notebook, model, path)

"""Descriptions in the bank's format, and labels."""

from __future__ import annotations

import json
from typing import Any

import pytest

from toolkit.data import load_bank
from toolkit.errors import DataError
from toolkit.tasks.writing.files import load_labels, load_problems, save_labels, save_problems
from toolkit.tasks.writing.labels import Label, judge_label
from toolkit.tasks.writing.parsing import Reason, Unfit, parse_points
from toolkit.tasks.writing.replies import check_distributions, description_of, format_schema, rows_of


@pytest.fixture
def described() -> dict[str, Any]:
    """A problem with two categories as a model would write it."""
    first = next(problem for problem in load_bank() if len(problem.categories) == 2)
    return first.model_dump(mode="json", exclude={"id"})


def test_a_description_is_read_among_prose(described: dict[str, Any]) -> None:
    problem = description_of(f"Sure!\n```json\n{json.dumps(described)}\n```", "0007", 6, 2)
    assert problem.id == "0007" and problem.model_dump(mode="json", exclude={"id"}) == described


def test_every_problem_of_the_bank_passes() -> None:
    for problem in load_bank():
        check_distributions(problem)


def test_the_schema_names_what_the_format_has(described: dict[str, Any]) -> None:
    schema = format_schema()
    assert set(schema["properties"]) == set(schema["required"]) == set(described)
    feature = schema["properties"]["features"]["items"]
    assert set(feature["properties"]) == set(described["features"][0])
    assert "binary" in feature["properties"]["kind"]["enum"]


def change(described: dict[str, Any], **of_the_first_feature: Any) -> None:
    described["features"][0].update(of_the_first_feature)


CHANGES = {
    "a missing field": (lambda d: d.pop("question"), Reason.FIELD, "question"),
    "a field too many": (lambda d: d.update(remark="nice"), Reason.FIELD, "remark"),
    "an unknown kind": (lambda d: change(d, kind="bell"), Reason.FIELD, "features.0.kind"),
    "a negative sd": (lambda d: change(d, sds=[-1, 1]), Reason.FIELD, "features.0.sds.0"),
    "one mean": (lambda d: change(d, means=[3]), Reason.FIELD, "as many means"),
    "base rates": (lambda d: d.update(base_rates=[0.5, 0.6]), Reason.FIELD, "sum to 1.1"),
    "five features": (lambda d: d["features"].pop(), Reason.FIELD, "5 instead of 6"),
    "names": (lambda d: d.update(categories=["wolf", "Wolf."]), Reason.NAMES, "two categories"),
    "mean": (lambda d: change(d, means=[3, 99]), Reason.DEGENERATE, "mean 99 of coyote is outside"),
    "sd": (lambda d: change(d, sds=[0, 1]), Reason.DEGENERATE, "deviation of wolf is 0"),
    "sd beyond the range": (lambda d: change(d, sds=[2, 8]), Reason.DEGENERATE, "8 of coyote exceeds"),
    "endless range": (lambda d: change(d, range=[0, 1e99]), Reason.DEGENERATE, "endless"),
    "range": (lambda d: change(d, range=[5, 5]), Reason.DEGENERATE, "range 5 to 5 is empty"),
    "correlations": (
        lambda d: d.update(correlations=[[0, 1, 0.9], [1, 2, 0.9], [0, 2, -0.9]]),
        Reason.DEGENERATE,
        "contradict",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_descriptions_that_cannot_be_used(described: dict[str, Any], name: str) -> None:
    apply, reason, words = CHANGES[name]
    apply(described)
    with pytest.raises(Unfit, match=words) as caught:
        description_of(json.dumps(described), "1", 6, 2)
    assert caught.value.reason is reason


def test_categories_that_nothing_separates(described: dict[str, Any]) -> None:
    for feature in described["features"]:
        feature["means"], feature["sds"] = [feature["means"][0]] * 2, [feature["sds"][0]] * 2
    with pytest.raises(Unfit, match="no feature separates wolf from coyote"):
        description_of(json.dumps(described), "1", 6, 2)


@pytest.mark.parametrize("text", ["", "No.", '{"domain": ', '{"domain": NaN}', "}{", '{"a":' * 9999 + "}"])
def test_what_is_not_json(text: str) -> None:
    with pytest.raises(Unfit) as caught:
        description_of(text, "1", 6, 2)
    assert caught.value.reason is Reason.NOT_JSON


@pytest.mark.parametrize(
    ("features", "categories", "reason"),
    [
        (["size"], ["cat", "dog"], Reason.COLUMNS),
        (["size", "Size."], ["cat", "dog"], Reason.NAMES),
        (["size", "age"], ["cat", "Cat"], Reason.NAMES),
        (["size", "…"], ["cat", "dog"], Reason.NAMES),
        (["size", "a" * 61], ["cat", "dog"], Reason.NAMES),
    ],
)
def test_labels_that_cannot_be_used(features: list[str], categories: list[str], reason: Reason) -> None:
    with pytest.raises(Unfit) as caught:
        judge_label("1", features, categories, 2, 2)
    assert caught.value.reason is reason


def test_labels_are_the_same_in_any_order_and_spelling() -> None:
    one = judge_label("1", ["size", "fur length"], ["cat", "dog"], 2, 2)
    assert one.content == judge_label("2", ["Fur-length", "size"], ["Dog", "cat"], 2, 2).content
    assert one.content != judge_label("3", ["size", "fur length"], ["cat", "wolf"], 2, 2).content


def test_files_give_back_what_was_saved(tmp_path) -> None:
    label = Label("1", ("fur, if any", "größe"), ("cat", "dog"))
    save_labels(tmp_path / "labels.jsonl", [label])
    assert load_labels(tmp_path / "labels.jsonl") == [label]
    rows = rows_of("- 0.1, 2e-7, cat\n- 1, 3, dog\n- 5, -4, dog")
    problem = parse_points(rows, label.features, label.categories, name="1", least_points=2).problem
    save_problems(tmp_path / "problems.jsonl", [problem])
    (again,) = load_problems(tmp_path / "problems.jsonl")
    assert (again.id, again.features, again.categories) == ("1", label.features, label.categories)
    assert (again.x == problem.x).all() and (again.y == problem.y).all()


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([[1, 2, "cat"], [2, "big", "dog"]], "line 1, point 2: not a number \\(big\\)"),
        ([[1, 2, "cat"], [2, 3, "dgo"]], "point 2: label"),
        ([[1, 2, "cat"], [2, 3, "cat"]], "line 1: one class"),
        ("none", "line 1, points"),
    ],
)
def test_a_file_with_something_wrong_says_where(tmp_path, points: Any, words: str) -> None:
    line = {"id": "1", "features": ["a", "b"], "categories": ["cat", "dog"], "points": points}
    (tmp_path / "mine.jsonl").write_text(json.dumps(line))
    with pytest.raises(DataError, match=words):
        load_problems(tmp_path / "mine.jsonl")

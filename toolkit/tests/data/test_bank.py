"""The ecological bank."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from toolkit.data import load_bank
from toolkit.errors import DataError
from toolkit.paths import data_dir


@pytest.fixture(scope="module")
def line() -> dict:
    path = data_dir() / "ecological_tasks" / "bank.jsonl"
    return json.loads(path.read_text(encoding="utf-8").splitlines()[0])


def test_counts_are_those_of_the_card():
    bank = load_bank()
    assert Counter(len(problem.categories) for problem in bank) == {2: 631, 3: 79, 4: 40}
    assert len({problem.domain for problem in bank}) == 75
    assert all(len(problem.features) == 6 for problem in bank)
    card = (data_dir() / "ecological_tasks" / "README.md").read_text()
    assert "750 real-life" in card and "631 with two" in card


def test_correlation_matrices_are_positive_definite():
    for problem in load_bank():
        matrix = np.eye(len(problem.features))
        for i, j, r in problem.correlations:
            matrix[i, j] = matrix[j, i] = r
        assert np.linalg.eigvalsh(matrix).min() > 0, problem.id


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base_rates": [0.5, 0.6]}, "base_rates sum to 1.1"),
        ({"base_rates": [1.0]}, "base_rates"),
        ({"categories": ["wolf"]}, "field 'categories'"),
        ({"colour": "red"}, "field 'colour'.*[Ee]xtra"),
        ({"correlations": [[0, 6, 0.1]]}, "pair 0, 6 of 6 features"),
        ({"correlations": [[0, 1, 1.5]]}, r"field 'correlations\.0\.2'"),
        ({"question": None}, "field 'question'"),
        ({"categories": ["wolf", "wolf"]}, "have one name"),
    ],
)
def test_a_wrong_problem_is_an_error_with_file_line_and_field(tmp_path, line, change, message):
    (tmp_path / "bank.jsonl").write_text(
        json.dumps(line) + "\n\n" + json.dumps({**line, "id": "x", **change})
    )
    with pytest.raises(DataError, match=message) as caught:
        load_bank(tmp_path / "bank.jsonl")
    assert "bank.jsonl, line 3" in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("kind", "normal", r"features\.2\.kind"),
        ("sds", [1, -1], r"features\.2\.sds\.1"),
        ("means", [1], "features.2 .* needs as many means"),
        ("means", [41, 1e6], r"the mean 1e\+06 of coyote is outside its range"),
        ("range", [75, 6], "the range 75 to 6 is empty"),
    ],
)
def test_a_wrong_feature_is_named(tmp_path, line, field, value, message):
    features = [dict(feature) for feature in line["features"]]
    features[2][field] = value
    (tmp_path / "bank.jsonl").write_text(json.dumps({**line, "features": features}))
    with pytest.raises(DataError, match=message):
        load_bank(tmp_path / "bank.jsonl")


def test_what_is_no_bank_is_an_error(tmp_path, line):
    with pytest.raises(DataError, match="does not exist"):
        load_bank(tmp_path / "none.jsonl")
    (tmp_path / "bank.jsonl").write_text("{")
    with pytest.raises(DataError, match=r"line 1.*not a JSON object"):
        load_bank(tmp_path / "bank.jsonl")
    (tmp_path / "bank.jsonl").write_text(json.dumps(line) + "\n" + json.dumps(line))
    with pytest.raises(DataError, match="'animals-001' occurs twice"):
        load_bank(tmp_path / "bank.jsonl")
    (tmp_path / "bank.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"bank\.jsonl: not text in UTF-8"):
        load_bank(tmp_path / "bank.jsonl")

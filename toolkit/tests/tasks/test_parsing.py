"""The strict parser: every reason on replies that models really write."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.tasks.writing.harvest import Harvest, content_of, rejection_table, yield_table
from toolkit.tasks.writing.parsing import Parsed, Reason, Row, WrittenProblem, parse_points
from toolkit.tasks.writing.replies import rows_of

FEATURES, CATEGORIES = ("length", "weight"), ("pike", "carp")

GOOD = """\
1: 40, 1.2, pike
2: 35.5, 2.4, carp
3: 61, 2.2, pike
4: 38, 1.9, carp
5: 55, 3.0, pike
6: 42, 3.9, carp"""


def parse(text: str, least_points: int = 2, *, truncated: bool = False) -> Parsed:
    rows = rows_of(text, truncated=truncated)
    return parse_points(rows, FEATURES, CATEGORIES, name="fish", least_points=least_points)


def reasons(parsed: Parsed) -> list[tuple[int | None, Reason]]:
    return [(rejection.row, rejection.reason) for rejection in parsed.rejections]


def test_a_clean_reply_is_taken_as_it_is() -> None:
    problem, rejections, n_rows = parse(GOOD)
    assert problem is not None and not rejections and n_rows == 6
    assert problem.x[1].tolist() == [35.5, 2.4] and problem.y.tolist() == [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        ("7: 41, pike", Reason.COLUMNS, "2 instead of 3"),
        ("7: 1,200, 3.1, pike", Reason.COLUMNS, "4 instead of 3"),
        ("7: 41 3.1 pike", Reason.COLUMNS, "1 instead of 3"),
        ("7: 41 cm, 3.1, pike", Reason.NOT_A_NUMBER, "41 cm"),
        ("7: 41, 30%, pike", Reason.NOT_A_NUMBER, "30%"),
        ("7: 41, 3-4, pike", Reason.NOT_A_NUMBER, "3-4"),
        ("7: 41, 1_0, pike", Reason.NOT_A_NUMBER, "1_0"),
        ("7: 41, ٣, pike", Reason.NOT_A_NUMBER, "٣"),
        ("7: 41, , pike", Reason.NOT_A_NUMBER, ""),
        ("7: 41, nan, pike", Reason.NOT_FINITE, "nan"),
        ("7: -inf, 3, pike", Reason.NOT_FINITE, "-inf"),
        ("7: 41, 1e999, pike", Reason.NOT_FINITE, "1e999"),
        ("7: 41, 1e31, pike", Reason.NOT_FINITE, "1e31"),
        ("7: 41, 3.1, pikes", Reason.MISSPELT, "'pikes' is probably 'pike'"),
        ("7: 41, 3.1, cap", Reason.MISSPELT, "'cap' is probably 'carp'"),
        ("7: 41, 3.1, trout", Reason.UNKNOWN, "'trout' is none of pike, carp"),
        ("7: 41, 3.1, ", Reason.UNKNOWN, "'' is none of pike, carp"),
        ("9: 41, 3.1, pike", Reason.NUMBERING, "9 instead of 7"),
        ("6: 41, 3.1, pike", Reason.NUMBERING, "6 instead of 7"),
        ("7: 40.0, 1.20, Pike", Reason.DUPLICATE, "repeats row 1"),
    ],
)
def test_one_bad_row_is_dropped_with_its_reason(row: str, reason: Reason, detail: str) -> None:
    parsed = parse(f"{GOOD}\n{row}")
    (rejection,) = parsed.rejections
    assert (rejection.problem, rejection.row) == ("fish", 7)
    assert (rejection.reason, rejection.detail) == (reason, detail)
    assert parsed.problem is not None and len(parsed.problem.y) == 6


@pytest.mark.parametrize("label", ["PIKE", " pike.", '"pike"', "**Pi-ke**", "p i k e"])
def test_case_spaces_and_punctuation_of_labels_do_not_matter(label: str) -> None:
    parsed = parse(f"{GOOD}\n7: 41, 3.1, {label}")
    assert not parsed.rejections and parsed.problem.y[-1] == 0


def test_a_gap_costs_one_row_and_a_second_count_all_of_its_rows() -> None:
    assert reasons(parse(GOOD.replace("3:", "4:"))) == [(3, Reason.NUMBERING), (4, Reason.NUMBERING)]
    again = "\n".join(f"{i}: {60 + i * i}, {i}, carp" for i in (1, 2))
    assert reasons(parse(f"{GOOD}\n{again}")) == [(7, Reason.NUMBERING), (8, Reason.NUMBERING)]
    from_zero = "\n".join(f"{i}{line[1:]}" for i, line in enumerate(GOOD.splitlines()))
    assert not parse(from_zero).rejections


def test_the_same_values_in_the_other_category_are_another_case() -> None:
    assert not parse(f"{GOOD}\n7: 40, 1.2, carp").rejections


def test_the_row_in_which_a_reply_broke_off_is_not_guessed() -> None:
    assert reasons(parse(f"{GOOD}\n7: 41, 3.1, carp", truncated=True)) == [(7, Reason.CUT_OFF)]
    assert not parse(f"{GOOD}\n7: 41, 3.1, carp\n", truncated=True).rejections


PROBLEMS = {
    Reason.TOO_FEW: "1: 40, 1.2, pike",
    Reason.ONE_CLASS: GOOD.replace("carp", "pike"),
    Reason.DUPLICATES: "\n".join(line[3:] and f"- {line[3:]}" for line in [*GOOD.splitlines()] * 2),
    Reason.CONSTANT: "- 40, 7, pike\n- 35, 7, carp\n- 61, 7, pike",
    Reason.MECHANICAL: "\n".join(
        f"- {10 + i}, {0.1 + 0.2 * i}, {CATEGORIES[i * i % 3 == 1]}" for i in range(12)
    ),
}


@pytest.mark.parametrize("reason", PROBLEMS)
def test_what_is_no_problem(reason: Reason) -> None:
    parsed = parse(PROBLEMS[reason])
    assert parsed.problem is None
    assert (None, reason) in reasons(parsed)


def test_a_category_without_points() -> None:
    parsed = parse_points(rows_of(GOOD), FEATURES, (*CATEGORIES, "eel"), name="fish")
    assert (None, Reason.CLASS_MISSING) in reasons(parsed)


def test_steps_within_each_category_are_mechanical_too_but_one_feature_alone_is_not() -> None:
    up_and_down = [f"- {10 + i}, {i}, pike\n- {90 - i}, {50 - i}, carp" for i in range(6)]
    assert (None, Reason.MECHANICAL) in reasons(parse("\n".join(up_and_down)))
    index = [f"- {i}, {i * i % 7}, {CATEGORIES[i % 2]}" for i in range(12)]
    assert parse("\n".join(index)).problem is not None


def test_how_many_points_are_enough_can_be_said() -> None:
    assert parse(GOOD, 6).problem is not None
    (rejection,) = parse(GOOD, 7).rejections
    assert (rejection.reason, rejection.detail) == (Reason.TOO_FEW, "6 instead of 7")


def test_rows_are_found_among_prose_fences_and_headings() -> None:
    reply = (
        "Here are 5 cases, as measured:\n```csv\nlength, weight, fish\n1. 40, 1.2, pike\n2) 35, 2, carp\n"
        "- 61, 2.2, pike\n• -.5, +3e-1, carp\n12, 4, carp\n```\nI hope, dear friend, this helps. 3.5 is a number."
    )
    rows = rows_of(reply)
    assert [row.number for row in rows] == [1, 2, None, None, None]
    assert [row.fields[0] for row in rows] == ["40", "35", "61", "-.5", "12"]
    assert rows_of("No.") == []


finite = st.floats(-1e30, 1e30)
texts = st.one_of(
    finite.map(repr), st.sampled_from(["nan", "inf", "-Infinity", "1e999", "12 cm", "", "1_0"]), st.text()
)


@given(
    st.lists(st.tuples(texts, texts, st.one_of(st.sampled_from(["pike", "Carp ", "car"]), st.text()))),
    st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=30),
)
def test_nothing_is_accepted_that_is_not_finite_or_declared(
    points: list[tuple[str, str, str]], numbers: list[int | None]
) -> None:
    rows = [Row(point, number) for point, number in zip(points, numbers, strict=False)]
    parsed = parse_points(rows, FEATURES, CATEGORIES, name="any", least_points=2)
    dropped = [rejection.row for rejection in parsed.rejections if rejection.row is not None]
    assert len(dropped) == len(set(dropped))
    if parsed.problem is None:
        assert parsed.rejections[-1].row is None
    else:
        assert np.isfinite(parsed.problem.x).all() and set(parsed.problem.y) == {0, 1}
        assert len(parsed.problem.y) + len(dropped) == parsed.n_rows
        kept = [points[i] for i in range(parsed.n_rows) if i + 1 not in dropped]
        assert [tuple(row) for row in parsed.problem.x] == [(float(a), float(b)) for a, b, _ in kept]


points_of_a_problem = st.lists(st.tuples(finite, finite, st.integers(0, 1)), min_size=4, unique=True)


@given(points_of_a_problem)
def test_what_is_written_out_is_read_back(points: list[tuple[float, float, int]]) -> None:
    x, y = np.array([point[:2] for point in points]), np.array([point[2] for point in points])
    problem, rejections, n_rows = parse(WrittenProblem("again", FEATURES, CATEGORIES, x, y).as_text())
    assert n_rows == len(points)
    if problem is None:
        (rejection,) = rejections
        assert rejection.reason in {Reason.ONE_CLASS, Reason.CONSTANT, Reason.MECHANICAL}
    else:
        assert not rejections
        assert (problem.x == x).all() and (problem.y == y).all()


def test_the_same_content_under_other_names_is_kept_once() -> None:
    def problem(name: str, order: list[int], flip: bool) -> Parsed:
        x = np.array([[1.0, 2.0], [3.0, 5.0], [4.0, 1.0], [0.5, 9.0]])[order]
        y = np.array([0, 1, 1, 0])[order]
        return Parsed(WrittenProblem(name, ("a", "b"), ("c", "d"), x, 1 - y if flip else y), [], 4)

    first, other = problem("first", [0, 1, 2, 3], False), problem("second", [3, 1, 0, 2], True)
    assert content_of(first.problem) == content_of(other.problem)
    harvest = Harvest[WrittenProblem]("file")
    for name, parsed in (("first", first), ("second", other)):
        harvest.add_parsed(name, parsed)
    assert [one.id for one in harvest.kept] == ["first"]
    (row,) = rejection_table([harvest]).to_dict("records")
    assert (row["problem"], row["reason"], row["detail"]) == (
        "second",
        "same as another",
        "the same as first",
    )


def test_counts_add_up_in_the_table_of_yields() -> None:
    harvest = Harvest[WrittenProblem]("file")
    for number, text in enumerate(
        [GOOD, f"{GOOD}\n7: 1, 2, 3, pike\n8: 1 cm, 2, pike", PROBLEMS[Reason.TOO_FEW]]
    ):
        harvest.add_parsed(str(number), parse(text.replace("40", str(40 + number))))
    table = yield_table([harvest]).set_index(["unit", "outcome"])["count"]
    assert table["problem"].to_dict() == {"read": 3, "kept": 2, "too few points": 1}
    assert table["row"].to_dict() == {
        "read": 15,
        "kept": 12,
        "wrong number of columns": 1,
        "not a number": 1,
    }
    assert len(rejection_table([harvest])) == 3

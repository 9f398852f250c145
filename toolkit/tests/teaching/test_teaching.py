"""What is made of a lesson, and whether the check would notice that an exercise does not work."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from toolkit.cli import main
from toolkit.errors import DataError, UsageError
from toolkit.teaching import (
    NotYet,
    build,
    check_lesson,
    expect,
    expect_array,
    expect_close,
    find_lessons,
    in_words,
    read_lesson,
)

STUB = 'def double(x):\n    raise NotImplementedError("Return the number twice over.")'
MISTAKE = 'def double(x):\n    """Common mistake: a square."""\n    return x * x'
SOLUTION = "def double(x):\n    return 2 * x"
VISUAL = "double(1)\nfrom IPython.display import display\ndisplay({'image/svg+xml': '<svg></svg>'}, raw=True)"
CHECK = "expect_close(double(3), 6, 'Twice three', 'Add it to itself.')\npassed('Doubled.')"
PLAIN = {
    "exercise": STUB,
    "mistake": MISTAKE,
    "solution": SOLUTION,
    "visual-check": VISUAL,
    "self-check": CHECK,
}


def write_lesson(path: Path, *exercises: dict[str, str], setup: str = "") -> Path:
    """A lesson with exercises whose cells have these tags and sources."""
    imports = new_code_cell(f"from toolkit.teaching import expect_close, passed\n{setup}")
    tagged = [
        new_code_cell(source, metadata={"tags": [tag]})
        for cells in exercises
        for tag, source in cells.items()
    ]
    notebook = new_notebook(cells=[new_markdown_cell("# Doubling\n\nWords."), imports, *tagged])
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def lesson(home: Path) -> Path:
    """A project with one lesson."""
    return write_lesson(home / "notebooks" / "workshop" / "1_doubling.ipynb", PLAIN)


# -- words -------------------------------------------------------------------------------------


def test_a_wrong_number_is_named_with_its_place_and_what_it_should_be() -> None:
    with pytest.raises(NotYet, match=r"^The mean at \[1, 0\] is 3 and should be 2\.5\. A hint\.$"):
        expect_close([[1.0], [3.0]], [[1.0], [2.5]], "The mean", "A hint.")
    with pytest.raises(NotYet, match=r"shape \(3,\); \(1, 3\) is needed"):
        expect_close(np.zeros(3), np.zeros((1, 3)), "The mean")
    with pytest.raises(NotYet, match="The mean is missing: None came back"):
        expect_close(None, 1.0, "The mean")
    expect_close([np.nan, 1 + 1e-9], [np.nan, 1.0], "The mean")


def test_right_numbers_may_come_as_list_table_or_tensor() -> None:
    for numbers in ([[1, 2]], pd.DataFrame([[1, 2]]), torch.tensor([[1, 2]])):
        np.testing.assert_array_equal(expect_array(numbers, (1, 2), "The table"), [[1.0, 2.0]])
    for wrong in ("two", object(), torch.ones(1, requires_grad=True)):
        with pytest.raises(NotYet, match=rf"cannot be read as numbers.*{type(wrong).__name__}\. A hint\.$"):
            expect_array(wrong, (1,), "The table", "A hint.")


def test_what_the_toolkit_or_python_refuses_is_said_in_words() -> None:
    with pytest.raises(NotYet, match=r"^The model is empty\. Add to it\. A hint\.$"), in_words("A hint."):
        raise UsageError("The model is empty.", fix="Add to it.")
    with pytest.raises(NotYet, match=r"the line `for k in x`: expected ':'"), in_words():
        ast.parse("for k in x\n    pass")
    with pytest.raises(ValueError), in_words():
        int("one")  # What the student's own line does has a traceback to it.


def test_what_is_missing_is_said_without_a_traceback() -> None:
    with pytest.raises(NotYet) as caught:
        expect(np.array([True, False]), "The second is wrong.")
    assert caught.value._render_traceback_() == ["Not yet: The second is wrong."]


# -- sources and student versions --------------------------------------------------------------


def test_an_exercise_with_cells_missing_or_out_of_order_is_refused(tmp_path: Path) -> None:
    without = {tag: source for tag, source in PLAIN.items() if tag != "visual-check"}
    path = write_lesson(tmp_path / "1_a.ipynb", without)
    with pytest.raises(
        DataError, match=r"1_a\.ipynb, cell .*exercise, mistake, solution, self-check.*Their order"
    ):
        read_lesson(path)
    path = write_lesson(tmp_path / "2_b.ipynb", dict(reversed(PLAIN.items())))
    with pytest.raises(DataError, match="does not begin with an exercise"):
        read_lesson(path)


def test_a_mistyped_tag_is_named_before_students_get_what_it_should_hide(tmp_path: Path) -> None:
    mistyped = {("mistakes" if tag == "mistake" else tag): source for tag, source in PLAIN.items()}
    with pytest.raises(DataError, match=r"1_a\.ipynb, cell .*no tag 'mistakes'.*Did you mean 'mistake'"):
        read_lesson(write_lesson(tmp_path / "1_a.ipynb", mistyped))


@pytest.mark.parametrize("content", ["", "[]", "{", '{"metadata": {}, "nbformat": 4, "nbformat_minor": 5}'])
def test_a_broken_notebook_is_named_in_a_paragraph(lesson: Path, content: str) -> None:
    lesson.write_text(content)
    result = CliRunner().invoke(main, ["workshop", "build"])
    assert result.exit_code == 3 and "1_doubling.ipynb: not a notebook" in result.output.replace("\n", " ")


def test_a_folder_that_cannot_be_written_to_is_named(lesson: Path, tmp_path: Path) -> None:
    (tmp_path / "course").write_text("a file")
    with pytest.raises(UsageError, match=r"course.*nothing can be written here.*Name another --out"):
        build(find_lessons(), tmp_path / "course")


def test_student_versions_are_written_once_and_never_over_work(lesson: Path, home: Path) -> None:
    (built,) = build(find_lessons())
    assert built == home / "papermill_runs" / "workshop" / "1_doubling.ipynb"
    assert build(find_lessons()) == [built]  # The same text is no loss.
    written = built.read_text()
    built.write_text(written.replace("raise NotImplementedError", "return x + x  # "))
    with pytest.raises(UsageError, match="somebody may have worked in it"):
        build(find_lessons())
    assert "return x + x" in built.read_text()
    build(find_lessons(), fresh=True)
    assert built.read_text() == written


def test_student_versions_do_not_lie_beside_the_sources(lesson: Path) -> None:
    before = lesson.read_bytes()
    with pytest.raises(UsageError, match="cannot lie beside the sources"):
        build(find_lessons(), lesson.parent)
    assert lesson.read_bytes() == before


def test_lessons_are_found_by_number_and_a_wrong_one_gets_a_suggestion(lesson: Path) -> None:
    assert [one.path for one in find_lessons(("1",))] == [lesson]
    assert [one.path for one in find_lessons(("1_doubling",))] == [lesson]
    with pytest.raises(UsageError, match="no lesson '7'"):
        find_lessons(("7",))


def test_the_command_builds(lesson: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["workshop", "build", "--out", str(tmp_path / "course")])
    assert result.exit_code == 0, result.output
    students = (tmp_path / "course" / "1_doubling.ipynb").read_text()
    assert "Return the number twice over." in students and "return 2 * x" not in students


# -- the proof ---------------------------------------------------------------------------------


def test_a_lesson_that_works_passes_and_says_what_it_used(lesson: Path) -> None:
    checked = check_lesson(read_lesson(lesson))
    assert checked.works, (checked.problems, checked.tried)
    (tried,) = checked.tried
    assert tried.hint == "Return the number twice over." and (tried.n_caught, tried.n_mistakes) == (1, 1)
    assert checked.processor_seconds > 0.1 and checked.peak_memory_mb > 20


FAULTS = [
    ({"self-check": "passed('Anything will do.')"}, "with the stub the self-check says nothing"),
    ({"self-check": "missing_name"}, "with the stub the self-check says NameError"),
    ({"mistake": "def double(x):\n    return x + x"}, "the self-check says nothing"),
    ({"mistake": "def double(x):\n    return x + None"}, "the self-check says TypeError"),
    ({"solution": "def double(x):\n    return 3 * x"}, "the self-check says NotYet: Twice three is 9"),
    ({"visual-check": "double(1)"}, "the visual check shows no figure"),
]


def test_exercises_that_do_not_work_are_found_out(tmp_path: Path) -> None:
    exercises = [PLAIN | changed for changed, _ in FAULTS]
    checked = check_lesson(read_lesson(write_lesson(tmp_path / "1_a.ipynb", *exercises)))
    assert not checked.works
    for tried, (_, problem) in zip(checked.tried, FAULTS, strict=True):
        assert any(problem in said for said in tried.problems), tried


def test_the_command_ends_with_an_error_where_a_cell_raises(home: Path) -> None:
    write_lesson(home / "notebooks" / "workshop" / "1_a.ipynb", PLAIN, setup="1 / 0")
    result = CliRunner().invoke(main, ["workshop", "check"])
    assert result.exit_code == 4
    assert "raises ZeroDivisionError" in result.output and "1_a" in result.output

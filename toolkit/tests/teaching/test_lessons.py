"""The workshop's own notebooks: well-formed, readable, and one of them gone through as a student would."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

from toolkit.teaching import check_lesson, read_lesson, student_version
from toolkit.teaching.lessons import Exercise, Lesson
from toolkit.tests.test_notebook_style import FORBIDDEN

SOURCES = sorted((Path(__file__).resolve().parents[3] / "notebooks" / "workshop").glob("[0-9]*.ipynb"))
MOST_WORDS, MOST_KB = 900, 60
NOT_HERE = FORBIDDEN | {
    "a global random stream": re.compile(r"np\.random\.(?!Generator\b|default_rng\()|\brandom\.seed\b")
}


@pytest.fixture(params=SOURCES, ids=lambda path: path.stem)
def lesson(request: pytest.FixtureRequest) -> Lesson:
    return read_lesson(request.param)


def bound(source: str) -> set[str]:
    """Names that the top level of a cell defines or assigns."""
    names: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        else:
            names |= {
                one.id
                for one in ast.walk(node)
                if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
            }
    return names


def read_first(source: str) -> set[str]:
    """Names that a cell uses and does not bind itself."""
    loaded = {
        node.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    return loaded - bound(source)


def hint_of(exercise: Exercise) -> str:
    """The sentence of the stub's NotImplementedError."""
    raised = [node for node in ast.walk(ast.parse(exercise.stub.source)) if isinstance(node, ast.Raise)]
    (call,) = [node.exc for node in raised]
    assert isinstance(call, ast.Call) and ast.unparse(call.func) == "NotImplementedError"
    return ast.literal_eval(call.args[0])


def test_it_says_what_it_is_for(lesson: Lesson) -> None:
    prose = [cell.source for cell in lesson.notebook.cells if cell.cell_type == "markdown"]
    for said in ("?**", "You will be able to", "Minutes: "):
        assert said in prose[0]
    assert any("**A question to think about.**" in text for text in prose)
    assert "## What to take home" in prose[-1]
    assert sum(len(re.findall(r"\w[\w'’-]*", text)) for text in prose) <= MOST_WORDS


def test_the_file_is_small_valid_and_stripped(lesson: Lesson) -> None:
    nbformat.validate(lesson.notebook)
    assert lesson.path.stat().st_size <= MOST_KB * 1024
    code = [cell for cell in lesson.notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    for cell in code:
        for what, pattern in NOT_HERE.items():
            assert not pattern.search(cell.source), f"{what}: {cell.source}"


def test_every_stub_raises_a_hint_and_defines_what_its_solution_defines(lesson: Lesson) -> None:
    for exercise in lesson.exercises.values():
        assert len(hint_of(exercise).split()) >= 6
        for answer in (exercise.solution, *exercise.mistakes):
            assert bound(exercise.stub.source) == bound(answer.source)


def test_every_exercise_names_a_common_mistake(lesson: Lesson) -> None:
    for exercise in lesson.exercises.values():
        assert exercise.mistakes
        assert all("Common mistake: " in mistake.source for mistake in exercise.mistakes)


def test_self_checks_stand_alone_and_say_that_they_passed(lesson: Lesson) -> None:
    for exercise in lesson.exercises.values():
        check = exercise.self_check.source
        last = ast.parse(check).body[-1]
        assert "expect(" in check and ast.unparse(last).startswith("passed(")
        # With a stub the visual check fails, and what it would have defined is not there.
        elsewhere = set().union(
            *(
                bound(cell.source)
                for cell in lesson.notebook.cells
                if cell.cell_type == "code" and cell.id != exercise.visual_check.id
            )
        )
        assert not (read_first(check) & bound(exercise.visual_check.source)) - elsewhere


def test_students_get_neither_solutions_nor_mistakes(lesson: Lesson) -> None:
    text = nbformat.writes(student_version(lesson))
    students = {cell.source for cell in nbformat.reads(text, as_version=4).cells}
    for exercise in lesson.exercises.values():
        assert {exercise.stub.source, exercise.visual_check.source, exercise.self_check.source} <= students
        assert not {exercise.solution.source, *(cell.source for cell in exercise.mistakes)} & students
    assert "Common mistake: " not in text


@pytest.mark.slow
def test_the_first_lesson_works_as_students_meet_it() -> None:
    lesson = read_lesson(SOURCES[0])
    checked = check_lesson(lesson)
    assert checked.works, (checked.problems, checked.tried)
    assert [one.exercise for one in checked.tried] == list(range(1, len(lesson.exercises) + 1))
    assert all(one.hint and one.n_caught == one.n_mistakes for one in checked.tried)

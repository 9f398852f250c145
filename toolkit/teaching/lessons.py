"""Source notebooks of the workshop: which cells are exercise, mistakes, solution and checks."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import DataError, UsageError, did_you_mean
from toolkit.paths import notebooks_dir
from toolkit.pipeline.execution import read_notebook

if TYPE_CHECKING:
    from nbformat import NotebookNode

STUB, MISTAKE, SOLUTION, VISUAL_CHECK, SELF_CHECK = (
    "exercise",
    "mistake",
    "solution",
    "visual-check",
    "self-check",
)
TAGS = (STUB, MISTAKE, SOLUTION, VISUAL_CHECK, SELF_CHECK)
"""Tags of an exercise's code cells, in their order; only mistakes can be several, or none."""


@dataclass(frozen=True)
class Exercise:
    """The code cells of one exercise.

    Attributes
    ----------
    stub
        What the student begins with: it raises NotImplementedError with a hint when it is called.
    mistakes
        Wrong answers that the self-check has to tell from a right one.
    solution
        A right answer.
    visual_check
        Draws what the answer does.
    self_check
        Says in words what is wrong with an answer.
    """

    stub: NotebookNode
    mistakes: tuple[NotebookNode, ...]
    solution: NotebookNode
    visual_check: NotebookNode
    self_check: NotebookNode


@dataclass(frozen=True)
class Lesson:
    """A source notebook.

    Attributes
    ----------
    exercises
        By the id of their stub's cell, in order.
    """

    path: Path
    notebook: NotebookNode
    exercises: dict[str, Exercise]

    @property
    def name(self) -> str:
        """Name of the file without its ending."""
        return self.path.stem


def workshop_dir() -> Path:
    """Folder of the source notebooks."""
    return notebooks_dir() / "workshop"


def find_lessons(only: tuple[str, ...] = ()) -> list[Lesson]:
    """The workshop's lessons in order, or those whose number or name is asked for."""
    paths = sorted(workshop_dir().glob("[0-9]*.ipynb"))
    if not paths:
        raise UsageError(
            "there are no source notebooks.", where=str(workshop_dir()), fix="Use a whole checkout."
        )
    wanted = [_find(one, paths) for one in only]
    return [read_lesson(path) for path in paths if not only or path in wanted]


def read_lesson(path: Path) -> Lesson:
    """A source notebook, if its exercises are whole and in order."""
    notebook = read_notebook(path)
    cells = [(cell, _tag(cell, path)) for cell in notebook.cells]
    tagged = [(cell, tag) for cell, tag in cells if tag]
    starts = [place for place, (_, tag) in enumerate(tagged) if tag == STUB]
    if not starts or starts[0] != 0:
        raise DataError(
            "the notebook does not begin with an exercise.", where=str(path), fix=f"Tag a cell '{STUB}'."
        )
    ends = [*starts[1:], len(tagged)]
    exercises = [_exercise(tagged[start:end], path) for start, end in zip(starts, ends, strict=True)]
    return Lesson(path, notebook, {exercise.stub.id: exercise for exercise in exercises})


def _find(asked: str, paths: list[Path]) -> Path:
    for path in paths:
        if path.stem == asked or path.stem.partition("_")[0].lstrip("0") == asked.lstrip("0"):
            return path
    raise UsageError(
        f"there is no lesson '{asked}'.", where="workshop", fix=did_you_mean(asked, [p.stem for p in paths])
    )


def _tag(cell: NotebookNode, path: Path) -> str:
    tags = cell.metadata.get("tags", [])
    for tag in tags:
        # Students would get a solution or a mistake whose tag is not one.
        if tag not in TAGS and difflib.get_close_matches(tag, TAGS, n=1):
            raise DataError(
                f"there is no tag '{tag}'.", where=f"{path}, cell {cell.id}", fix=did_you_mean(tag, TAGS)
            )
    return next((tag for tag in tags if tag in TAGS), "")


def _exercise(tagged: list[tuple[NotebookNode, str]], path: Path) -> Exercise:
    tags = [tag for _, tag in tagged]
    mistakes = tuple(cell for cell, tag in tagged if tag == MISTAKE)
    if tags != [STUB, *[MISTAKE] * len(mistakes), SOLUTION, VISUAL_CHECK, SELF_CHECK]:
        raise DataError(
            f"the exercise's cells are {', '.join(tags)}.",
            where=f"{path}, cell {tagged[0][0].id}",
            fix=f"Their order is {', '.join(TAGS)}; mistakes can be several, or none.",
        )
    solution, visual_check, self_check = (cell for cell, _ in tagged[-3:])
    return Exercise(tagged[0][0], mistakes, solution, visual_check, self_check)

"""Proof that a lesson works: its stubs fail in words, mistakes are caught, and solutions pass."""

from __future__ import annotations

import copy
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.pipeline.kernel import kernel_environment, kernel_manager_class, socket_folder
from toolkit.pipeline.locks import this_process
from toolkit.pipeline.supervisor import Supervisor
from toolkit.teaching.building import student_version
from toolkit.teaching.lessons import Exercise, Lesson

if TYPE_CHECKING:
    from nbformat import NotebookNode

LESSON_DEADLINE_S = 900
MOST_MB, MOST_PROCESSOR_SECONDS = 1500, 120
"""What a lesson may use: five of them then stay below ten minutes."""

FIGURES = ("application/vnd.plotly.v1+json", "image/png", "image/svg+xml")
"""What a visual check has to show one of."""


@dataclass(frozen=True)
class Tried:
    """One exercise as a student meets it.

    Attributes
    ----------
    exercise
        Its number in the lesson, from 1.
    hint
        What the self-check says of the stub.
    n_caught, n_mistakes
        Common mistakes that the self-check found, of how many.
    problems
        What is wrong with the exercise itself; none if it works.
    seconds
        Of the stub, mistakes, solution and checks together.
    """

    lesson: str
    exercise: int
    hint: str
    n_caught: int
    n_mistakes: int
    problems: tuple[str, ...]
    seconds: float


@dataclass
class Checked:
    """A lesson that was gone through cell by cell.

    Attributes
    ----------
    problems
        What is wrong outside of exercises, for instance a cell that raises.
    processor_seconds, peak_memory_mb
        Of its kernel and all processes that this started.
    """

    lesson: str
    tried: list[Tried] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0
    processor_seconds: float = 0.0
    peak_memory_mb: float = 0.0

    @property
    def works(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems and not any(one.problems for one in self.tried)


def check_lesson(lesson: Lesson, report: Callable[[Tried], None] = lambda tried: None) -> Checked:
    """Go through the student version in a fresh kernel, as a student does who errs before succeeding.

    At every exercise the stub is run, then each common mistake, and the self-check has to say in words what
    is wrong; then the solution takes the stub's place, and the checks have to pass.

    Parameters
    ----------
    report
        Called after every exercise.
    """
    checked, began = Checked(lesson.name), time.perf_counter()
    notebook = student_version(lesson)
    with _kernel(checked) as run:
        exercise: Exercise | None = None
        for cell in notebook.cells:
            if exercise is not None and cell.id in (exercise.visual_check.id, exercise.self_check.id):
                continue
            if cell.id in lesson.exercises:
                exercise = lesson.exercises[cell.id]
                tried = _try(exercise, len(checked.tried) + 1, lesson.name, run)
                checked.tried.append(tried)
                report(tried)
            elif said := _error(run(cell)):
                checked.problems.append(f"cell {cell.id} raises {said}")
                break
    checked.seconds = time.perf_counter() - began
    checked.problems += _too_much(checked)
    return checked


Run = Callable[["NotebookNode"], "NotebookNode"]


def _try(exercise: Exercise, number: int, lesson: str, run: Run) -> Tried:
    began, problems = time.perf_counter(), []
    if said := _error(run(exercise.stub)):
        problems.append(f"the stub itself raises {said}")
    if "NotImplementedError" not in (said := _error(run(exercise.visual_check))):
        problems.append(f"with the stub the visual check raises {said or 'nothing'}")
    hint = _error(run(exercise.self_check))
    if not _in_words(hint):
        problems.append(f"with the stub the self-check says {hint or 'nothing'}")
    caught = 0
    for mistake in exercise.mistakes:
        said = _error(run(mistake)) or _error(run(exercise.self_check))
        caught += said.startswith("NotYet: ")
        if not said.startswith("NotYet: "):
            problems.append(f"after the mistake in cell {mistake.id} the self-check says {said or 'nothing'}")
    if said := _error(run(exercise.solution)):
        problems.append(f"the solution raises {said}")
    shown = run(exercise.visual_check)
    if said := _error(shown):
        problems.append(f"with the solution the visual check raises {said}")
    elif not _shows_figure(shown):
        problems.append("the visual check shows no figure")
    if said := _error(run(exercise.self_check)):
        problems.append(f"with the solution the self-check says {said}")
    return Tried(
        lesson,
        number,
        hint.partition(": ")[2],
        caught,
        len(exercise.mistakes),
        tuple(problems),
        time.perf_counter() - began,
    )


def _error(cell: NotebookNode) -> str:
    """Name and message of what the cell raised, or ""."""
    return next(
        (
            f"{output['ename']}: {output['evalue']}"
            for output in cell.outputs
            if output["output_type"] == "error"
        ),
        "",
    )


def _in_words(said: str) -> bool:
    """Whether a stub's failure is a hint and not an accident."""
    kind, _, words = said.partition(": ")
    return kind in ("NotImplementedError", "NotYet") and len(words.split()) >= 4


def _shows_figure(cell: NotebookNode) -> bool:
    return any(kind in output.get("data", {}) for output in cell.outputs for kind in FIGURES)


def _too_much(checked: Checked) -> list[str]:
    problems = []
    if checked.peak_memory_mb > MOST_MB:
        problems.append(f"it takes {checked.peak_memory_mb:.0f} MB; {MOST_MB} are allowed")
    if checked.processor_seconds > MOST_PROCESSOR_SECONDS:
        problems.append(
            f"it takes {checked.processor_seconds:.0f} processor seconds; {MOST_PROCESSOR_SECONDS} are allowed"
        )
    return problems


@contextmanager
def _kernel(checked: Checked) -> Iterator[Run]:
    """Runs cells in a kernel of this interpreter, in an empty folder; notes what it used."""
    from nbclient import NotebookClient
    from nbclient.exceptions import DeadKernelError
    from nbformat.v4 import new_code_cell, new_notebook

    with (
        tempfile.TemporaryDirectory() as folder,
        socket_folder() as sockets,
        Path(folder, "log").open("w") as log,
    ):
        watching = Supervisor(Path(folder), this_process(), section_deadline_s=LESSON_DEADLINE_S)
        manager = kernel_manager_class(sockets, kernel_environment({}), log.fileno(), watching.attach)
        client = NotebookClient(
            new_notebook(cells=[new_code_cell()]),
            allow_errors=True,
            timeout=LESSON_DEADLINE_S,
            kernel_manager_class=manager,
            resources={"metadata": {"path": folder}},
        )
        ran = 0

        def run(cell: NotebookNode) -> NotebookNode:
            nonlocal ran
            cell = copy.deepcopy(cell)
            if cell.cell_type == "code" and cell.source.strip():
                ran += 1
                watching.begin_cell(ran, cell.source)
                client.execute_cell(cell, 0)
            else:
                cell.outputs = []
            return cell

        watching.start()
        try:
            with client.setup_kernel():
                yield run
                checked.processor_seconds = _processor_seconds(client.km.provisioner.process.pid)
        except DeadKernelError:
            stopped = watching.stopped
            checked.problems.append(stopped.reason if stopped else "the kernel died")
        finally:
            watching.finish()
            checked.peak_memory_mb = watching.peak_memory_mb or 0.0


def _processor_seconds(pid: int) -> float:
    """Of a process, its children that live, and those that have ended."""
    import psutil

    kernel = psutil.Process(pid)
    total = 0.0
    for process in [kernel, *kernel.children(recursive=True)]:
        try:
            times: Any = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total

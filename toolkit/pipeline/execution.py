"""One notebook through papermill: executed in memory, watched, its log written live."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.paths import project_root
from toolkit.pipeline.kernel import kernel_environment, kernel_manager_class, socket_folder
from toolkit.pipeline.runlog import Drain, RunLog
from toolkit.pipeline.supervisor import Stop, Supervisor

if TYPE_CHECKING:
    from nbformat import NotebookNode

_ENGINE = "toolkit"
_START_TIMEOUT_S = 120
_IOPUB_TIMEOUT_S = 60


@dataclass
class Outcome:
    """How an execution ended; whether it *succeeded* is judged from more than this.

    Attributes
    ----------
    notebook
        The notebook with the outputs there are.
    error
        What papermill raised, or None.
    stopped
        Why it was stopped from outside, or None.
    kernel_exit
        Exit code of a kernel that died, negative for a signal; None if it lived to the end.
    cell, cell_text, cells
        The last code cell begun, its first line, and how many there are.
    cell_seconds
        Seconds of each code cell.
    """

    notebook: NotebookNode
    error: Exception | None = None
    stopped: Stop | None = None
    kernel_exit: int | None = None
    cell: int = 0
    cell_text: str = ""
    cells: int = 0
    cell_seconds: list[float] = field(default_factory=list)
    peak_memory_mb: float | None = None


def read_notebook(path: Path) -> NotebookNode:
    """A notebook file; an absent or broken one is an error that names it."""
    import nbformat

    from toolkit.errors import DataError

    if not path.is_file():
        raise DataError(
            "the notebook is missing.", where=str(path), fix="Restore it, or run its section again."
        )
    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        raise DataError(
            f"not a notebook ({str(error).rstrip('.')}).",
            where=str(path),
            fix="Save it again from JupyterLab, or take it from git.",
        ) from error


def execute(
    notebook: NotebookNode,
    params: dict[str, Any],
    *,
    supervisor: Supervisor,
    log: RunLog,
    environment: dict[str, str],
    cell_deadline_s: int,
) -> Outcome:
    """Run all cells with these parameters in a kernel of this interpreter.

    The notebook stays in memory, so that nothing is on disk before secrets are taken out. No
    exception of the notebook leaves this function.
    """
    clock = _CellClock(supervisor, log)
    outcome = Outcome(notebook)
    engine = _register_engine(lambda running: _begin(running, outcome, supervisor))
    with socket_folder() as sockets:
        drain = Drain(log)
        manager = kernel_manager_class(
            sockets, kernel_environment(environment), drain.write_end, supervisor.attach
        )
        drain.start()
        try:
            outcome.notebook = _papermill(notebook, params, engine, manager, clock, log, cell_deadline_s)
        except Exception as error:
            outcome.error = error
        outcome.stopped = supervisor.stopped
        kernel_exit = supervisor.finish()
        drain.close()
    join_streams(outcome.notebook)
    outcome.kernel_exit = kernel_exit if outcome.error is not None else None
    outcome.cell, outcome.cell_text, outcome.cells = supervisor.cell, supervisor.cell_text, supervisor.cells
    outcome.cell_seconds = clock.seconds()
    outcome.peak_memory_mb = supervisor.peak_memory_mb
    return outcome


def _papermill(
    notebook: NotebookNode,
    params: dict[str, Any],
    engine: str,
    manager: type,
    clock: _CellClock,
    log: RunLog,
    cell_deadline_s: int,
) -> NotebookNode:
    import papermill

    # papermill writes every output of a kernel that cannot be reached as a warning to the terminal.
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    return papermill.execute_notebook(
        notebook,
        None,
        parameters=params,
        engine_name=engine,
        kernel_name="python3",
        language="python",
        progress_bar=False,
        request_save_on_cell_execute=False,
        start_timeout=_START_TIMEOUT_S,
        cwd=project_root(),
        stdout_file=log,
        stderr_file=log,
        kernel_manager_class=manager,
        execution_timeout=cell_deadline_s,
        iopub_timeout=_IOPUB_TIMEOUT_S,
        on_cell_execute=clock.begin,
        on_cell_executed=clock.end,
    )


def _register_engine(on_begin: Callable[[NotebookNode], None]) -> str:
    """papermill's engine that tells which notebook it works on: after a failure it gives none back."""
    from papermill.engines import NBClientEngine, papermill_engines

    class Engine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, manager: Any, kernel_name: str, **options: Any) -> Any:
            on_begin(manager.nb)
            return super().execute_managed_notebook(manager, kernel_name, **options)

    papermill_engines.register(_ENGINE, Engine)
    return _ENGINE


def _begin(running: NotebookNode, outcome: Outcome, supervisor: Supervisor) -> None:
    outcome.notebook = running
    supervisor.cells = len(code_cells(running))


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Code cells that have something to run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def join_streams(notebook: NotebookNode) -> None:
    """Make one output of text that a cell printed in pieces, so that no secret stays cut in two."""
    for cell in notebook.cells:
        joined: list[NotebookNode] = []
        for output in cell.get("outputs", []):
            before = joined[-1] if joined else {}
            if output.output_type == before.get("output_type") == "stream" and output.name == before["name"]:
                before["text"] += output.text
            else:
                joined.append(output)
        if joined:
            cell.outputs = joined


class _CellClock:
    """Notes when each code cell begins and ends."""

    def __init__(self, supervisor: Supervisor, log: RunLog) -> None:
        self._supervisor, self._log = supervisor, log
        self._spans: list[list[float]] = []

    def begin(self, cell: NotebookNode, cell_index: int) -> None:
        self._supervisor.begin_cell(len(self._spans) + 1, cell.source)
        self._spans.append([time.perf_counter(), 0.0])
        place = f"[cell {self._supervisor.cell}/{self._supervisor.cells}]"
        self._log.note(f"{place} {self._supervisor.cell_text}")

    def end(self, cell: NotebookNode, cell_index: int, execute_reply: Any) -> None:
        self._spans[-1][1] = time.perf_counter()

    def seconds(self) -> list[float]:
        """Seconds of each cell begun; a cell that did not end counts up to now."""
        now = time.perf_counter()
        return [round((ended or now) - begun, 3) for begun, ended in self._spans]

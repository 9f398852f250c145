"""Student versions: stubs instead of solutions, no outputs, and never over a student's work."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit import io
from toolkit.errors import UsageError
from toolkit.paths import runs_dir
from toolkit.teaching.badges import badges_of
from toolkit.teaching.hosting import Host, binder_files, set_up_source
from toolkit.teaching.lessons import MISTAKE, SOLUTION, Lesson, workshop_dir

if TYPE_CHECKING:
    from nbformat import NotebookNode


def default_out() -> Path:
    """Where student versions go unless another folder is named."""
    return runs_dir() / "workshop"


def build(
    lessons: list[Lesson], out: str | Path | None = None, *, host: Host | None = None, fresh: bool = False
) -> list[Path]:
    """Write the student version of every lesson, and what Binder needs where a host is known.

    Parameters
    ----------
    out
        Folder; never the one of the sources, which students must not get.
    host
        Where the folder will be published; notebooks then have badges and install the toolkit on Colab.
    fresh
        Replace notebooks that are there and say something else. Otherwise they are an error: somebody
        may have worked in them.
    """
    import nbformat

    folder = default_out() if out is None else Path(out)
    if folder.resolve() == workshop_dir().resolve():
        raise UsageError(
            "student versions cannot lie beside the sources.", where=str(folder), fix="Name another --out."
        )
    texts = {
        folder / lesson.path.name: nbformat.writes(student_version(lesson, host)) + "\n" for lesson in lessons
    }
    for path, text in texts.items():
        if not fresh and path.is_file() and path.read_text(encoding="utf-8") != text:
            raise UsageError(
                "this notebook is there already and somebody may have worked in it.",
                where=str(path),
                fix="Name another --out, or replace it: --fresh.",
            )
    texts |= {folder / name: text for name, text in (binder_files(host) if host else {}).items()}
    for path, text in texts.items():
        _write(path, text)
    return list(texts)


def student_version(lesson: Lesson, host: Host | None = None) -> NotebookNode:
    """What a student begins with: everything but solutions, common mistakes and outputs.

    Parameters
    ----------
    host
        Where it will be published: badges come under the title, and a cell after it that installs the toolkit.
    """
    import nbformat

    notebook = copy.deepcopy(lesson.notebook)
    notebook.metadata.pop("widgets", None)
    hidden = {SOLUTION, MISTAKE}
    notebook.cells = [cell for cell in notebook.cells if not hidden & set(cell.metadata.get("tags", []))]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    if host:
        title, _, rest = notebook.cells[0].source.partition("\n")
        notebook.cells[0].source = f"{title}\n\n{badges_of(lesson.name, host)}\n{rest}"
        notebook.cells.insert(1, nbformat.v4.new_code_cell(set_up_source(host), id="set-up"))
    return notebook


def _write(path: Path, text: str) -> None:
    try:
        io.write_text(path, text)
    except OSError as error:
        raise UsageError(
            f"nothing can be written here: {error.strerror or error}.",
            where=str(path),
            fix="Name another --out.",
        ) from error

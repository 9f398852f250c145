"""Seconds that our runner adds to a section, over papermill's own on the same notebook."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pydantic import Field

from toolkit.bench.core import Row, median_seconds
from toolkit.errors import SectionError
from toolkit.sections import SectionParams

ALLOWED_S = 3.0
REPEATS = 5

_PACKAGE_HOME = Path(__file__).resolve().parents[2]

SECTION = "00_points"

_CELLS = [
    'profile: str = "workshop"\nseed: int = 0\nn_points: int = 200',
    "import toolkit\nfrom toolkit.bench.pipeline import DrawPoints",
    f'run = toolkit.start_section("{SECTION}", model=DrawPoints, profile=profile, seed=seed, n_points=n_points)',
    'run.save("points", {"x": run.seeds.numpy("points").normal(size=n_points)})',
    'run.finish("Points were drawn.")',
]

_PLAIN = """
import sys, papermill
source, target = sys.argv[1:]
papermill.execute_notebook(source, target, {"profile": "smoke", "n_points": 300}, progress_bar=False)
"""


class DrawPoints(SectionParams):
    """Parameters of the notebook that is timed."""

    n_points: int = Field(200, ge=1, description="points drawn")


def rows() -> list[Row]:
    """One row: a notebook of five short cells, each time in a fresh process."""
    with tempfile.TemporaryDirectory(prefix="toolkit-bench-") as folder:
        project = _Project(Path(folder))
        seconds, reference_seconds = median_seconds(project.ours, project.papermill, repeats=REPEATS)
        same = project.artifact(project.run_folder()) == project.artifact(project.root / "plain")
    overhead = seconds - reference_seconds
    return [
        Row(
            what="overhead per section",
            ours_s=seconds,
            reference_s=reference_seconds,
            goal=f"≤ {ALLOWED_S:g} s over papermill",
            same_result=same,
            met=overhead <= ALLOWED_S,
            note=f"{overhead:+.2f} s over papermill's own, start of Python included",
        )
    ]


class _Project:
    """The same notebook, ready for both ways."""

    def __init__(self, root: Path) -> None:
        self.root, self.notebook = root, root / "notebooks" / f"{SECTION}.ipynb"
        self.notebook.parent.mkdir()
        _write_notebook(self.notebook)
        section = {
            "name": SECTION,
            "notebook": self.notebook.name,
            "params": "toolkit.bench.pipeline:DrawPoints",
            "profiles": {"smoke": {"params": {"n_points": 300}}},
        }
        (self.notebook.parent / "pipeline.yaml").write_text(json.dumps({"sections": [section]}))
        self.environment = {
            **os.environ,
            "TOOLKIT_HOME": str(root),
            "TOOLKIT_RUNS": str(root / "runs"),
            "TOOLKIT_FIGURES": str(root / "figures"),
            "PYTHONPATH": os.pathsep.join([str(_PACKAGE_HOME), os.environ.get("PYTHONPATH", "")]),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        run = {
            "run_id": "20260101-000000-00000000",
            "profile": "smoke",
            "pipeline": "notebooks/pipeline.yaml",
            "created": "2026-01-01 00:00:00",
        }
        self._run_id = run["run_id"]
        self.run_folder().parent.mkdir(parents=True)
        (root / "runs" / run["run_id"] / "run.json").write_text(json.dumps(run))

    def run_folder(self) -> Path:
        """Where our runner publishes the section."""
        return self.root / "runs" / self._run_id / SECTION

    def ours(self) -> None:
        """`toolkit run-section`, nothing being fresh."""
        shutil.rmtree(self.run_folder(), ignore_errors=True)
        self._call("-m", "toolkit", "run-section", SECTION, "--run", self._run_id)

    def papermill(self) -> None:
        """papermill alone, the notebook writing to a folder as it does under our runner."""
        plain = self.root / "plain"
        shutil.rmtree(plain, ignore_errors=True)
        plain.mkdir()
        self._call(
            "-c",
            _PLAIN,
            str(self.notebook),
            str(plain / "executed.ipynb"),
            TOOLKIT_SECTION_FOLDER=str(plain),
            TOOLKIT_RUN_FOLDER=str(self.root),
        )

    def artifact(self, folder: Path) -> bytes:
        """Bytes of what the notebook saved."""
        return (folder / "artifacts" / "points.safetensors").read_bytes()

    def _call(self, *arguments: str, **environment: str) -> None:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise SectionError(done.stderr.strip()[-2000:], where="benchmark pipeline")


def _write_notebook(path: Path) -> None:
    import nbformat

    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in _CELLS]
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)

"""A small project of its own for every test: tiny notebooks, a pipeline file, a module of parameters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from toolkit.manifest import Manifest, read_manifest
from toolkit.pipeline.plan import Pipeline, load_pipeline
from toolkit.pipeline.runs import Run, create_run, open_run

REPOSITORY = Path(__file__).resolve().parents[3]
CANARY = 'sk-canary-4f1d9b-ünsafe"7'

MODELS = '''
from pydantic import Field
from toolkit.sections import SectionParams

class Tiny(SectionParams):
    """Parameters of the test sections."""

    number: int = Field(1, ge=0, description="a number")
    words: list[str] = Field(["a"], description="some words")
'''

PARAMETERS = """profile: str = "workshop"  # how much to compute
seed: int = 0  # root of all random streams
number: int = 1  # a number
words: list = ["a"]  # some words"""

START = """import toolkit
from tiny_models import Tiny
run = toolkit.start_section("{name}", model=Tiny, profile=profile, seed=seed, number=number, words=words)"""

SAVE = 'run.save("numbers", {"number": number})'
FINISH = 'run.finish("done")'


class Project:
    """A project folder with helpers to write, run and look at sections."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sections: list[dict[str, Any]] = []
        (root / "notebooks").mkdir(parents=True)
        (root / "modules").mkdir()
        (root / "modules" / "tiny_models.py").write_text(MODELS)

    @property
    def environment(self) -> dict[str, str]:
        places = {"TOOLKIT_HOME": "", "TOOLKIT_RUNS": "runs", "TOOLKIT_FIGURES": "figures"}
        paths = os.pathsep.join([str(self.root / "modules"), str(REPOSITORY)])
        return {
            **os.environ,
            **{name: str(self.root / place) for name, place in places.items()},
            "PYTHONPATH": paths,
        }

    @property
    def pipeline_file(self) -> Path:
        return self.root / "notebooks" / "pipeline.yaml"

    def add(
        self, name: str, *cells: str, finish: bool = True, save: bool = True, before: str = "", **fields: Any
    ) -> None:
        """A section whose notebook runs ``before``, its start, ``cells``, and its end.

        What fails in ``before`` is quick: the toolkit need not be imported.
        """
        body = [*[before] * bool(before), START.format(name=name), *cells, *[SAVE] * save, *[FINISH] * finish]
        self.write_notebook(name, PARAMETERS, *body)
        section = {"name": name, "notebook": f"{name}.ipynb", "params": "tiny_models:Tiny", **fields}
        others = {other["name"]: other for other in self.sections}
        self.sections = list({**others, name: section}.values())
        self.write_pipeline()

    def write_notebook(self, name: str, parameters: str, *cells: str) -> Path:
        notebook = nbformat.v4.new_notebook(
            metadata={"kernelspec": {"name": "no-such-kernel", "display_name": "x"}}
        )
        first = nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})
        title = nbformat.v4.new_markdown_cell(f"# {name}")
        notebook.cells = [title, first, *[nbformat.v4.new_code_cell(cell) for cell in cells]]
        path = self.root / "notebooks" / f"{name}.ipynb"
        nbformat.write(notebook, path)
        return path

    def write_pipeline(self, **fields: Any) -> None:
        # JSON is YAML.
        self.pipeline_file.write_text(json.dumps({"sections": self.sections, **fields}))

    def pipeline(self) -> Pipeline:
        return load_pipeline(self.pipeline_file)

    def run(self, overrides: dict[str, dict[str, Any]] | None = None, profile: str = "smoke") -> Run:
        """The run that is continued, made if there is none."""
        run = open_run(self.pipeline_file, profile, overrides or {})
        create_run(run)
        return run

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "toolkit", *arguments]

    def toolkit(
        self, *arguments: str, timeout: float = 180, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the toolkit in a fresh process."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.root,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command of the toolkit."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.root,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run_section(
        self, name: str, run: Run | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return self.toolkit("run-section", name, "--run", (run or self.run()).run_id, **environment)

    def manifest(self, name: str, run: Run | None = None) -> Manifest | None:
        return read_manifest((run or self.run()).section_folder(name))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty project; this process looks at it too."""
    made = Project(tmp_path / "project")
    for name in ("TOOLKIT_HOME", "TOOLKIT_RUNS", "TOOLKIT_FIGURES", "PYTHONPATH"):
        monkeypatch.setenv(name, made.environment[name])
    monkeypatch.syspath_prepend(str(made.root / "modules"))
    return made


def wait_for(condition: Callable[[], Any], seconds: float = 60, what: str = "the condition") -> Any:
    """First true value of ``condition``; fails after some time."""
    until = time.time() + seconds
    while time.time() < until:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come about within {seconds} s")


def files_with(folder: Path, text: str) -> list[Path]:
    """Files below ``folder`` whose bytes hold ``text``."""
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]

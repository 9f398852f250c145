"""What a notebook holds: its checked parameters, its random streams, and where its results go."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit import io
from toolkit.errors import UsageError, did_you_mean
from toolkit.manifest import (
    RECORD_NAME,
    Artifact,
    Manifest,
    Record,
    damaged_artifacts,
    describe_artifact,
    read_manifest,
)
from toolkit.paths import FOLDER_VARIABLE, RUN_VARIABLE, figures_dir, runs_dir
from toolkit.sections import SECTIONS, SectionParams, validate_params
from toolkit.seeds import Seeds
from toolkit.trials import Trials

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from toolkit.benchmark import Table
    from toolkit.tasks.problems import Source

INTERACTIVE = "interactive"
"""Name of the run that notebooks opened by hand write to."""


def start_section(name: str, model: type[SectionParams] | None = None, **params: Any) -> Run:
    """Begin a section: check its parameters and open the folder for its results.

    Parameters
    ----------
    name
        Name of the section, for instance "00_start_here".
    model
        Parameters' model of a section of your own; the toolkit's sections have theirs.
    params
        Values of the notebook's parameters cell.
    """
    if model is None:
        if name not in SECTIONS:
            raise UsageError(f"there is no section '{name}'.", fix=did_you_mean(name, SECTIONS))
        model = SECTIONS[name]
    checked = validate_params(model, params, where=name)
    run_folder = Path(os.environ.get(RUN_VARIABLE) or runs_dir() / INTERACTIVE)
    private = os.environ.get(FOLDER_VARIABLE)
    folder = Path(private) if private else run_folder / name
    if not private and folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return Run(name, checked, folder, run_folder, managed=private is not None)


class Run:
    """A section being worked on.

    Attributes
    ----------
    params
        The section's checked, frozen parameters.
    seeds
        Named random streams: ``run.seeds.numpy("starts")``.
    scratch
        Folder that outlives an interrupted attempt, for checkpoints of long work.
    """

    def __init__(
        self, name: str, params: SectionParams, folder: Path, run_folder: Path, *, managed: bool
    ) -> None:
        self.name, self.params, self.folder = name, params, folder
        self.seeds = Seeds(params.seed)
        self._run_folder, self._managed = run_folder, managed
        self._inputs: dict[str, str] = {}
        self._artifacts: dict[str, Artifact] = {}

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.params.model_dump().items())
        return f"{self.name} on {self.device}: {values}"

    @property
    def device(self) -> str:
        """Where tensors should live: "cuda" if there is a GPU, else "cpu"."""
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"

    @property
    def scratch(self) -> Path:
        """Folder for checkpoints; emptied once the section has succeeded."""
        folder = self._run_folder / ".scratch" / self.name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def load(self, name: str, **options: Any) -> Any:
        """Trials, a curve or a table by name, or a result of an earlier section as "section/name".

        >>> run.load("badham2017")  # doctest: +SKIP
        >>> run.load("02_training/checkpoint")  # doctest: +SKIP
        """
        section, _, artifact = name.partition("/")
        if artifact:
            return self._load_artifact(section, artifact)
        from toolkit import data

        loaded = data.load(name, **options)
        self._note(data.describe(name).name)
        return loaded

    def source(self, name: str, **options: Any) -> Source:
        """A source of learning problems by name; data that it reads count among the section's inputs.

        >>> run.source("bank").draw(8, 100, 3, generator=run.seeds.torch("bank"))  # doctest: +SKIP
        """
        from toolkit.tasks import get_source

        source = get_source(name, **options)
        if source.dataset is not None:
            self._note(source.dataset)
        return source

    def tables(self, suite: str, **options: Any) -> list[Table]:
        """Tables of the benchmark; data sets that they are read from count among the section's inputs.

        >>> run.tables("published")  # doctest: +SKIP
        """
        from toolkit.benchmark import benchmark_tables
        from toolkit.data.cc18 import DATASET

        tables = benchmark_tables(suite, **options)
        if any(table.origin == "files" for table in tables):
            self._note(DATASET)
        return tables

    def save(self, name: str, result: Any) -> Path:
        """Keep a result as an artifact: a table, Trials, arrays by name, or anything JSON holds."""
        self._check_name(name)
        kind, suffix, write = _writer(name, result)
        path = self.folder / "artifacts" / f"{name}{suffix}"
        write(path, result)
        self._register(path, name, kind)
        return path

    def figure(self, figure: go.Figure, name: str) -> go.Figure:
        """Keep a figure as "<section>_<name>" and give it back to be shown."""
        from toolkit.viz import write_figure

        self._check_name(name)
        path = write_figure(figure, self.folder / "artifacts" / "figures", f"{self.name}_{name}")
        self._register(path, name, "figure")
        return figure

    def finish(self, *takeaways: str) -> None:
        """Say that everything is done; without it a section does not count as succeeded."""
        record = Record(
            section=self.name,
            params=self.params.model_dump(mode="json"),
            seed_streams=self.seeds.streams,
            device=self.device if "torch" in sys.modules else "cpu",
            inputs=self._inputs,
            artifacts=list(self._artifacts.values()),
            takeaways=list(takeaways),
        )
        io.write_json(self.folder / RECORD_NAME, record.model_dump(mode="json"))
        if not self._managed:
            from toolkit.viz import publish_figures

            publish_figures(self.folder / "artifacts" / "figures", figures_dir())

    def _note(self, dataset: str) -> None:
        """Keep the checksums of a data set that was read."""
        from toolkit.data import checksums

        self._inputs |= {f"{dataset}/{path}": sha256 for path, sha256 in checksums(dataset).items()}

    def _check_name(self, name: str) -> None:
        if not name.replace("-", "_").isidentifier():
            raise UsageError(
                f"'{name}' cannot be the name of a result.",
                where=self.name,
                fix="Use letters, digits, _ and -, such as learning_curve.",
            )

    def _register(self, path: Path, name: str, kind: str) -> None:
        if name in self._artifacts and self._artifacts[name].kind != kind:
            raise UsageError(
                f"'{name}' is the name of another result.", where=self.name, fix="Choose another."
            )
        self._artifacts[name] = describe_artifact(self.folder, path, name, kind)

    def _load_artifact(self, section: str, name: str) -> Any:
        folder, manifest = self._succeeded(section)
        if manifest is None:
            raise UsageError(
                f"'{section}/{name}' is not there, since section {section} has not succeeded in this run.",
                where=self.name,
                fix=f"Run it first: toolkit run --only {section}",
            )
        known = {artifact.name: artifact for artifact in manifest.artifacts}
        if name not in known:
            raise UsageError(f"section {section} has no result '{name}'.", fix=did_you_mean(name, known))
        problems = damaged_artifacts(folder, [known[name]])
        if problems:
            raise UsageError(problems[0], where=section, fix=f"Make it again: toolkit run --only {section}")
        self._inputs[f"{section}/{name}"] = known[name].sha256
        return _read(folder / known[name].path, known[name].kind)

    def _succeeded(self, section: str) -> tuple[Path, Manifest | None]:
        """Folder and manifest of a section of this run; opened by hand, of the newest run that has it."""
        runs = [self._run_folder]
        if not self._managed:
            runs += sorted(runs_dir().glob("[0-9]*-*"), reverse=True)
        for run in runs:
            manifest = read_manifest(run / section)
            if manifest is not None and manifest.status == "succeeded":
                return run / section, manifest
        return self._run_folder / section, None


def _writer(name: str, result: Any) -> tuple[str, str, Any]:
    if isinstance(result, pd.DataFrame):
        return "table", ".parquet", io.write_table
    if isinstance(result, Trials):
        return "trials", ".safetensors", lambda path, trials: trials.save(path)
    if isinstance(result, Mapping) and result and all(isinstance(v, np.ndarray) for v in result.values()):
        return "arrays", ".safetensors", lambda path, arrays: io.save_arrays(path, arrays, {"kind": "arrays"})
    if isinstance(result, Mapping | list | str | int | float | bool):
        return "json", ".json", io.write_json
    raise UsageError(
        f"'{name}' is a {type(result).__name__}, which cannot be kept.",
        fix="Save a table, Trials, a dict of arrays, or JSON values.",
    )


def _read(path: Path, kind: str) -> Any:
    if kind == "figure":
        from toolkit.viz import read_figure

        return read_figure(path)
    readers = {
        "table": io.read_table,
        "trials": Trials.load,
        "arrays": lambda path: io.load_arrays(path)[0],
        "json": io.read_json,
    }
    return readers[kind](path)

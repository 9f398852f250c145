"""Classifiers on tables by a protocol: resumable, on several cores, one tidy table of results."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.benchmark.competitors import make_classifier
from toolkit.benchmark.protocols import Prepared, Protocol, class_numbers, prepare_sets
from toolkit.benchmark.scores import METRICS, calibration_error, measure, reliability
from toolkit.benchmark.tables import Table
from toolkit.errors import DataError, UsageError
from toolkit.io import read_table, sha256_of_file, write_table
from toolkit.progress import track

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

# Fits that take about as long as it takes to start a process.
_WORTH_A_PROCESS = 200
_PLACE = ["model", "task", "mixture", "n_context"]


@dataclass(frozen=True)
class Results:
    """What a benchmark gave.

    Attributes
    ----------
    scores
        Tidy: ``model, task, mixture, n_context, set, metric, value``.
    reliability
        ``model, task, mixture, n_context, bin, n, confidence, correct``, the last two summed over rows.
    """

    scores: pd.DataFrame
    reliability: pd.DataFrame

    def means(self, metric: str) -> pd.DataFrame:
        """Mean over sets, one row a task and one column a model; all conditions pooled."""
        rows = self.scores[self.scores["metric"] == metric]
        if rows.empty:
            raise UsageError(f"there is no metric '{metric}'.", fix=f"One of {', '.join(METRICS)}.")
        return rows.pivot_table(index="task", columns="model", values="value", sort=False)

    def where(self, **conditions: object) -> Results:
        """The part with given ``model``, ``task``, ``mixture`` or ``n_context``, each a value or a list."""
        parts = [self.scores, self.reliability]
        for name, wanted in conditions.items():
            wanted = wanted if isinstance(wanted, list | tuple | set) else [wanted]
            parts = [part[part[name].isin(wanted)] for part in parts]
        return Results(*(part.reset_index(drop=True) for part in parts))

    def calibration_errors(self) -> pd.Series:
        """Expected calibration error of every model, all its answers pooled."""
        models = self.reliability["model"].unique()
        return pd.Series(
            {name: calibration_error(self.reliability[self.reliability["model"] == name]) for name in models},
            name="calibration_error",
        )


def run_protocol(
    protocol: Protocol,
    tables: Sequence[Table],
    classifiers: Sequence[str] | Mapping[str, ClassifierMixin],
    *,
    seed: int = 0,
    n_jobs: int | None = 1,
    folder: str | Path | None = None,
) -> Results:
    """Every classifier on the same draws from every table.

    Parameters
    ----------
    classifiers
        Names, see :func:`toolkit.benchmark.list_classifiers`, or classifiers of your own by name.
    n_jobs
        Processes; None: as many as there are processors, if there is enough to do for them.
    folder
        Where the result of each classifier on each table is kept as soon as it is there; a later call
        with the same protocol, seed, table and classifier reads it instead.
    """
    if not isinstance(classifiers, Mapping):
        classifiers = {name: make_classifier(name, seed) for name in classifiers}
    jobs = [
        _Job(protocol, table, name, classifier, seed)
        for table in tables
        for name, classifier in classifiers.items()
    ]
    files = _files(jobs, folder)
    found = {key: read_table(file) for key, file in files.items() if file.is_file()}
    todo = [job for job in jobs if job.key not in found]
    for job, result in track(_work(todo, n_jobs), f"{protocol.name} protocol", len(todo)):
        found[job.key] = result
        if job.key in files:
            write_table(files[job.key], result)
    everything = pd.concat([found[job.key] for job in jobs], ignore_index=True)
    if everything.empty:
        raise DataError("no table is large enough for the protocol.", where=f"protocol '{protocol.name}'")
    return _tidy(everything)


@dataclass(frozen=True)
class _Job:
    protocol: Protocol
    table: Table
    name: str
    classifier: ClassifierMixin
    seed: int

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.table.name

    @property
    def n_fits(self) -> int:
        """How often the classifier learns."""
        return self.protocol.n_sets * len(self.protocol.context_sizes) * len(self.protocol.mixtures)

    def digest(self, content: bytes) -> str:
        """Hash of everything that decides the result, the table by its ``content``."""
        settings = type(self.classifier).__name__, sorted(self.classifier.get_params(deep=False).items())
        parts = [asdict(self.protocol), self.name, settings, self.seed, self.table.name]
        digest = hashlib.sha256(repr(parts).encode() + content)
        if hasattr(self.classifier, "checkpoint"):
            from toolkit.models.checkpoints import find_checkpoint

            digest.update(sha256_of_file(find_checkpoint(self.classifier.checkpoint)).encode())
        return digest.hexdigest()[:24]

    def run(self) -> pd.DataFrame:
        """Metrics and bins of every set, one row a set."""
        import sklearn.base  # noqa: F401 - Only libraries that are loaded are held to one thread.
        from threadpoolctl import threadpool_limits

        try:
            with threadpool_limits(1):
                return pd.DataFrame(list(self._rows()))
        except Exception as error:
            error.add_note(f"This was classifier '{self.name}' on the table '{self.table.name}'.")
            raise

    def _rows(self) -> Iterator[dict[str, object]]:
        prepared = list(prepare_sets(self.protocol, self.table, self.seed))
        n_classes = int(class_numbers(self.table).max()) + 1
        answers = _answers(self.classifier, prepared, n_classes)
        for one, (p, predicted) in zip(prepared, answers, strict=True):
            bins = reliability(p, predicted, one.test_y)
            row = {"model": self.name, "task": self.table.name, "mixture": one.draw.mixture}
            row |= {"n_context": one.draw.n_context, "set": one.draw.set}
            row |= measure(p, predicted, one.test_y)
            row |= {
                f"{what}_{b}": bins[what][b] for what in ("n", "confidence", "correct") for b in bins["bin"]
            }
            yield row


def _files(jobs: Sequence[_Job], folder: str | Path | None) -> dict[tuple[str, str], Path]:
    """Where results are kept, by the keys of jobs."""
    if folder is None:
        return {}
    contents: dict[str, bytes] = {}
    for job in jobs:
        if job.table.name not in contents:
            contents[job.table.name] = _hash_of(job.table)
    return {job.key: Path(folder) / f"{job.digest(contents[job.table.name])}.parquet" for job in jobs}


def _hash_of(table: Table) -> bytes:
    """Of all rows of a table."""
    parts = (table.features, table.target)
    hashes = [pd.util.hash_pandas_object(part.astype(str), index=False).to_numpy() for part in parts]
    return b"".join(one.tobytes() for one in hashes)


def _answers(
    classifier: ClassifierMixin, prepared: Sequence[Prepared], n_classes: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Probabilities (rows, classes) and the class said (rows,) of every set."""
    from sklearn.base import clone

    from toolkit.benchmark.classifier import InContextClassifier, predict_together
    from toolkit.benchmark.likeliest import LikeliestClass

    fitted = [clone(classifier).fit(one.x, one.y) for one in prepared]
    tests = [one.test_x for one in prepared]
    together = (
        predict_together(fitted, tests) if isinstance(classifier, InContextClassifier) and fitted else None
    )
    says_likeliest = type(classifier).predict is LikeliestClass.predict
    for number, (one, test) in enumerate(zip(fitted, tests, strict=True)):
        p = np.zeros((len(test), n_classes))
        p[:, one.classes_] = one.predict_proba(test) if together is None else together[number]
        yield p, p.argmax(1) if says_likeliest else one.predict(test)


def _work(jobs: Sequence[_Job], n_jobs: int | None) -> Iterator[tuple[_Job, pd.DataFrame]]:
    n_jobs = n_jobs or min(os.cpu_count() or 1, sum(job.n_fits for job in jobs) // _WORTH_A_PROCESS)
    if n_jobs <= 1:
        for job in jobs:
            yield job, job.run()
        return
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    with ProcessPoolExecutor(n_jobs, mp_context=get_context("spawn"), initializer=_one_thread) as pool:
        futures = {pool.submit(job.run): job for job in jobs}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _tidy(wide: pd.DataFrame) -> Results:
    scores = wide.melt([*_PLACE, "set"], list(METRICS), "metric", "value")
    sums = wide.drop(columns=["set", *METRICS]).groupby(_PLACE, sort=False).sum().reset_index()
    bins = pd.wide_to_long(sums, ["n", "confidence", "correct"], _PLACE, "bin", sep="_")
    return Results(scores, bins.reset_index())

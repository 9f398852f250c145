"""Problems that language models wrote, point by point: published ones, or your own from `toolkit write-tasks`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from toolkit.errors import UsageError
from toolkit.tasks.problems import Problems, Source, uniform
from toolkit.tasks.writing.files import load_problems
from toolkit.tasks.writing.parsing import WrittenProblem
from toolkit.tasks.writing.published import DATASET, PUBLISHED, read_published


class Written(Source):
    """Points of written problems, features in a random order and classes renamed.

    Every problem of the right size is as likely as another. Of a problem with more features than wanted a
    random choice is taken.

    Attributes
    ----------
    problems
        All of them, with the names of their features and categories.
    """

    name: ClassVar[str] = "written"

    def __init__(self, tables: str | Path | Sequence[str | Path] = "claude", resample: bool = False) -> None:
        """Parameters
        ----------
        tables
            Published files ("claude", "claude_named", "gpt4", "gpt3", "llama"; they need
            `toolkit fetch llm_tasks`) or paths of files that `toolkit write-tasks` wrote.
        resample
            Draw points with replacement, so that a problem can be longer than what was written.
        """
        several = [tables] if isinstance(tables, str | Path) else tables
        self.problems = [problem for table in several for problem in _read(table)]
        self.dataset = DATASET if any(str(table) in PUBLISHED for table in several) else None
        if not self.problems:
            raise UsageError("there is no problem in these tables.", where="source 'written'")
        self.resample = resample
        self._tables = _Tables(self.problems)

    def _draw(
        self, n_problems: int, n_points: int, n_features: int, n_classes: int, generator: torch.Generator
    ) -> Problems:
        tables = self._tables.to(generator.device)
        fits = (tables.n_classes == n_classes) & (tables.n_features >= n_features)
        if not self.resample:
            fits &= tables.n_points >= n_points
        fitting = fits.nonzero()[:, 0]
        if not len(fitting):
            self._explain(n_points, n_features, n_classes)
        which = fitting[(uniform(n_problems, generator=generator) * len(fitting)).long()]
        rows = tables.first[which][:, None] + self._places(tables.n_points[which], n_points, generator)
        columns = _some_of(tables.n_features[which], tables.x.shape[1], n_features, generator)
        names = uniform(n_problems, n_classes, generator=generator).argsort(1)
        x, y = tables.x[rows[..., None], columns[:, None]], names.gather(1, tables.y[rows])
        return Problems(x, y, n_classes, which)

    def _places(self, n_written: torch.Tensor, n_points: int, generator: torch.Generator) -> torch.Tensor:
        """Places of points among those written for each problem: (problems, points)."""
        if not self.resample:
            return _some_of(n_written, int(n_written.max()), n_points, generator)
        drawn = uniform(len(n_written), n_points, generator=generator) * n_written[:, None]
        return torch.minimum(drawn.long(), n_written[:, None] - 1)

    def _explain(self, n_points: int, n_features: int, n_classes: int) -> None:
        tables = self._tables
        sizes = []
        for k in tables.n_classes.unique().tolist():
            same = tables.n_classes == k
            features, points = int(tables.n_features[same].max()), int(tables.n_points[same].max())
            sizes.append(f"{int(same.sum())} with {k} classes, up to {features} features and {points} points")
        raise UsageError(
            f"no problem has {n_classes} classes, {n_features} features and {n_points} points.",
            where="source 'written'",
            fix=f"There are {'; '.join(sizes)}."
            + ("" if self.resample else " resample=True makes them longer."),
        )


def _read(table: str | Path) -> list[WrittenProblem]:
    if Path(table).suffix == ".jsonl":
        return load_problems(table)
    return read_published(str(table)).kept


def _some_of(n: torch.Tensor, most: int, wanted: int, generator: torch.Generator) -> torch.Tensor:
    """Different numbers below each of ``n`` (problems,), in a random order: (problems, wanted)."""
    keys = uniform(len(n), most, generator=generator)
    # What a problem does not have gets a key above all others, so it never comes first.
    beyond = torch.arange(most, device=n.device) >= n[:, None]
    return keys.masked_fill(beyond, 2.0).argsort(1)[:, :wanted]


class _Tables:
    """All points one below the other, and where each problem's begin."""

    def __init__(self, problems: Sequence[WrittenProblem]) -> None:
        n_points = [len(problem.y) for problem in problems]
        x = np.zeros((sum(n_points), max(len(problem.features) for problem in problems)), np.float32)
        self.n_points = torch.tensor(n_points)
        self.n_features = torch.tensor([len(problem.features) for problem in problems])
        self.n_classes = torch.tensor([len(problem.categories) for problem in problems])
        self.first = self.n_points.cumsum(0) - self.n_points
        for problem, first in zip(problems, self.first.tolist(), strict=True):
            x[first : first + len(problem.y), : len(problem.features)] = problem.x
        self.x = torch.from_numpy(x)
        self.y = torch.from_numpy(np.concatenate([problem.y for problem in problems]))

    def to(self, device: torch.device) -> _Tables:
        """The tables on a device, moved at most once."""
        if self.x.device != device:
            for name, tensor in vars(self).items():
                setattr(self, name, tensor.to(device))
        return self

"""Learners on problems of many sizes: more categories, more features, longer sequences, and the time they take."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from torch.nn import functional

from toolkit.models.metalearner import MetaLearnerNetwork
from toolkit.seeds import Seeds
from toolkit.tasks.logistic import fit_logistic, running_probabilities
from toolkit.tasks.problems import Problems
from toolkit.training.batches import make_source
from toolkit.training.config import Component
from toolkit.training.evaluation import SMALLEST_PROBABILITY, Predictor, evaluate, nearest_neighbours

SENSITIVITIES = (4.0, 8.0, 16.0, 32.0)
"""How fast similarity falls with the mean absolute difference over features, for :func:`best_exemplars`."""

FIRST_EXACT, REFIT_EVERY = 64, 32
_NUMBERS_AT_ONCE = 20_000_000


@dataclass(frozen=True)
class Size:
    """What problems are drawn.

    Attributes
    ----------
    source
        Where from: problems of the bank that nobody is trained on, or those of another source.
    """

    source: str
    n_features: int
    n_classes: int

    def draw(self, n_problems: int, n_trials: int, generator: torch.Generator) -> Problems:
        """Fresh problems of this size."""
        source = make_source(Component(source=self.source), "test")
        return source.draw(n_problems, n_trials, self.n_features, self.n_classes, generator=generator)


SIZES = (
    Size("bank", 2, 2),
    Size("bank", 6, 2),
    Size("bank", 6, 4),
    Size("mlp", 6, 2),
    Size("mlp", 6, 6),
    Size("mlp", 10, 2),
)
"""Two to ten features, two to six categories. The bank ends at six features and four categories; random networks
go on, and with six features and two categories they show what the change of source does by itself."""


def best_exemplars(problems: Problems, sensitivities: Sequence[float] = SENSITIVITIES) -> torch.Tensor:
    """Probabilities of the exemplar model whose sensitivity suits these very problems best.

    It sums similarities to earlier points of each class, exp(-sensitivity × difference), all features alike.
    """
    tried = _by_similarity(problems, sensitivities)
    right = [p.gather(-1, problems.y[..., None]).log().mean() for p in tried]
    return tried[int(torch.stack(right).argmax())]


def _by_similarity(problems: Problems, sensitivities: Sequence[float]) -> torch.Tensor:
    """(sensitivities, problems, trials, classes); the distances are the costly part."""
    size = max(1, _NUMBERS_AT_ONCE // problems.y.shape[1] ** 2)
    one_hot = functional.one_hot(problems.y, problems.n_classes).double()
    parts = []
    for x, labels in zip(problems.x.double().split(size), one_hot.split(size), strict=True):
        distance = torch.cdist(x, x, p=1) / x.shape[-1]
        summed = [(-sensitivity * distance).exp().tril(-1) @ labels for sensitivity in sensitivities]
        parts.append(torch.stack(summed) + SMALLEST_PROBABILITY)
    evidence = torch.cat(parts, 1)
    return evidence / evidence.sum(-1, keepdim=True)


def online_logistic(problems: Problems) -> torch.Tensor:
    """Logistic regression on all earlier trials, fitted anew on each of the first trials, later now and then.

    Another 32 trials change little after the first 64, and a fit a trial would take minutes.
    """
    x, y, n_classes = problems.x, problems.y, problems.n_classes
    parts = [running_probabilities(x[:, :FIRST_EXACT], y[:, :FIRST_EXACT], n_classes, ridge=1.0)]
    for start in range(FIRST_EXACT, y.shape[1], REFIT_EVERY):
        found = fit_logistic(x[:, :start], y[:, :start], n_classes, ridge=1.0)
        p = found.log_probabilities(x[:, start : start + REFIT_EVERY]).exp()
        # With one class so far nothing was fitted.
        parts.append(torch.where(p.isnan(), 1 / n_classes, p))
    return torch.cat(parts, 1)


RIVALS: dict[str, Predictor] = {
    "logistic_regression": online_logistic,
    "nearest_neighbours": nearest_neighbours(),
    "gcm": best_exemplars,
}
"""What meta-learners are compared with."""


def measure_scope(
    learners: Mapping[str, MetaLearnerNetwork | Predictor],
    n_problems: int,
    n_trials: int,
    *,
    seed: int = 0,
    sizes: Sequence[Size] = SIZES,
) -> pd.DataFrame:
    """Accuracy of learners over ranges of trials on problems of every size, and their time a trial.

    Parameters
    ----------
    n_problems
        Fresh problems of every size.
    n_trials
        Their trials, 16 or more; ranges end at 16, 32, 64, … and at the last.

    Returns
    -------
    One row a size, learner and range: ``source, n_features, n_classes, learner, first, last`` (trials, from 1),
    ``accuracy`` and ``log_loss`` with their standard errors over problems (``…_se``), and ``milliseconds`` of the
    processor a trial of one problem, over the whole sequence.
    """
    tables = []
    for size in sizes:
        about = vars(size)
        problems = size.draw(n_problems, n_trials, Seeds(seed).torch(f"scope {about}"))
        for name, learner in learners.items():
            started = time.process_time()
            rows = evaluate(learner, problems, ranges_of(n_trials))
            milliseconds = 1e3 * (time.process_time() - started) / problems.y.numel()
            tables.append(rows.assign(learner=name, milliseconds=milliseconds, **about))
    table = pd.concat(tables, ignore_index=True)
    first = ["source", "n_features", "n_classes", "learner"]
    return table[[*first, *table.columns.drop(first)]]


def lead(table: pd.DataFrame, learner: str) -> pd.Series:
    """How much more accurate a learner is than the best of the others over the last range of trials.

    Parameters
    ----------
    table
        Of :func:`measure_scope`.

    Returns
    -------
    By ``source, n_features, n_classes``.
    """
    late = table[table["last"] == table["last"].max()]
    wide = late.pivot_table("accuracy", ["source", "n_features", "n_classes"], "learner", sort=False)
    return wide[learner] - wide.drop(columns=learner).max(axis=1)


def ranges_of(n_trials: int) -> list[tuple[int, int]]:
    """First and last trial of each range, each as long as all before it.

    >>> ranges_of(100)
    [(1, 16), (17, 32), (33, 64), (65, 100)]
    """
    found, last = [], 0
    while last < n_trials:
        first, last = last + 1, min(max(16, 2 * last), n_trials)
        found.append((first, last))
    return found

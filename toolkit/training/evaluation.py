"""How well learners do on fresh problems, beside logistic regression fitted to all earlier trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import torch

from toolkit.models.metalearner import MetaLearnerNetwork
from toolkit.seeds import Seeds
from toolkit.tasks.logistic import running_probabilities
from toolkit.tasks.problems import Problems
from toolkit.training.batches import make_source
from toolkit.training.config import Component

RANGES = ((1, 10), (11, 49), (50, 100))
"""First and last trial of each range, counted from 1."""

SMALLEST_PROBABILITY = 1e-12

Predictor = Callable[[Problems], torch.Tensor]
"""Gives the probability of every class on every trial: (problems, trials, classes)."""


def logistic_regression(ridge: float = 1.0) -> Predictor:
    """Online logistic regression: scikit-learn's default at a ridge of 1."""

    def predict(problems: Problems) -> torch.Tensor:
        return running_probabilities(problems.x, problems.y, problems.n_classes, ridge=ridge)

    return predict


@torch.no_grad()
def predict(network: MetaLearnerNetwork, problems: Problems, *, seed: int = 0) -> torch.Tensor:
    """A network's probability of every class on every trial: (problems, trials, classes)."""
    noise = Seeds(seed).torch("noise", str(network.device))
    parts = [
        network(x, y, n_classes=problems.n_classes, generator=noise)[..., : problems.n_classes].exp()
        for x, y in zip(problems.x.split(64), problems.y.split(64), strict=True)
    ]
    return torch.cat(parts).double()


def evaluate(
    learner: MetaLearnerNetwork | Predictor,
    problems: Problems,
    ranges: Sequence[tuple[int, int]] = RANGES,
) -> pd.DataFrame:
    """Accuracy and log loss over ranges of trials.

    Returns
    -------
    One row a range: ``first, last`` (trials, counted from 1), ``accuracy``, ``log_loss``, and the standard
    error of each over problems.
    """
    p = predict(learner, problems) if isinstance(learner, MetaLearnerNetwork) else learner(problems)
    y = problems.y.to(p.device)
    correct = (p.argmax(-1) == y).double()
    loss = -p.gather(-1, y[..., None])[..., 0].double().clamp(min=SMALLEST_PROBABILITY).log()
    rows = []
    for first, last in ranges:
        if first > y.shape[1]:
            continue
        accuracy, log_loss = (values[:, first - 1 : last].mean(1) for values in (correct, loss))
        rows.append(
            {
                "first": first,
                "last": min(last, y.shape[1]),
                "accuracy": accuracy.mean().item(),
                "accuracy_se": accuracy.std().item() / len(y) ** 0.5,
                "log_loss": log_loss.mean().item(),
                "log_loss_se": log_loss.std().item() / len(y) ** 0.5,
            }
        )
    return pd.DataFrame(rows)


def compare(
    learners: Mapping[str, MetaLearnerNetwork | Predictor],
    priors: Mapping[str, Problems],
    ranges: Sequence[tuple[int, int]] = RANGES,
) -> pd.DataFrame:
    """Every learner on every set of problems: columns ``learner, tested_on`` and those of :func:`evaluate`."""
    tables = [
        evaluate(learner, problems, ranges).assign(learner=name, tested_on=tested_on)
        for tested_on, problems in priors.items()
        for name, learner in learners.items()
    ]
    table = pd.concat(tables, ignore_index=True)
    return table[["learner", "tested_on", *table.columns.drop(["learner", "tested_on"])]]


TUNED_RIDGES = (1.0, 0.1, 0.01, 0.001)
_TEST_SEED = 20_260_202
_TESTED_ON = {"ecological": "bank", "linear": "linear", "mlp": "mlp", "rational": "rational"}


def standard_problems(
    prior: str, n_problems: int = 200, n_points: int = 100, n_features: int = 3, n_classes: int = 2
) -> Problems:
    """Fresh problems of a prior, always the same; of the ecological bank those that nobody trains on."""
    source = make_source(Component(source=_TESTED_ON[prior]), "test")
    generator = Seeds(_TEST_SEED).torch(prior)
    return source.draw(n_problems, n_points, n_features, n_classes, generator=generator)


def best_logistic_regression(problems: Problems) -> torch.Tensor:
    """Probabilities of the online logistic regression whose ridge suits these very problems best."""
    tried = [logistic_regression(ridge)(problems) for ridge in TUNED_RIDGES]
    chosen = [p.gather(-1, problems.y[..., None]).clamp(min=SMALLEST_PROBABILITY).log().mean() for p in tried]
    return tried[int(torch.stack(chosen).argmax())]


def evaluate_on_all_priors(name: str, network: MetaLearnerNetwork) -> pd.DataFrame:
    """A network beside logistic regression, by default and tuned, on test problems of every prior."""
    learners = {
        name: network,
        "logistic regression": logistic_regression(),
        "logistic regression, tuned": best_logistic_regression,
    }
    return compare(learners, {prior: standard_problems(prior) for prior in _TESTED_ON})

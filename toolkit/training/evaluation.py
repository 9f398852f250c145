"""How well learners do on fresh problems, beside logistic regression fitted to all earlier trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import torch

from toolkit.errors import UsageError, did_you_mean
from toolkit.models.metalearner import MetaLearnerNetwork
from toolkit.seeds import Seeds
from toolkit.tasks.logistic import running_probabilities
from toolkit.tasks.neighbours import running_votes
from toolkit.tasks.problems import Problems, Scaling
from toolkit.training.batches import make_source
from toolkit.training.config import Component
from toolkit.training.optimum import linear_optimum

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


def nearest_neighbours() -> Predictor:
    """Votes of the five nearest earlier points, and of others as near; every class has one vote more."""

    def predict(problems: Problems) -> torch.Tensor:
        votes = running_votes(problems.x.double(), problems.y, problems.n_classes) + 1.0
        return votes / votes.sum(-1, keepdim=True)

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


@dataclass(frozen=True)
class Scores:
    """How a learner did on every trial.

    Attributes
    ----------
    accuracy, log_loss
        (problems, trials): whether the likeliest class was right, and −log of the right one's probability.
    """

    accuracy: torch.Tensor
    log_loss: torch.Tensor


def score(learner: MetaLearnerNetwork | Predictor, problems: Problems) -> Scores:
    """How a learner does on every trial of every problem."""
    p = predict(learner, problems) if isinstance(learner, MetaLearnerNetwork) else learner(problems)
    y = problems.y.to(p.device)
    likelihood = p.gather(-1, y[..., None])[..., 0].double().clamp(min=SMALLEST_PROBABILITY)
    return Scores((p.argmax(-1) == y).double(), -likelihood.log())


def standard_error(values: torch.Tensor, origin: torch.Tensor | None = None) -> float:
    """Standard error of the mean of (problems,) values; those of one origin count as one draw together."""
    deviations = values - values.mean()
    if origin is not None:
        _, group = origin.unique(return_inverse=True)
        deviations = torch.zeros(int(group.max()) + 1, dtype=values.dtype).index_add(0, group, deviations)
    n_draws = len(deviations)
    return (deviations.square().sum() * n_draws / (n_draws - 1)).sqrt().item() / len(values)


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
    scores, n_trials = score(learner, problems), problems.y.shape[1]
    rows = []
    for first, last in ranges:
        if first > n_trials:
            continue
        row: dict[str, float] = {"first": first, "last": min(last, n_trials)}
        for name, values in vars(scores).items():
            means = values[:, first - 1 : last].mean(1).cpu()
            row |= {name: means.mean().item(), f"{name}_se": standard_error(means, problems.origin)}
        rows.append(row)
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
    prior: str,
    n_problems: int = 200,
    n_points: int = 100,
    n_features: int = 3,
    n_classes: int = 2,
    *,
    scaling: Scaling = "feature",
) -> Problems:
    """Fresh problems of a prior, always the same; of the ecological bank those that nobody trains on."""
    if prior not in _TESTED_ON:
        raise UsageError(f"there is no prior '{prior}'.", fix=did_you_mean(prior, _TESTED_ON))
    source = make_source(Component(source=_TESTED_ON[prior]), "test")
    generator = Seeds(_TEST_SEED).torch(prior)
    return source.draw(n_problems, n_points, n_features, n_classes, generator=generator, scaling=scaling)


def best_logistic_regression(problems: Problems) -> torch.Tensor:
    """Probabilities of the online logistic regression whose ridge suits these very problems best."""
    tried = [logistic_regression(ridge)(problems) for ridge in TUNED_RIDGES]
    chosen = [p.gather(-1, problems.y[..., None]).clamp(min=SMALLEST_PROBABILITY).log().mean() for p in tried]
    return tried[int(torch.stack(chosen).argmax())]


def evaluate_on_all_priors(name: str, network: MetaLearnerNetwork) -> pd.DataFrame:
    """A network beside logistic regression, by default and tuned, on test problems of every prior.

    On linear problems, where it is known, the Bayes optimum stands there too.
    """
    learners = {
        name: network,
        "logistic regression": logistic_regression(),
        "logistic regression, tuned": best_logistic_regression,
    }
    table = compare(learners, {prior: standard_problems(prior) for prior in _TESTED_ON})
    unscaled = {"linear": standard_problems("linear", scaling="none")}
    return pd.concat([table, compare({"Bayes optimum": linear_optimum}, unscaled)], ignore_index=True)

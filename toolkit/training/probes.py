"""What a learner has learned: the problems it expects, and those that suit it more or less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

from toolkit.errors import UsageError, did_you_mean
from toolkit.models.metalearner import MetaLearnerNetwork
from toolkit.tasks.problems import Problems, normal, uniform
from toolkit.training.batches import Batch
from toolkit.training.config import TrainingConfig
from toolkit.training.evaluation import Predictor, score, standard_error
from toolkit.training.validation import Validator

WEIGHTS = ("one", "equal")
"""How features count in :func:`controlled_problems`: one of them alone, or all alike."""

CORRELATIONS = (0.0, 0.5, 0.9)

_SEQUENCES_AT_ONCE = 512


@torch.no_grad()
def imagine(
    network: MetaLearnerNetwork,
    n_problems: int,
    n_trials: int,
    n_features: int = 3,
    n_classes: int = 2,
    *,
    generator: torch.Generator,
) -> Problems:
    """Problems that a network makes up: it labels things spread evenly, and believes its own labels.

    Each label is drawn from what the network predicts after its labels before. If its predictions hang
    together, these are draws from the prior it has learned. Generators in the same state give the same
    things to any network.

    Returns
    -------
    Features as drawn, between 0 and 1, and the network's labels.
    """
    x = uniform(n_problems, n_trials, n_features, generator=generator)
    chance = uniform(n_problems, n_trials, generator=generator)
    y = torch.empty(n_problems, n_trials, dtype=torch.long)
    used = torch.ones(n_features, dtype=torch.bool)
    state = network.start(n_problems, n_classes=n_classes, feature_mask=used)
    for t in range(n_trials):
        log_p, state = network.step(state, x[:, t], y[:, t - 1] if t else None)
        below = log_p[:, : n_classes - 1].exp().cumsum(-1).cpu()
        y[:, t] = (chance[:, t, None] > below).sum(-1)
    return Problems(x, y, n_classes)


@torch.no_grad()
def landscape(network: MetaLearnerNetwork, problems: Problems, n_ticks: int = 13) -> np.ndarray:
    """Probability of the last class everywhere on the plane of two features, once problems are seen.

    Parameters
    ----------
    problems
        With two features; each point of the plane is asked by itself after all trials of a problem.
    n_ticks
        Values of each feature, from 0 to 1.

    Returns
    -------
    (problems, ticks of the second feature, ticks of the first)
    """
    if problems.x.shape[-1] != 2:
        raise UsageError(f"problems have {problems.x.shape[-1]} features.", where="landscape", fix="Use two.")
    ticks = torch.linspace(0, 1, n_ticks, dtype=problems.x.dtype)
    second, first = torch.meshgrid(ticks, ticks, indexing="ij")
    asked = torch.stack([first, second], -1).reshape(-1, 1, 2)
    found = []
    for x, y in zip(problems.x, problems.y, strict=True):
        seen = torch.cat([x.expand(len(asked), -1, -1), asked], 1)
        labels = F.pad(y, (0, 1)).expand(len(asked), -1)
        parts = zip(seen.split(_SEQUENCES_AT_ONCE), labels.split(_SEQUENCES_AT_ONCE), strict=True)
        log_p = [network(*part, n_classes=problems.n_classes)[:, -1] for part in parts]
        found.append(torch.cat(log_p)[:, problems.n_classes - 1].exp().cpu())
    return torch.stack(found).unflatten(1, (n_ticks, n_ticks)).double().numpy()


def controlled_problems(
    n_problems: int,
    n_points: int,
    n_features: int = 3,
    *,
    weights: Literal["one", "equal"] = "equal",
    correlation: float = 0.0,
    noise: float = 0.0,
    generator: torch.Generator,
) -> Problems:
    """Linear problems with two classes in which it is known how features count and go together.

    Normal features, any two of them equally correlated, add up to a score whose sign is the class. Then
    features are turned round at random, so that correlations are as often negative, and classes change
    names. Whatever the options, scores have a standard deviation of 1 and classes are equally likely.

    Parameters
    ----------
    weights
        "one": a single feature, any of them, decides. "equal": all count alike.
    correlation
        Of features before they are turned, from 0 to below 1.
    noise
        0 gives the class for certain; otherwise it is drawn from a logistic function of score / noise.
    """
    if weights not in WEIGHTS:
        raise UsageError(f"there are no weights '{weights}'.", fix=did_you_mean(weights, WEIGHTS))
    if not 0 <= correlation < 1 or noise < 0:
        raise UsageError(
            f"correlation is {correlation} and noise {noise}.",
            where="controlled_problems",
            fix="A correlation from 0 to below 1, and noise of at least 0.",
        )
    shared = normal(n_problems, n_points, 1, generator=generator)
    own = normal(n_problems, n_points, n_features, generator=generator)
    x = correlation**0.5 * shared + (1 - correlation) ** 0.5 * own
    order = uniform(n_problems, 1, n_features, generator=generator).argsort(-1)
    weight = (order == 0).to(x.dtype) if weights == "one" else torch.ones_like(x[:, :1])
    variance = (1 - correlation) * weight.square().sum(-1) + correlation * weight.sum(-1).square()
    scores = (x * weight).sum(-1) / variance.sqrt()
    chance = uniform(n_problems, n_points, generator=generator)
    scores = scores + noise * (chance / (1 - chance)).log()
    turned = uniform(n_problems, 1, n_features, generator=generator) < 0.5
    renamed = uniform(n_problems, 1, generator=generator) < 0.5
    return Problems(torch.where(turned, -x, x), ((scores > 0) ^ renamed).long(), 2).scaled()


def compare_with(
    baseline: str,
    learners: Mapping[str, MetaLearnerNetwork | Predictor],
    problems: Mapping[str, Problems],
    first: int,
    last: int,
) -> pd.DataFrame:
    """What each learner gains over one of them on the same problems, over one range of trials.

    Parameters
    ----------
    baseline
        Name of the learner that the others are compared with.
    first, last
        Trials, counted from 1.

    Returns
    -------
    One row a learner and set of problems: ``learner, tested_on, accuracy, log_loss``, and the gains
    ``more_accuracy`` and ``less_loss``, positive where a learner is better than the baseline, each with its
    standard error over problems (``…_se``).
    """
    if baseline not in learners:
        raise UsageError(f"there is no learner '{baseline}'.", fix=did_you_mean(baseline, learners))
    rows = []
    for tested_on, tested in problems.items():
        means = {
            name: {what: values[:, first - 1 : last].mean(1).cpu() for what, values in vars(found).items()}
            for name, found in ((name, score(learner, tested)) for name, learner in learners.items())
        }
        for name, own in means.items():
            others = means[baseline]
            row: dict[str, str | float] = {"learner": name, "tested_on": tested_on}
            row |= {what: values.mean().item() for what, values in own.items()}
            gains = {
                "more_accuracy": own["accuracy"] - others["accuracy"],
                "less_loss": others["log_loss"] - own["log_loss"],
            }
            for gain, values in gains.items():
                row |= {gain: values.mean().item(), f"{gain}_se": standard_error(values, tested.origin)}
            rows.append(row)
    return pd.DataFrame(rows)


def sensitivity(
    baseline: str,
    learners: Mapping[str, MetaLearnerNetwork | Predictor],
    n_problems: int,
    *,
    noise: float,
    generator: torch.Generator,
    first: int = 11,
    last: int = 50,
) -> pd.DataFrame:
    """What learners gain over the baseline by how many features count and how they go together.

    Returns
    -------
    As :func:`compare_with` on fresh :func:`controlled_problems`, with their ``weights`` and ``correlation``.
    """
    tables = []
    for weights in WEIGHTS:
        for correlation in CORRELATIONS:
            problems = controlled_problems(
                n_problems, last, weights=weights, correlation=correlation, noise=noise, generator=generator
            )
            table = compare_with(baseline, learners, {f"{weights}, {correlation}": problems}, first, last)
            tables.append(table.assign(weights=weights, correlation=correlation))
    return pd.concat(tables, ignore_index=True)


def contrasts(table: pd.DataFrame) -> pd.DataFrame:
    """How much a learner gains in accuracy by correlation, and by one deciding feature, beyond the baseline.

    Parameters
    ----------
    table
        Of :func:`sensitivity`.

    Returns
    -------
    One row a learner: ``together``, the strongest correlation against none over both kinds of weights;
    ``sparse``, one feature against all over all correlations; and their standard errors (``…_se``).
    """
    strongest, none = max(CORRELATIONS), min(CORRELATIONS)
    signs = {
        "together": table["correlation"]
        .map({strongest: 1 / len(WEIGHTS), none: -1 / len(WEIGHTS)})
        .fillna(0),
        "sparse": table["weights"].map({"one": 1, "equal": -1}) / len(CORRELATIONS),
    }
    columns = {}
    for name, sign in signs.items():
        columns[name] = (sign * table["more_accuracy"]).groupby(table["learner"], sort=False).sum()
        variance = (sign * table["more_accuracy_se"]) ** 2
        columns[f"{name}_se"] = variance.groupby(table["learner"], sort=False).sum() ** 0.5
    return pd.DataFrame(columns)


def untrained_losses(
    config: TrainingConfig, predictor: Predictor, *, device: str = "cpu"
) -> dict[str, float]:
    """Losses of a predictor on the very problems that a training with this config is validated on.

    Returns
    -------
    Under the names that a card's curve has for a network's: ``validation_loss``, and ``familiar_loss``
    where the prior holds the bank.
    """
    validator = Validator(config, torch.device(device))
    batches = {"validation_loss": validator.held_out, "familiar_loss": validator.familiar}
    return {name: _loss(batch, predictor) for name, batch in batches.items() if batch is not None}


def _loss(batch: Batch, predictor: Predictor) -> float:
    """Mean over problems, each with the features and classes it has."""
    sizes = torch.stack([batch.used.sum(1), batch.possible.sum(1)], 1)
    total = 0.0
    for n_features, n_classes in sizes.unique(dim=0).tolist():
        rows = (sizes == sizes.new_tensor([n_features, n_classes])).all(1)
        problems = Problems(batch.x[rows][..., :n_features], batch.y[rows], n_classes)
        total += score(predictor, problems).log_loss.mean(1).sum().item()
    return total / len(batch.y)

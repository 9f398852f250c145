"""Statistics of learning problems: correlation, sparsity, linearity, learnability, balance, separability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from toolkit.errors import UsageError, did_you_mean
from toolkit.tasks.logistic import fit_logistic, running_probabilities
from toolkit.tasks.neighbours import running_votes
from toolkit.tasks.problems import Problems

N_FOLDS, HELD_OUT_RIDGE = 5, 1.0


@dataclass(frozen=True)
class Statistics:
    """What :func:`measure` found, one row a problem; NaN where a statistic is not defined.

    Attributes
    ----------
    n_features, n_classes
        Of the problems.
    origin
        (problems,): those with equal numbers come from one table or description; None if each problem was
        made anew.
    pearson, spearman
        (problems, pairs of features): correlation of values and of ranks; NaN with a constant feature.
    gini
        (problems,): 0 if all features weigh the same, 1 − 1 / features if one alone counts. Of the lengths
        over classes of the standardised logistic coefficients; NaN for one class or one feature.
    linear_against_quadratic, linear_against_interactions
        (problems,): posterior of the linear logistic regression by BIC, against one with products and
        squares of the features and one with products only; NaN where these add nothing, or for one class.
    held_out_gain_quadratic, held_out_gain_interactions
        (problems,): log-likelihood a point, in nats, that products and squares, or products only, gain over
        the linear regression on points left out.
    logistic_accuracy, neighbour_accuracy
        (problems, points): credit on every trial for the prediction from the trials before it, by logistic
        regression and by the nearest neighbours; ties share it, and while only one class has been seen it
        is 1 / classes.
    class_entropy, minority_share
        (problems,): entropy of the shares of classes over that of equal shares; share of the rarest class.
    separability_linear, separability_best_feature
        (problems,): area under the ROC curve, a class against the others. Of the linear regression on
        points left out, the mean over classes; and of one feature and class, the best.
    whole_values, whole_features
        (problems,): share of values that are whole numbers; share of features with whole values only.
    """

    n_features: int
    n_classes: int
    origin: np.ndarray | None
    pearson: np.ndarray
    spearman: np.ndarray
    gini: np.ndarray
    linear_against_quadratic: np.ndarray
    linear_against_interactions: np.ndarray
    held_out_gain_quadratic: np.ndarray
    held_out_gain_interactions: np.ndarray
    logistic_accuracy: np.ndarray
    neighbour_accuracy: np.ndarray
    class_entropy: np.ndarray
    minority_share: np.ndarray
    separability_linear: np.ndarray
    separability_best_feature: np.ndarray
    whole_values: np.ndarray
    whole_features: np.ndarray

    def __len__(self) -> int:
        return len(self.gini)

    def per_problem(self, name: str) -> np.ndarray:
        """Values of one statistic as they are compared: (problems, values).

        A value for every pair of features in correlations, the mean over trials of accuracies, else one.
        """
        if name not in STATISTICS:
            raise UsageError(f"there is no statistic '{name}'.", fix=did_you_mean(name, STATISTICS))
        found = getattr(self, name)
        if name in ("logistic_accuracy", "neighbour_accuracy"):
            return found.mean(1, keepdims=True)
        return found.reshape(len(found), -1)

    def values(self, name: str) -> np.ndarray:
        """Values of one statistic of all problems, flat and without NaN, for histograms."""
        found = self.per_problem(name)
        return found[np.isfinite(found)]

    def table(self) -> pd.DataFrame:
        """One row a problem and one number a statistic; correlations as their mean and mean size."""
        columns = {}
        for name in STATISTICS:
            found = torch.from_numpy(self.per_problem(name))
            if name in ("pearson", "spearman"):
                columns[f"{name}_mean"] = found.nanmean(1).numpy()
                columns[f"{name}_mean_size"] = found.abs().nanmean(1).numpy()
            else:
                columns[name] = found[:, 0].numpy()
        return pd.DataFrame(columns).rename_axis("problem")

    def subset(self, problems: np.ndarray | Sequence[int]) -> Statistics:
        """The statistics of some problems, by index or mask; an index may come more than once."""
        chosen = np.asarray(problems)
        origin = None if self.origin is None else self.origin[chosen]
        return replace(self, origin=origin, **{name: getattr(self, name)[chosen] for name in STATISTICS})


STATISTICS = tuple(
    field.name for field in fields(Statistics) if field.name not in ("n_features", "n_classes", "origin")
)
"""Names of all statistics."""


def concatenate(parts: Sequence[Statistics]) -> Statistics:
    """The statistics of several batches of problems of one size and one source as one."""
    sizes = {(part.n_features, part.n_classes, part.logistic_accuracy.shape[1]) for part in parts}
    if len(sizes) != 1:
        raise UsageError(
            f"statistics of problems with {len(sizes)} different sizes cannot be joined.",
            fix="Features, classes and points must be as many in all, and there must be at least one part.",
        )
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in STATISTICS}
    origins = [part.origin for part in parts if part.origin is not None]
    origin = np.concatenate(origins) if len(origins) == len(parts) else None
    return replace(parts[0], origin=origin, **joined)


def measure(problems: Problems) -> Statistics:
    """All statistics of a batch of problems.

    The cost grows with the cube of classes × pairs of features: ten classes and 16 take seconds a problem.

    Parameters
    ----------
    problems
        In their own units, as drawn with ``scaling="none"``: whether values are whole numbers is asked of
        these. Everything else scales each feature of each problem by itself: to mean 0 and standard
        deviation 1 in regressions on all points, from 0 to 1 in predictions from trial to trial, as
        learners see them.
    """
    x, y, n_classes = problems.x.double(), problems.y, problems.n_classes
    scaled = replace(problems, x=x).scaled().x
    linear = standardise(x)
    interactions, quadratic = _with_products(linear, squares=False), _with_products(linear, squares=True)
    plain, full = (_regression(design, y, n_classes) for design in (linear, quadratic))
    designs = (linear, quadratic, interactions)
    held_out, *larger = (_held_out(design, y, n_classes) for design in designs)
    likelihood, *likelihoods = (_mean_likelihood(found, y) for found in (held_out, *larger))
    whole = x == x.round()
    found = {
        "pearson": _correlations(x),
        "spearman": _correlations(ranks(x)),
        "gini": gini(plain.weights.norm(dim=-2)),
        "linear_against_quadratic": _posterior(plain, full),
        "linear_against_interactions": _posterior(plain, _regression(interactions, y, n_classes)),
        "held_out_gain_quadratic": likelihoods[0] - likelihood,
        "held_out_gain_interactions": likelihoods[1] - likelihood,
        "logistic_accuracy": _credit(running_probabilities(scaled, y, n_classes), y),
        "neighbour_accuracy": _credit(running_votes(scaled, y, n_classes), y),
        **_balance(y, n_classes),
        "separability_linear": _areas(held_out, y, n_classes).diagonal(dim1=-2, dim2=-1).nanmean(-1),
        "separability_best_feature": _best_area(_areas(x, y, n_classes)),
        "whole_values": whole.double().mean((1, 2)),
        "whole_features": whole.all(1).double().mean(1),
    }
    arrays = {name: tensor.cpu().numpy() for name, tensor in found.items()}
    origin = None if problems.origin is None else problems.origin.cpu().numpy()
    return Statistics(n_features=x.shape[-1], n_classes=n_classes, origin=origin, **arrays)


def standardise(x: torch.Tensor) -> torch.Tensor:
    """Columns with mean 0 and standard deviation 1 over points, constant ones 0: (…, points, columns)."""
    centred = x - x.mean(-2, keepdim=True)
    spread = centred.square().mean(-2, keepdim=True).sqrt()
    # Rounding of the mean must not turn a constant into a column that varies.
    constant = spread <= 1e-9 * x.abs().amax(-2, keepdim=True)
    return torch.where(constant, 0.0, centred / spread)


def ranks(x: torch.Tensor) -> torch.Tensor:
    """Ranks over points from 1, the mean rank for equal values: (…, points, columns)."""
    values = x.mT.contiguous()
    ordered = values.sort(-1).values
    below, upto = (torch.searchsorted(ordered, values, right=right) for right in (False, True))
    return ((below + upto + 1) / 2.0).mT.double()


def gini(sizes: torch.Tensor) -> torch.Tensor:
    """Gini coefficient of the last axis, values at least 0: 0 if all are equal; NaN for one value."""
    n = sizes.shape[-1]
    differences = (sizes[..., None] - sizes[..., None, :]).abs().mean((-1, -2))
    return differences / (2 * sizes.mean(-1)) if n > 1 else torch.full_like(differences, torch.nan)


class _Regression(NamedTuple):
    weights: torch.Tensor
    bic: torch.Tensor
    n_parameters: torch.Tensor


def _regression(design: torch.Tensor, y: torch.Tensor, n_classes: int) -> _Regression:
    """Logistic regression on all points, with as many parameters as columns that are no sum of others."""
    fit = fit_logistic(design, y, n_classes)
    loss = -fit.log_probabilities(design).gather(-1, y[..., None]).sum((-1, -2))
    with_constant = torch.cat([design, torch.ones_like(design[..., :1])], -1)
    n_parameters = torch.linalg.matrix_rank(with_constant, rtol=1e-8) * (fit.seen.sum(-1) - 1)
    return _Regression(fit.weights, 2 * loss + n_parameters * np.log(y.shape[-1]), n_parameters)


def _posterior(plain: _Regression, larger: _Regression) -> torch.Tensor:
    """Probability of the plain one of two regressions that were equally likely before: (problems,)."""
    posterior = torch.sigmoid((larger.bic - plain.bic) / 2)
    return posterior.masked_fill(larger.n_parameters == plain.n_parameters, torch.nan)


def _with_products(x: torch.Tensor, *, squares: bool) -> torch.Tensor:
    """Standardised columns, then their products in pairs: (problems, points, columns)."""
    i, j = torch.triu_indices(x.shape[-1], x.shape[-1], offset=0 if squares else 1)
    return torch.cat([x, standardise(x[..., i] * x[..., j])], -1)


def _earlier(y: torch.Tensor, n_classes: int) -> torch.Tensor:
    """How often each class occurred before each point: (problems, points, classes)."""
    one_hot = functional.one_hot(y, n_classes)
    return one_hot.cumsum(1) - one_hot


def _held_out(design: torch.Tensor, y: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Log-probability of each class at each point from the other folds: (problems, points, classes).

    The points of each class are dealt to the folds in turn. NaN where the other folds have one class only.
    """
    fold = _earlier(y, n_classes).gather(-1, y[..., None])[..., 0] % N_FOLDS
    training = fold[:, None] != torch.arange(N_FOLDS, device=y.device)[:, None]
    fit = fit_logistic(design, y, n_classes, weight=training, ridge=HELD_OUT_RIDGE)
    # Rounded, because equal points may differ in their last digits and would not count as ties.
    found = fit.log_probabilities(design[:, None]).round(decimals=9)
    return found.gather(1, fold[:, None, :, None].expand(-1, -1, -1, n_classes))[:, 0]


def _mean_likelihood(log_probabilities: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean log-probability of the points whose class occurs in the other folds: (problems,)."""
    found = log_probabilities.gather(-1, y[..., None])[..., 0]
    return found.masked_fill(found.isinf(), torch.nan).nanmean(-1)


def _correlations(x: torch.Tensor) -> torch.Tensor:
    """Pearson's r of every pair of columns, NaN where one is constant: (problems, pairs)."""
    z = standardise(x)
    i, j = torch.triu_indices(x.shape[-1], x.shape[-1], offset=1)
    found = (z[..., i] * z[..., j]).mean(-2)
    constant = (z == 0).all(-2)
    return found.masked_fill(constant[..., i] | constant[..., j], torch.nan)


def _areas(scores: torch.Tensor, y: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Area under the ROC curve of every column as a score for every class: (problems, columns, classes).

    NaN for a class where it or the others have fewer than two points, and where a score is NaN.
    """
    one_hot = functional.one_hot(y, n_classes).double()
    count = one_hot.sum(1)[:, None]
    area = (ranks(scores).mT @ one_hot - count * (count + 1) / 2) / (count * (y.shape[1] - count))
    undefined = (count < 2) | (count > y.shape[1] - 2) | scores.isnan().any(1)[..., None]
    return area.masked_fill(undefined, torch.nan)


def _best_area(areas: torch.Tensor) -> torch.Tensor:
    """The area furthest from one half, turned to lie above it: (problems,)."""
    best = (areas - 0.5).abs().nan_to_num(-1.0).amax((-1, -2))
    return torch.where(best < 0, torch.nan, best + 0.5)


def _credit(scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Share of the highest-scored classes that the right one has, by chance until two classes were seen."""
    n_classes = scores.shape[-1]
    best = scores >= scores.amax(-1, keepdim=True) - 1e-9
    credit = best.gather(-1, y[..., None])[..., 0] / best.sum(-1)
    return torch.where((_earlier(y, n_classes) > 0).sum(-1) < 2, 1 / n_classes, credit.double())


def _balance(y: torch.Tensor, n_classes: int) -> dict[str, torch.Tensor]:
    share = functional.one_hot(y, n_classes).double().mean(1)
    entropy = -torch.special.xlogy(share, share).sum(-1) / np.log(n_classes)
    return {"class_entropy": entropy, "minority_share": share.amin(-1)}

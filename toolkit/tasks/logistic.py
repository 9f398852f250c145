"""Logistic regression of many problems at once, by damped Newton steps in double precision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch.nn import functional

from toolkit.errors import UsageError

UNREGULARISED = 1e-6
"""Ridge that stands for none: where a plane divides the classes the likelihood has no maximum without one,
and with this one the weights are close to the widest margin. scikit-learn's ``C`` is 1 / ridge."""

MOST_STEPS = 100
TOLERANCE = 1e-6
"""A fit has converged when a step changes no coefficient by more than this, relative to the largest; what is
left then is about its square, as Newton steps converge quadratically."""

_TRIALS_AT_ONCE = 16
_NUMBERS_AT_ONCE = 400_000


@dataclass(frozen=True)
class LogisticFit:
    """Coefficients as scikit-learn's ``coef_`` and ``intercept_``: one row for two classes, else one a class.

    Attributes
    ----------
    weights
        (…, rows, features); NaN where fewer than two classes occur.
    intercept
        (…, rows), NaN likewise.
    seen
        (…, classes), whether a class occurs; one that does not has weights of 0 and a probability of 0.
    converged
        (…); false also where there was nothing to fit.
    """

    weights: torch.Tensor
    intercept: torch.Tensor
    seen: torch.Tensor
    converged: torch.Tensor

    def log_probabilities(self, x: torch.Tensor) -> torch.Tensor:
        """Log-probability of every class at points (…, points, features): (…, points, classes)."""
        scores = torch.einsum("...kf,...pf->...pk", self.weights, x.double()) + self.intercept[..., None, :]
        if scores.shape[-1] == 1:
            scores = torch.cat([torch.zeros_like(scores), scores], -1)
        else:
            scores = scores.masked_fill(~self.seen[..., None, :], -torch.inf)
        return torch.log_softmax(scores, -1)


def fit_logistic(
    x: torch.Tensor,
    y: torch.Tensor,
    n_classes: int,
    *,
    weight: torch.Tensor | None = None,
    ridge: float = UNREGULARISED,
) -> LogisticFit:
    """The least of: sum of weight × (−log-probability) + ridge / 2 × sum of squared weights, not intercepts.

    Two classes have one vector of weights, more have one each, as in scikit-learn; so also when only two
    of several classes occur. Features should be on comparable scales.

    Parameters
    ----------
    x
        (…, points, features).
    y
        (…, points), classes 0 to ``n_classes`` - 1.
    weight
        Weight of every point, at least 0: (…, points), or (…, fits, points) for several fits of the same
        points, for instance prefixes or folds; the fits are then the last axis of the batch.
    ridge
        1.0 is scikit-learn's default, :data:`UNREGULARISED` stands for none.
    """
    _check(x, y, n_classes, weight, ridge)
    batch, (n_points, n_features) = y.shape[:-1], x.shape[-2:]
    weight = y.new_ones(y.shape) if weight is None else weight
    fits = weight.shape[len(batch) : -1]
    x, y = x.double().reshape(-1, n_points, n_features), y.reshape(-1, n_points)
    weight = weight.double().reshape(len(y), -1, n_points)
    parts = [
        _fit(x[rows], y[rows], weight[rows], n_classes, ridge)
        for rows in _chunks(*weight.shape, n_features + 1, 1 if n_classes == 2 else n_classes)
    ]
    coefficients, seen, converged = (
        torch.cat(part).reshape(*batch, *fits, *part[0].shape[2:]) for part in zip(*parts, strict=True)
    )
    return LogisticFit(coefficients[..., :-1], coefficients[..., -1], seen, converged)


def running_probabilities(
    x: torch.Tensor, y: torch.Tensor, n_classes: int, *, ridge: float = UNREGULARISED
) -> torch.Tensor:
    """Probability of each class on every trial, from a fit to all trials before it.

    While fewer than two classes have been seen there is nothing to fit, and the probability is the smoothed
    base rate, (times seen + 1) / (trials seen + classes). After that an unseen class has probability 0.

    Parameters
    ----------
    x, y
        (problems, points, features) and (problems, points), points in the order of trials.

    Returns
    -------
    (problems, points, classes), double precision.
    """
    earlier = functional.one_hot(y, n_classes).cumsum(1) - functional.one_hot(y, n_classes)
    probabilities = (earlier + 1.0).double() / (earlier.sum(-1, keepdim=True) + n_classes)
    fitted = (earlier > 0).sum(-1, keepdim=True) >= 2
    trial = torch.arange(y.shape[1], device=y.device)
    # Blocks of trials, because a trial's fit needs only the points before the end of its block.
    for start in range(0, y.shape[1], _TRIALS_AT_ONCE):
        now = slice(start, start + _TRIALS_AT_ONCE)
        past = slice(0, start + _TRIALS_AT_ONCE)
        weight = (trial[past] < trial[now, None]).expand(len(y), -1, -1)
        fit = fit_logistic(x[:, past], y[:, past], n_classes, weight=weight, ridge=ridge)
        found = fit.log_probabilities(x[:, now, None])[:, :, 0].exp()
        probabilities[:, now] = torch.where(fitted[:, now], found, probabilities[:, now])
    return probabilities


def _check(
    x: torch.Tensor, y: torch.Tensor, n_classes: int, weight: torch.Tensor | None, ridge: float
) -> None:
    shapes = f"x is {tuple(x.shape)}, y {tuple(y.shape)}"
    if x.shape[:-1] != y.shape or not y.numel():
        raise UsageError(f"{shapes}.", where="fit_logistic", fix="y has the shape of x without the features.")
    if weight is not None and (
        weight.shape[-1] != y.shape[-1]
        or weight.shape[: y.dim() - 1] != y.shape[:-1]
        or weight.dim() not in (y.dim(), y.dim() + 1)
    ):
        raise UsageError(
            f"{shapes} and weight {tuple(weight.shape)}.",
            where="fit_logistic",
            fix="weight has the shape of y, or one more axis before the points.",
        )
    if ridge <= 0:
        raise UsageError(f"ridge is {ridge}.", where="fit_logistic", fix=f"{UNREGULARISED} stands for none.")
    if n_classes < 2 or y.min() < 0 or y.max() >= n_classes:
        raise UsageError(
            f"classes go from {int(y.min())} to {int(y.max())} and n_classes is {n_classes}.",
            where="fit_logistic",
        )
    if not x.isfinite().all():
        raise UsageError("x has values that are not finite.", where="fit_logistic")


def _chunks(n_problems: int, n_fits: int, n_points: int, n_columns: int, n_rows: int) -> Iterator[slice]:
    """Problems to fit together: few enough that what a step touches stays small, and near the processor."""
    touched = n_fits * n_rows**2 * (n_points + n_columns**2) + n_points * n_columns**2
    size = max(1, _NUMBERS_AT_ONCE // touched)
    return (slice(start, start + size) for start in range(0, n_problems, size))


class _Likelihood:
    """What is made small, and its derivatives in the scores, which are (problems, fits, rows, points)."""

    def __init__(
        self,
        design: torch.Tensor,
        y: torch.Tensor,
        weight: torch.Tensor,
        seen: torch.Tensor,
        penalty: torch.Tensor,
    ) -> None:
        self.design, self.weight, self.penalty = design, weight, penalty
        self.binary, self.unseen = seen.shape[-1] == 2, ~seen[..., None]
        one_hot = functional.one_hot(y, seen.shape[-1]).mT.double()
        self.target = one_hot[:, None, 1:] if self.binary else one_hot[:, None]

    def of(self, theta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores, and the penalised loss (problems, fits), of coefficients (problems, fits, rows, columns)."""
        scores = (theta.flatten(1, 2) @ self.design.mT).unflatten(1, theta.shape[1:3])
        if self.binary:
            log_probability = functional.logsigmoid((2 * self.target - 1) * scores)[:, :, 0]
        else:
            # A class that is not seen has no weighted points; 0 keeps its infinity out of the sum.
            logs = self._log_softmax(scores).masked_fill(self.unseen, 0.0)
            log_probability = (self.target * logs).sum(2)
        loss = -(self.weight * log_probability).sum(-1)
        return scores, loss + (self.penalty * theta**2).sum((-1, -2)) / 2

    def derivatives(self, scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """First (problems, fits, rows, points) and second (problems, fits, rows, rows, points), no penalty."""
        weight = self.weight[:, :, None]
        if self.binary:
            chance = torch.sigmoid(scores)
            return weight * (chance - self.target), (weight * chance * (1 - chance))[:, :, None]
        chance = self._log_softmax(scores).exp()
        second = torch.diag_embed(chance.movedim(2, -1)).movedim(2, -1)
        second = second - chance[:, :, :, None] * chance[:, :, None]
        return weight * (chance - self.target), weight[:, :, None] * second

    def _log_softmax(self, scores: torch.Tensor) -> torch.Tensor:
        return torch.log_softmax(scores.masked_fill(self.unseen, -torch.inf), 2)


def _fit(
    x: torch.Tensor, y: torch.Tensor, weight: torch.Tensor, n_classes: int, ridge: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Coefficients (problems, fits, rows, features + 1), seen (…, classes) and converged (problems, fits)."""
    design = torch.cat([x, x.new_ones(*x.shape[:-1], 1)], -1)
    pairs = (design[..., None] * design[..., None, :]).flatten(2)
    seen = weight @ functional.one_hot(y, n_classes).double() > 0
    penalty = _penalty(seen, ridge, design.shape[-1])
    likelihood = _Likelihood(design, y, weight, seen, penalty)
    n_rows = 1 if n_classes == 2 else n_classes
    fixed = penalty.expand(-1, -1, n_rows, -1).flatten(2).diag_embed() + _anchor(seen, design.shape[-1])
    theta = design.new_zeros(*weight.shape[:2], n_rows, design.shape[-1])
    fittable = seen.sum(-1) >= 2
    converged = torch.zeros_like(fittable)
    scores, loss = likelihood.of(theta)
    for _ in range(MOST_STEPS):
        first, second = likelihood.derivatives(scores)
        gradient = (first.flatten(1, 2) @ design).view_as(theta) + penalty * theta
        step, solved = _newton_step(gradient, second, pairs, fixed)
        moving = fittable & solved & ~converged
        step = torch.where(moving[..., None, None], step, 0.0)
        theta, scores, loss = _descend(likelihood, theta, loss, gradient, step)
        limit = TOLERANCE * (1 + theta.abs().amax((-1, -2)))
        converged |= moving & (step.abs().amax((-1, -2)) <= limit)
        if (converged | ~fittable).all():
            break
    return theta.masked_fill(~fittable[..., None, None], torch.nan), seen, converged


def _descend(
    likelihood: _Likelihood,
    theta: torch.Tensor,
    loss: torch.Tensor,
    gradient: torch.Tensor,
    step: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Coefficients, scores and loss after each fit's step, halved until it leads down."""
    descent = (gradient * step).sum((-1, -2))
    share = torch.ones_like(descent)
    while True:
        moved = theta - share[..., None, None] * step
        scores, new = likelihood.of(moved)
        # Rounding may hide a descent that is real but tiny.
        worse = (new > loss - 1e-4 * share * descent + 1e-13 * (1 + loss)) & (share > 1e-8)
        if not worse.any():
            return moved, scores, new
        share = torch.where(worse, share / 2, share)


def _penalty(seen: torch.Tensor, ridge: float, n_columns: int) -> torch.Tensor:
    """Ridge of every coefficient, 0 for the intercept: (problems, fits, 1, columns).

    Two opposite vectors of weights are half as long each as the one vector of a two-class fit, so where two
    of several classes are seen their ridge is twice as strong: both ways then give the same probabilities.
    """
    pair = (seen.shape[-1] > 2) & (seen.sum(-1) == 2)
    columns = torch.ones(n_columns, dtype=torch.double, device=seen.device)
    columns[-1] = 0
    return ridge * torch.where(pair, 2.0, 1.0)[..., None, None] * columns


def _anchor(seen: torch.Tensor, n_columns: int) -> torch.Tensor:
    """What keeps the curvature of several classes invertible: (problems, fits, coefficients, coefficients).

    The same number added to the coefficients of all classes changes nothing, and a class not seen has no
    coefficients to fit; along these directions the gradient is 0, so any curvature there leaves them alone.
    """
    if seen.shape[-1] == 2:
        return torch.zeros((), dtype=torch.double, device=seen.device)
    present = seen.double()
    classes = present[..., None] * present[..., None, :] + (1 - present).diag_embed()
    return torch.kron(classes, torch.eye(n_columns, dtype=torch.double, device=seen.device))


def _newton_step(
    gradient: torch.Tensor, second: torch.Tensor, pairs: torch.Tensor, fixed: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Curvature divided into the gradient, and where that could be solved: (problems, fits)."""
    problems, fits, rows, columns = gradient.shape
    curvature = (second.flatten(1, 3) @ pairs).view(problems, fits, rows, rows, columns, columns)
    curvature = curvature.transpose(3, 4).reshape(problems, fits, rows * columns, -1) + fixed
    curvature.diagonal(dim1=-2, dim2=-1).mul_(1 + 1e-12)
    factor, failed = torch.linalg.cholesky_ex(curvature)
    step = torch.cholesky_solve(gradient.flatten(2)[..., None], factor)
    return step[..., 0].view_as(gradient), failed == 0

"""How far the statistics of one source of problems are from those of another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from toolkit.errors import UsageError, did_you_mean
from toolkit.tasks.statistics import STATISTICS, Statistics

SMOOTHING = 1e-6
"""Added to the share of every bin before shares are compared, as earlier work did."""

Distance = Literal["kl", "wasserstein"]

LEAST_ORIGINS = 5
"""With fewer tables or descriptions uncertainty is over problems, which says less than it seems."""

_FOLDS, _TREES = 5, 200
_NUMBERS_AT_ONCE = 2_000_000


class Interval(NamedTuple):
    """An estimate with its 95 % bootstrap interval."""

    estimate: float
    low: float
    high: float


def bins_of(name: str, n_features: int) -> np.ndarray:
    """Edges of the bins of one statistic: those of earlier work where it had any, else 11.

    11 bins from −1 to 1 for correlations, 11 from 0 to 1 − 1 / features for the Gini coefficient, 5 from 0
    to 1 for posteriors of linearity; 11 from −1 to 1 for held-out gains and from 0 to 1 for all others.
    """
    if name in ("pearson", "spearman") or name.startswith("held_out_gain"):
        return np.linspace(-1, 1, 12)
    if name == "gini" and n_features > 1:
        return np.linspace(0, 1 - 1 / n_features, 12)
    return np.linspace(0, 1, 6 if name.startswith("linear_against") else 12)


def histogram_kl(reference: np.ndarray, source: np.ndarray, bins: np.ndarray) -> float:
    """Kullback-Leibler divergence KL(reference ‖ source) between histograms, in nats.

    It is large where the reference has values that the source lacks. Values beyond the outer edges count in
    the outer bins; shares are smoothed by :data:`SMOOTHING` and brought to a sum of 1 again.
    """
    counts = [_bin_counts(np.asarray(values)[:, None], bins).sum(0) for values in (reference, source)]
    return float(_kl(*counts))


def wasserstein(reference: np.ndarray, source: np.ndarray) -> float:
    """Mean distance that values must move to turn one distribution into the other, in their own unit."""
    from scipy.stats import wasserstein_distance

    return float(wasserstein_distance(reference, source)) if len(reference) and len(source) else np.nan


def two_sample_auc(
    first: Statistics, second: Statistics, *, rng: np.random.Generator, n_bootstrap: int = 200
) -> Interval:
    """How well a random forest tells problems of two sources apart by all their statistics.

    The area under the ROC curve on problems of tables or descriptions that the forest was not fitted to: 0.5
    if they look alike, 1 if every problem gives its source away. The interval resamples tables but not fits,
    and is too narrow for it: of 24 pairs of equal sources with 60 problems each it held 0.5 in 20. To test a difference, set the estimate
    beside those of equal sources.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    _check_sizes({"first": first, "second": second}, "first")
    origins = [_origins(first), _origins(second)]
    if min(len(first), len(second)) < _FOLDS:
        raise UsageError(f"a source has fewer than {_FOLDS} problems.", where="two_sample_auc")
    table = pd.concat([first.table(), second.table()]).dropna(axis="columns", how="all")
    source = np.repeat([0, 1], [len(first), len(second)])
    forest = RandomForestClassifier(_TREES, random_state=int(rng.integers(2**31)))
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=int(rng.integers(2**31)))
    groups = np.concatenate([origins[0], origins[1] + origins[0].max() + 1])
    found = cross_val_predict(
        forest, table.to_numpy(), source, groups=groups, cv=folds, method="predict_proba"
    )
    scores = found[:, 1]
    weights = np.concatenate([_resample(origin, n_bootstrap, rng) for origin in origins], 1)
    draws = [roc_auc_score(source, scores, sample_weight=weight) for weight in weights]
    return Interval(float(roc_auc_score(source, scores)), *np.percentile(draws, [2.5, 97.5]).tolist())


def compare_sources(
    statistics: Mapping[str, Statistics],
    reference: str,
    *,
    rng: np.random.Generator,
    n_bootstrap: int = 200,
) -> pd.DataFrame:
    """Distance of every source from a reference in every statistic, with 95 % bootstrap intervals.

    Tables or descriptions of both sets are drawn again with replacement, each with all problems that come
    from it; problems made anew are drawn one by one. That adds noise: like any distance of samples, those of
    the draws lie above zero even for equal sources. What equal sources would show is the row
    "<reference> (split half)": the median and the range over random halves of the reference.

    Parameters
    ----------
    statistics
        Of every source, by name, the reference among them; problems of equally many features and classes.

    Returns
    -------
    Columns source, statistic, kl (KL(reference ‖ source)), kl_low, kl_high, wasserstein, wasserstein_low,
    wasserstein_high; NaN where a statistic is not defined for any problem.
    """
    _check_sizes(statistics, reference)
    known = statistics[reference]
    rows, halves = [], _halves(_origins(known), n_bootstrap, rng)
    for name, pair in _pairs(known, known):
        row = {"source": f"{reference} (split half)", "statistic": name}
        for distance, measure in _DISTANCES.items():
            drawn = measure(pair, *halves)
            row |= _columns(distance, np.median(drawn), drawn)
        rows.append(row)
    for source, draws in _resamples(statistics, reference, n_bootstrap, rng):
        once = [np.ones((1, weights.shape[1])) for weights in draws]
        for name, pair in _pairs(known, statistics[source]):
            row = {"source": source, "statistic": name}
            for distance, measure in _DISTANCES.items():
                row |= _columns(distance, measure(pair, *once)[0], measure(pair, *draws))
            rows.append(row)
    return pd.DataFrame(rows)


def closest_source(
    statistics: Mapping[str, Statistics],
    reference: str,
    *,
    rng: np.random.Generator,
    n_bootstrap: int = 200,
    distance: Distance = "wasserstein",
) -> pd.DataFrame:
    """Probability, over bootstrap draws, that each source is the closest to a reference.

    Returns
    -------
    Columns statistic, source and probability, draws with equal distances shared. The statistic "all" is the
    mean over statistics of distances divided by their mean over sources and draws; statistics that are not
    defined in every draw are left out.
    """
    _check_sizes(statistics, reference)
    if distance not in _DISTANCES:
        raise UsageError(f"there is no distance '{distance}'.", fix=did_you_mean(distance, _DISTANCES))
    found: dict[str, list[np.ndarray]] = {name: [] for name in STATISTICS}
    sources = []
    for source, draws in _resamples(statistics, reference, n_bootstrap, rng):
        sources.append(source)
        for name, pair in _pairs(statistics[reference], statistics[source]):
            found[name].append(_DISTANCES[distance](pair, *draws))
    distances = {name: np.stack(rows) for name, rows in found.items() if np.isfinite(rows).all()}
    scaled = [rows / rows.mean() for rows in distances.values() if rows.mean() > 0]
    if scaled:
        distances["all"] = np.mean(scaled, axis=0)
    rows = []
    for name, drawn in distances.items():
        closest = drawn == drawn.min(0)
        shares = (closest / closest.sum(0)).mean(1)
        rows += [
            {"statistic": name, "source": source, "probability": share}
            for source, share in zip(sources, shares, strict=True)
        ]
    return pd.DataFrame(rows, columns=["statistic", "source", "probability"])


class _Pair(NamedTuple):
    """One statistic of the reference and of a source: (problems, values) each."""

    reference: np.ndarray
    source: np.ndarray
    bins: np.ndarray


def _check_sizes(statistics: Mapping[str, Statistics], reference: str) -> None:
    if reference not in statistics:
        raise UsageError(f"there is no source '{reference}'.", fix=did_you_mean(reference, statistics))
    size = statistics[reference].n_features, statistics[reference].n_classes
    for source, found in statistics.items():
        if (found.n_features, found.n_classes) != size:
            raise UsageError(
                f"its problems have {found.n_features} features and {found.n_classes} classes, those of "
                f"'{reference}' {size[0]} and {size[1]}.",
                where=f"source '{source}'",
                fix="Draw problems of one size.",
            )


def _pairs(reference: Statistics, source: Statistics) -> Iterator[tuple[str, _Pair]]:
    for name in STATISTICS:
        bins = bins_of(name, reference.n_features)
        yield name, _Pair(reference.per_problem(name), source.per_problem(name), bins)


def _resamples(
    statistics: Mapping[str, Statistics], reference: str, n_bootstrap: int, rng: np.random.Generator
) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """For every source, how often each problem of the reference and of it is drawn: (draws, problems).

    Every source meets the same draws of the reference.
    """
    known = _resample(_origins(statistics[reference]), n_bootstrap, rng)
    for source, found in statistics.items():
        if source != reference:
            yield source, (known, _resample(_origins(found), n_bootstrap, rng))


def _origins(statistics: Statistics) -> np.ndarray:
    """Number of the table or description of every problem, from 0 without gaps: (problems,).

    Each problem counts by itself where fewer than :data:`LEAST_ORIGINS` tables leave nothing to resample.
    """
    if statistics.origin is None or len(np.unique(statistics.origin)) < LEAST_ORIGINS:
        return np.arange(len(statistics))
    return np.unique(statistics.origin, return_inverse=True)[1]


def _resample(origins: np.ndarray, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """How often each problem is in a draw of as many origins with replacement: (draws, problems)."""
    n_origins = origins.max() + 1
    return rng.multinomial(n_origins, np.full(n_origins, 1 / n_origins), n_draws)[:, origins].astype(float)


def _halves(origins: np.ndarray, n_draws: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Random halves of the origins as weights of problems, 1 in one and 0 in the other: (draws, problems)."""
    n_origins = origins.max() + 1
    order = rng.random((n_draws, n_origins)).argsort(1).argsort(1)
    first = (order < n_origins // 2)[:, origins]
    return first.astype(float), (~first).astype(float)


def _columns(distance: str, estimate: float, draws: np.ndarray) -> dict[str, float]:
    low, high = np.percentile(draws, [2.5, 97.5])
    return {distance: estimate, f"{distance}_low": low, f"{distance}_high": high}


def _bin_counts(values: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Finite values of every problem in every bin: (problems, values) -> (problems, bins)."""
    position = np.clip(np.searchsorted(bins, values, side="right") - 1, 0, len(bins) - 2)
    position[~np.isfinite(values)] = -1
    return np.stack([(position == number).sum(1) for number in range(len(bins) - 1)], 1)


def _kl(reference: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Divergence of counts (…, bins) along the last axis, NaN where there are none."""
    shares = []
    for counts in (reference, source):
        total = counts.sum(-1, keepdims=True)
        share = np.where(total > 0, counts / np.maximum(total, 1), np.nan) + SMOOTHING
        shares.append(share / share.sum(-1, keepdims=True))
    return (shares[0] * np.log(shares[0] / shares[1])).sum(-1)


def _weighted_kl(pair: _Pair, reference: np.ndarray, source: np.ndarray) -> np.ndarray:
    """KL for every set of weights of problems, (draws, problems): (draws,)."""
    return _kl(
        reference @ _bin_counts(pair.reference, pair.bins), source @ _bin_counts(pair.source, pair.bins)
    )


def _weighted_wasserstein(pair: _Pair, reference: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Area between the distribution functions for every set of weights, (draws, problems): (draws,)."""
    defined = [np.isfinite(values) for values in (pair.reference, pair.source)]
    if not all(one.any() for one in defined):
        return np.full(len(reference), np.nan)
    problem_of = [one.nonzero()[0] for one in defined]
    values = np.concatenate([pair.reference[defined[0]], pair.source[defined[1]]])
    order = values.argsort(kind="stable")
    widths = np.diff(values[order])
    size = max(1, _NUMBERS_AT_ONCE // len(values))
    found = []
    for start in range(0, len(reference), size):
        draws = slice(start, start + size)
        known, other = reference[draws][:, problem_of[0]], source[draws][:, problem_of[1]]
        # A draw may hold only problems without a value; its distance is NaN.
        with np.errstate(invalid="ignore"):
            known, other = (part / part.sum(1, keepdims=True) for part in (known, other))
        steps = np.concatenate([known, -other], 1)[:, order]
        found.append(np.abs(steps.cumsum(1)[:, :-1]) @ widths)
    return np.concatenate(found)


_DISTANCES: dict[str, Callable[[_Pair, np.ndarray, np.ndarray], np.ndarray]] = {
    "kl": _weighted_kl,
    "wasserstein": _weighted_wasserstein,
}

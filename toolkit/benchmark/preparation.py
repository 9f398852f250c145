"""How columns of a table become numbers that a learner can use, everything learned on the rows given."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
import pandas as pd

from toolkit.errors import DataError

Words = Literal["one_hot", "codes"]
Reduction = Literal["select", "project"]
Scaling = Literal["range", "rank", "spread"]


class ColumnCoder:
    """Numbers for all columns, without gaps.

    Missing numbers become the median; missing words are a word of their own. Words become a column for
    each, one column if there are two of them; those that were never seen are none of them.

    Parameters
    ----------
    words
        "codes" makes one column of words, numbered in the order of the alphabet, as earlier work did.
    """

    def __init__(self, words: Words = "one_hot") -> None:
        self.words = words

    def fit(self, features: pd.DataFrame | np.ndarray) -> Self:
        """Learn medians and words."""
        self._known: list[np.ndarray | float] = []
        if _all_numbers(features):
            self._known += _medians(features).tolist()
            return self
        for column in _columns(features):
            if _is_number(column):
                self._known += _medians(_numbers(column)[:, None]).tolist()
            else:
                self._known.append(np.unique(_as_words(column)))
        return self

    def transform(self, features: pd.DataFrame | np.ndarray) -> np.ndarray:
        """(rows, columns); with words there can be more columns than there were."""
        if _all_numbers(features):  # Column by column takes longer than a network takes to answer.
            return np.where(np.isnan(features), self._known, features)
        coded = []
        for column, known in zip(_columns(features), self._known, strict=True):
            if isinstance(known, float):
                values = _numbers_again(column)
                coded.append(np.where(np.isnan(values), known, values)[:, None])
            else:
                coded.append(self._code(_as_words(column), known))
        return np.concatenate(coded, 1)

    def _code(self, column: np.ndarray, known: np.ndarray) -> np.ndarray:
        matches = (column[:, None] == known).astype(float)
        if self.words == "codes":
            return np.where(matches.any(1), matches.argmax(1), -1.0)[:, None]
        return matches[:, 1:] if len(known) == 2 else matches


class FeatureReducer:
    """At most ``n_features``: those that differ most between classes, or principal components.

    Parameters
    ----------
    reduction
        "select" takes the columns whose means differ most beside their spread (analysis of variance),
        "project" the directions in which standardised columns vary most.
    """

    def __init__(self, n_features: int | None, reduction: Reduction = "select") -> None:
        self.n_features, self.reduction = n_features, reduction

    def fit(self, x: np.ndarray, y: np.ndarray) -> Self:
        """Parameters
        ----------
        x, y
            (rows, columns) and (rows,) class numbers.
        """
        self._best = np.arange(x.shape[1])
        self._directions = None
        if self.n_features is None or x.shape[1] <= self.n_features:
            return self
        if self.reduction == "select":
            self._best = np.argsort(-separation(x, y), kind="stable")[: self.n_features]
            return self
        spread = x.std(0)
        self._mean, self._spread = x.mean(0), np.where(spread > 0, spread, 1.0)
        _, _, directions = np.linalg.svd((x - self._mean) / self._spread, full_matrices=False)
        self._directions = directions[: self.n_features].T
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        """(rows, features)."""
        if self._directions is None:
            return x[:, self._best]
        return (x - self._mean) / self._spread @ self._directions


def separation(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Variance between classes beside that within, a number a column: proportional to F.

    >>> separation(np.array([[0.0, 5.0], [1.0, 5.0], [4.0, 5.0], [5.0, 5.0]]), np.array([0, 0, 1, 1]))
    array([16.,  0.])
    """
    member = (y[:, None] == np.unique(y)).astype(float)
    means = member.T @ x / member.sum(0)[:, None]
    between = member.sum(0) @ (means - x.mean(0)) ** 2
    within = ((x - member @ means) ** 2).sum(0)
    # Sums of squares of equal numbers are not always exactly zero.
    nothing = np.finfo(float).eps * len(x) * (x**2).sum(0)
    between, within = np.where(between > nothing, between, 0.0), np.where(within > nothing, within, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(between / within, nan=0.0, posinf=np.inf)


def scale(known: np.ndarray, x: np.ndarray, how: Scaling) -> np.ndarray:
    """Features between 0 and 1 by what is known of each: (rows, features).

    "range" goes from the smallest to the largest known value; "rank" is the share of known values below,
    half of the equal ones included; "spread" goes from two standard deviations below the mean to two above.
    What lies outside becomes 0 or 1, what does not vary one half.
    """
    low, high = known.min(0), known.max(0)
    varies = high > low
    if how == "range":
        scaled = (x - low) / np.where(varies, high - low, 1.0)
    elif how == "spread":
        scaled = (x - known.mean(0)) / np.where(varies, 4 * known.std(0), 1.0) + 0.5
    else:
        scaled = np.stack([_ranks(column, values) for column, values in zip(known.T, x.T, strict=True)], 1)
    return np.where(varies, scaled.clip(0, 1), 0.5)


def _ranks(known: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Rank among known values, interpolated between them."""
    values, counts = np.unique(known, return_counts=True)
    middle = counts.cumsum() - counts / 2
    lowest, highest = middle[0], middle[-1]
    return (np.interp(x, values, middle) - lowest) / max(highest - lowest, 1e-12)


def _all_numbers(features: pd.DataFrame | np.ndarray) -> bool:
    return isinstance(features, np.ndarray) and features.dtype.kind in "biuf"


def _medians(x: np.ndarray) -> np.ndarray:
    """Median of what is there in every column, 0 where nothing is."""
    gaps = np.isnan(x)
    if not gaps.any():
        return np.median(x, 0).astype(float)
    return np.nanmedian(np.where(gaps.all(0), 0.0, x), 0)


def _columns(features: pd.DataFrame | np.ndarray) -> list:
    if isinstance(features, pd.DataFrame):
        return [features.iloc[:, position] for position in range(features.shape[1])]
    return list(features.T)


def _is_number(column: pd.Series | np.ndarray) -> bool:
    return pd.api.types.is_numeric_dtype(column)


def _numbers(column: pd.Series | np.ndarray) -> np.ndarray:
    return pd.Series(column).to_numpy(float, na_value=np.nan)


def _numbers_again(column: pd.Series | np.ndarray) -> np.ndarray:
    """Numbers of a column that had numbers when it was learned."""
    try:
        return _numbers(column)
    except (ValueError, TypeError) as error:
        raise DataError(
            f"it held numbers when they were learned, and now it does not: {error}.",
            where=f"column '{getattr(column, 'name', '')}'",
            fix="Read it as the table was read that was learned from.",
        ) from None


def _as_words(column: pd.Series | np.ndarray) -> np.ndarray:
    words = pd.Series(column).astype(object)
    return words.where(words.notna(), "(missing)").astype(str).to_numpy(str)

"""How tables become sets of rows to learn from and rows to be tested on, the same for every classifier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from toolkit.benchmark.preparation import ColumnCoder, FeatureReducer, scale
from toolkit.benchmark.tables import Table
from toolkit.errors import UsageError
from toolkit.seeds import Seeds

Mixture = Literal["base_rate", "balanced"]


@dataclass(frozen=True)
class Protocol:
    """What every classifier is given.

    Attributes
    ----------
    n_sets
        Draws from each table.
    context_sizes
        Rows to learn from; a size that a table is too small for is left out there.
    n_test
        Rows to be tested on, the same for all context sizes of a set.
    mixtures
        "base_rate" draws classes as often as the table has them, "balanced" equally often.
    n_features
        The columns that differ most between classes; None: all of them.
    learned_on
        Where words, scales and the choice of columns are learned: on the "context" alone, or, as in
        earlier work, on the whole "table", so that rows and classes of the test are used.
    """

    name: str
    n_sets: int
    context_sizes: tuple[int, ...]
    n_test: int
    mixtures: tuple[Mixture, ...]
    n_features: int | None
    learned_on: Literal["context", "table"]

    def __post_init__(self) -> None:
        whole = {
            "n_sets": self.n_sets,
            "n_test": self.n_test,
            "context size": min(self.context_sizes, default=0),
        }
        for what, value in whole.items():
            if value < 1:
                raise UsageError(f"{what} is {value}.", where=f"protocol '{self.name}'", fix="1 or more.")
        if not self.mixtures or set(self.mixtures) - {"base_rate", "balanced"}:
            raise UsageError(f"mixtures are {self.mixtures}.", fix="base_rate, balanced, or both.")
        if self.learned_on not in ("context", "table"):
            raise UsageError(f"learned_on is '{self.learned_on}'.", fix="context or table.")


def published(n_sets: int = 20) -> Protocol:
    """Earlier work's: 50 rows of each of two classes, shuffled; the first 30 are the context, 70 the test."""
    return Protocol("published", n_sets, (30,), 70, ("balanced",), 4, "table")


def fair(
    n_sets: int = 10,
    context_sizes: tuple[int, ...] = (10, 30, 100, 300, 500),
    n_test: int = 100,
    mixtures: tuple[Mixture, ...] = ("base_rate", "balanced"),
    n_features: int | None = 4,
) -> Protocol:
    """Everything is learned on the context; contexts of one set are nested, and stratified."""
    return Protocol("fair", n_sets, context_sizes, n_test, mixtures, n_features, "context")


class Draw(NamedTuple):
    """Rows of one set: numbers of the rows to learn from and of those to be tested on."""

    set: int
    mixture: Mixture
    n_context: int
    context: np.ndarray
    test: np.ndarray


class Prepared(NamedTuple):
    """A draw as numbers.

    Attributes
    ----------
    x, y
        (context, features) and (context,) class numbers.
    test_x, test_y
        The same of the rows to be tested on.
    """

    draw: Draw
    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray


def draw_sets(protocol: Protocol, table: Table, seed: int = 0) -> list[Draw]:
    """All draws from a table; they depend on its name and rows, not on which other tables there are."""
    y = class_numbers(table)
    draws = []
    for mixture in protocol.mixtures:
        rng = Seeds(seed).numpy(f"{protocol.name}/{table.name}/{mixture}")
        for number in range(protocol.n_sets):
            if protocol.learned_on == "table":
                draws += _shuffled(protocol, y, number, rng)
            else:
                draws += _stratified(protocol, y, number, mixture, rng)
    return draws


def prepare_sets(protocol: Protocol, table: Table, seed: int = 0) -> Iterator[Prepared]:
    """All draws from a table as numbers between 0 and 1."""
    y, whole = class_numbers(table), None
    if protocol.learned_on == "table":
        coded = ColumnCoder("codes").fit(table.features).transform(table.features)
        scaled = scale(coded, coded, "range")
        whole = FeatureReducer(protocol.n_features).fit(scaled, y).transform(scaled)
    for draw in draw_sets(protocol, table, seed):
        if whole is not None:
            x, test_x = whole[draw.context], whole[draw.test]
        else:
            x, test_x = _prepare_from_context(protocol, table, y, draw)
        yield Prepared(draw, x, y[draw.context], test_x, y[draw.test])


def class_numbers(table: Table) -> np.ndarray:
    """(rows,) classes as 0, 1, … in the order of their names."""
    return pd.factorize(table.target, sort=True)[0]


def _prepare_from_context(
    protocol: Protocol, table: Table, y: np.ndarray, draw: Draw
) -> tuple[np.ndarray, np.ndarray]:
    known, asked = table.features.iloc[draw.context], table.features.iloc[draw.test]
    coder = ColumnCoder().fit(known)
    coded = coder.transform(known)
    reducer = FeatureReducer(protocol.n_features).fit(scale(coded, coded, "range"), y[draw.context])
    x, test_x = reducer.transform(coded), reducer.transform(coder.transform(asked))
    return scale(x, x, "range"), scale(x, test_x, "range")


def _shuffled(protocol: Protocol, y: np.ndarray, number: int, rng: np.random.Generator) -> list[Draw]:
    (n_context,) = protocol.context_sizes
    classes, counts = np.unique(y, return_counts=True)
    each = (n_context + protocol.n_test) // len(classes)
    if counts.min() < each:
        return []
    rows = np.concatenate([rng.choice(np.flatnonzero(y == one), each, replace=False) for one in classes])
    rows = rng.permutation(rows)
    return [Draw(number, "balanced", n_context, rows[:n_context], rows[n_context:])]


def _stratified(
    protocol: Protocol, y: np.ndarray, number: int, mixture: Mixture, rng: np.random.Generator
) -> list[Draw]:
    counts = np.bincount(y)
    shares = counts / len(y) if mixture == "base_rate" else np.full(len(counts), 1 / len(counts))
    by_class = [rng.permutation(np.flatnonzero(y == one)) for one in range(len(counts))]
    n_test = _shared_out(protocol.n_test, shares)
    draws = []
    test = np.concatenate([rows[:n] for rows, n in zip(by_class, n_test, strict=True)])
    order = rng.random(len(y))
    for n_context in protocol.context_sizes:
        n_known = _shared_out(n_context, shares)
        if n_context < len(counts) or (n_known + n_test > counts).any():
            continue
        known = np.concatenate(
            [rows[m : m + n] for rows, m, n in zip(by_class, n_test, n_known, strict=True)]
        )
        # One random order for all rows, so that smaller contexts are read in the order of larger ones.
        known = known[order[known].argsort()]
        draws.append(Draw(number, mixture, n_context, known, test))
    return draws


def _shared_out(total: int, shares: np.ndarray) -> np.ndarray:
    """Whole numbers that add up to ``total``, at least one a class where there are enough."""
    wanted = shares * total
    given = np.floor(wanted).astype(int)
    most_left = np.argsort(given - wanted, kind="stable")[: total - given.sum()]
    given[most_left] += 1
    while total >= len(shares) and given.min() == 0:
        given[given.argmax()] -= 1
        given[given.argmin()] += 1
    return given

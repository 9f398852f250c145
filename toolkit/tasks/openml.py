"""Problems of the real world: rows of the OpenML-CC18 tables, or of those that scikit-learn ships."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch

from toolkit.data import list_cc18, load_cc18
from toolkit.data.cc18 import DATASET
from toolkit.errors import DataError, UsageError
from toolkit.tasks.problems import Problems, Source, uniform

MOST_FEATURES, MOST_CLASSES = 16, 10
ROWS_PER_PIECE = 650
"""Longer tables are cut into pieces of so many rows in file order, as earlier work did."""


class _Piece(NamedTuple):
    table: str
    x: np.ndarray
    y: np.ndarray
    n_classes: int


class Tables(Source):
    """Rows of real tables without missing values, features in a random order and classes renamed.

    A problem takes rows without replacement from one piece of one table; every table is as likely as
    another, however long it is. Of a table's features the ones that differ most between classes (ANOVA F
    over all rows) are taken; nominal values become codes.
    """

    name: ClassVar[str] = "openml"
    most_features: ClassVar[int] = MOST_FEATURES
    most_classes: ClassVar[int] = MOST_CLASSES

    def __init__(self, tables: Literal["cc18", "sklearn"] = "cc18") -> None:
        """Parameters
        ----------
        tables
            "cc18" needs `toolkit fetch openml_cc18`; "sklearn" (iris, wine, breast cancer, digits, and
            any two classes of them) is always here.
        """
        readers = {"cc18": _cc18_tables, "sklearn": _sklearn_tables}
        if tables not in readers:
            raise UsageError(
                f"there are no tables '{tables}'.", where="source 'openml'", fix="cc18 or sklearn."
            )
        self.dataset = DATASET if tables == "cc18" else None
        pieces = [piece for table in readers[tables]() for piece in _pieces(*table)]
        if not pieces:
            raise DataError("no table is without missing values.", where="source 'openml'")
        self.tables = list(dict.fromkeys(piece.table for piece in pieces))
        self._table = torch.tensor([self.tables.index(piece.table) for piece in pieces])
        self._n_classes = torch.tensor([piece.n_classes for piece in pieces])
        self._n_rows = torch.tensor([len(piece.y) for piece in pieces])
        self._n_features = torch.tensor([piece.x.shape[1] for piece in pieces])
        longest = int(self._n_rows.max())
        self._x = torch.zeros(len(pieces), longest, MOST_FEATURES)
        self._y = torch.zeros(len(pieces), longest, dtype=torch.long)
        for row, piece in enumerate(pieces):
            self._x[row, : len(piece.y), : piece.x.shape[1]] = torch.as_tensor(piece.x)
            self._y[row, : len(piece.y)] = torch.as_tensor(piece.y)

    def _draw(
        self, n_problems: int, n_points: int, n_features: int, n_classes: int, generator: torch.Generator
    ) -> Problems:
        piece = self._choose_pieces(n_problems, n_points, n_features, n_classes, generator)
        device = generator.device
        # Rows beyond a piece's end get a key above all others, so they never come first.
        keys = uniform(n_problems, self._x.shape[1], generator=generator)
        beyond = torch.arange(self._x.shape[1], device=device) >= self._n_rows.to(device)[piece][:, None]
        rows = keys.masked_fill(beyond, 2.0).argsort(1)[:, :n_points]
        x = self._x.to(device)[piece[:, None], rows]
        order = uniform(n_problems, n_features, generator=generator).argsort(1)
        names = uniform(n_problems, n_classes, generator=generator).argsort(1)
        y = names.gather(1, self._y.to(device)[piece[:, None], rows])
        x = x.gather(2, order[:, None].expand(-1, n_points, -1))
        return Problems(x, y, n_classes, self._table.to(device)[piece])

    def _choose_pieces(
        self, n_problems: int, n_points: int, n_features: int, n_classes: int, generator: torch.Generator
    ) -> torch.Tensor:
        """A table for each problem, then one of its pieces: (problems,)."""
        fits = (self._n_classes == n_classes) & (self._n_rows >= n_points) & (self._n_features >= n_features)
        if not fits.any():
            raise UsageError(
                f"no table has {n_classes} classes, {n_features} features and a piece of {n_points} rows.",
                where="source 'openml'",
                fix=f"Pieces have up to {int(self._n_rows.max())} rows.",
            )
        pieces_of = torch.bincount(self._table[fits], minlength=len(self.tables))[self._table]
        weights = torch.where(fits, 1 / pieces_of.clamp(min=1), 0.0).to(generator.device)
        return torch.multinomial(weights, n_problems, replacement=True, generator=generator)


def _cc18_tables() -> Iterable[tuple[str, pd.DataFrame, pd.Series]]:
    facts = list_cc18()
    whole = facts[(facts["missing"] == 0) & (facts["classes"] <= MOST_CLASSES)]
    for name in whole["name"]:
        features, target, _ = load_cc18(name)
        yield name, features, target


def _sklearn_tables() -> Iterable[tuple[str, pd.DataFrame, pd.Series]]:
    from sklearn import datasets

    for name in ("iris", "wine", "breast_cancer", "digits"):
        table = getattr(datasets, f"load_{name}")(as_frame=True)
        yield name, table.data, table.target
        # Only one of the four has two classes, so two of the others' classes are a problem as well.
        classes = table.target.unique()
        for pair in combinations(classes, 2) if len(classes) > 2 else ():
            rows = table.target.isin(pair)
            yield name, table.data[rows], table.target[rows]


def _pieces(name: str, features: pd.DataFrame, target: pd.Series) -> Iterable[_Piece]:
    """A table cut in file order; a piece in which a class is missing is left out."""
    x, (y, classes) = _best_features(features, target), pd.factorize(target, sort=True)
    n_pieces = max(1, len(y) // ROWS_PER_PIECE)
    for number in range(n_pieces):
        rows = slice(None) if n_pieces == 1 else slice(number * ROWS_PER_PIECE, (number + 1) * ROWS_PER_PIECE)
        if len(np.unique(y[rows])) == len(classes):
            yield _Piece(name, x[rows], y[rows], len(classes))


def _best_features(features: pd.DataFrame, target: pd.Series) -> np.ndarray:
    """The features that differ most between classes, the best first: (rows, at most 16)."""
    from sklearn.feature_selection import f_classif

    coded = [
        column.to_numpy(float)
        if pd.api.types.is_numeric_dtype(column)
        else pd.factorize(column, sort=True)[0]
        for _, column in features.items()
    ]
    x = np.stack(coded, 1).astype(float)
    x = x[:, x.std(0) > 0]
    f, _ = f_classif(x, target)
    best = np.argsort(-np.nan_to_num(f, posinf=np.inf), kind="stable")[:MOST_FEATURES]
    return x[:, best].astype(np.float32)

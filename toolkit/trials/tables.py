"""Trials from a table with one row a trial, and back, with errors that name file, column, row and value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from toolkit.errors import DataError, UsageError, did_you_mean
from toolkit.trials.schemas import DTYPES, FILL, MISSING, Field, Schema, field_of

KEYS = ("participant", "problem", "condition")


def read_trials(
    table: pd.DataFrame,
    schema: Schema,
    columns: dict[str, str | Sequence],
    about: Sequence[str],
    extra: Sequence[str],
    labels: Mapping[str, tuple[str, ...]],
    source: str,
) -> tuple[dict[str, np.ndarray], np.ndarray, pd.DataFrame]:
    """Arrays, mask and table of sequences; the arguments are those of ``Trials.from_table``."""
    return _Reader(table, schema, columns, labels, source).read(about, extra)


def table_of(
    schema: Schema,
    arrays: Mapping[str, np.ndarray],
    mask: np.ndarray,
    sequences: pd.DataFrame,
    labels: Mapping[str, tuple[str, ...]],
) -> pd.DataFrame:
    """One row a trial, from the parts of a ``Trials``."""
    rows, position = np.nonzero(mask)
    columns: dict[str, np.ndarray] = {"trial": position}
    for name, array in arrays.items():
        for index in np.ndindex(array.shape[2:]):
            values = array[(rows, position, *index)]
            if name in labels:
                values = np.array([*labels[name], None], dtype=object)[values]
            columns[column_name(name, index)] = values
    return pd.concat([sequences.iloc[rows].reset_index(drop=True), pd.DataFrame(columns)], axis=1)


def column_name(name: str, index: tuple[int, ...]) -> str:
    """Name of the column that holds one element of a field: ``stimulus_2``, ``attributes_0_1``."""
    return "_".join([name, *map(str, index)])


class _Reader:
    """Reads one table; kept as an object so that every error can say where it is."""

    def __init__(
        self,
        table: pd.DataFrame,
        schema: Schema,
        columns: dict,
        labels: Mapping[str, tuple[str, ...]],
        source: str,
    ) -> None:
        self.table, self.source = table, source
        self.schema, self.columns, self.labels = schema, columns, labels
        known = {field.name for field in schema.fields} | {*KEYS, "trial"}
        for name in columns:
            if name not in known:
                raise UsageError(
                    f"{schema.name} trials have no field '{name}'.", fix=did_you_mean(name, known)
                )

    def read(
        self, about: Sequence[str], extra: Sequence[str]
    ) -> tuple[dict[str, np.ndarray], np.ndarray, pd.DataFrame]:
        if self.table.empty:
            raise DataError("the table has no rows.", where=self.source)
        sequence, position, sequences = self._sequences(about)
        shape = (len(sequences), int(position.max()) + 1)
        mask = np.zeros(shape, dtype=bool)
        mask[sequence, position] = True
        fields = [*self.schema.fields, *map(self._extra_field, extra)]
        arrays = {}
        for field in fields:
            values = self._field(field)
            if values is None:
                continue
            array = np.full((*shape, *values.shape[1:]), FILL[field.kind], dtype=DTYPES[field.kind])
            array[sequence, position] = values
            arrays[field.name] = array
        return arrays, mask, sequences

    def _extra_field(self, name: str) -> Field:
        if name in self.labels:
            return Field(name, "code", required=False, may_miss=True)
        return field_of(self.schema, name, self._column(name).to_numpy())

    def _sequences(self, about: Sequence[str]) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
        """Row's sequence number, its position in the sequence, and the table of sequences."""
        defaults = {"problem": 0, "condition": "all"}
        keys = pd.DataFrame(index=self.table.index)
        for key in KEYS:
            column = self.columns.get(key, key)
            absent = key in defaults and column not in self.table
            keys[key] = defaults[key] if absent else self._column(column, whole=True)
        number = keys.groupby(["participant", "problem"], sort=False).ngroup().to_numpy()
        for column in about:
            keys[column] = self._column(column)
        firsts = keys.groupby(number).nth(0)
        self._require_constant(keys, firsts.iloc[number])
        clock = self.columns.get("trial", "trial")
        if clock in self.table:
            when = self._numbers(clock, whole=True)
            order = np.lexsort((when, number))
            self._refuse_repeated(clock, number, when)
        else:
            order = np.argsort(number, kind="stable")
        position = np.empty(len(number), dtype=int)
        position[order] = pd.Series(number[order]).groupby(number[order]).cumcount()
        return number, position, firsts.reset_index(drop=True)

    def _require_constant(self, keys: pd.DataFrame, expected: pd.DataFrame) -> None:
        for column in keys.columns[2:]:
            mine, first = keys[column].to_numpy(), expected[column].to_numpy()
            differs = (mine != first) & ~(pd.isna(mine) & pd.isna(first))
            if differs.any():
                name = self.columns.get(column, column)
                raise self._bad(
                    name, int(np.flatnonzero(differs)[0]), "changes within one problem of one participant"
                )

    def _refuse_repeated(self, clock: str, number: np.ndarray, when: np.ndarray) -> None:
        repeated = pd.DataFrame({"number": number, "when": when}).duplicated().to_numpy()
        if repeated.any():
            raise self._bad(
                clock, int(np.flatnonzero(repeated)[0]), "occurs twice in one problem of one participant"
            )

    def _field(self, field: Field) -> np.ndarray | None:
        names = self._names(field)
        if names is None:
            return None
        parts = [self._values(field, name) for name in np.asarray(names, dtype=object).ravel()]
        values = np.stack(parts, -1).reshape(len(self.table), *np.shape(names))
        return values

    def _names(self, field: Field) -> Any:
        """Column name(s) of a field, nested as its axes; None for an optional field that is absent."""
        if field.name in self.columns:
            names = self.columns[field.name]
            if np.ndim(names) != len(field.axes):
                raise UsageError(
                    f"field '{field.name}' needs its columns listed by {' and '.join(field.axes) or 'name'}."
                )
            return names
        if not field.axes:
            absent = field.name not in self.table and not field.required
            return None if absent else field.name
        prefix = field.name + "_"
        found = [
            c
            for c in map(str, self.table.columns)
            if c.startswith(prefix) and _is_index(c[len(prefix) :], field)
        ]
        if not found:
            if field.required:
                raise DataError(
                    f"no columns '{prefix}0', '{prefix}1', … ({field.meaning}).",
                    where=self.source,
                    fix=f"Name them: columns={{'{field.name}': [...]}}.",
                )
            return None
        shape = np.max([[int(part) for part in c[len(prefix) :].split("_")] for c in found], axis=0) + 1
        names = np.empty(shape, dtype=object)
        for index in np.ndindex(*shape):
            names[index] = column_name(field.name, index)
        return names

    def _values(self, field: Field, column: str) -> np.ndarray:
        labelled = field.name in self.labels
        if labelled:
            values = self._coded(field.name, column)
        else:
            coded = field.kind == "code"
            words = f" If these are words, name them: labels={{'{field.name}': ['…', '…']}}." if coded else ""
            values = self._numbers(column, whole=coded, flag=field.kind == "flag", advice=words)
        empty = np.isnan(values)
        if empty.any() and not field.may_miss:
            raise self._bad(column, int(np.flatnonzero(empty)[0]), "is empty")
        if field.kind != "code":
            return values.astype(DTYPES[field.kind])
        codes = np.where(empty, MISSING, values).astype(np.int64)
        if field.required or field.name == "answer":
            self._require_codes(column, codes, may_miss=field.may_miss)
        return codes

    def _require_codes(self, column: str, codes: np.ndarray, *, may_miss: bool) -> None:
        bad = codes < (MISSING if may_miss else 0)
        if bad.any():
            raise self._bad(column, int(np.flatnonzero(bad)[0]), "is negative; codes start at 0")

    def _coded(self, name: str, column: str) -> np.ndarray:
        names = self.labels[name]
        lookup = {label: code for code, label in enumerate(names)}
        raw = self._column(column)
        codes = raw.map(lambda value: lookup.get(_as_label(value), np.nan)).to_numpy(float)
        unknown = np.isnan(codes) & raw.notna().to_numpy()
        if unknown.any():
            raise self._bad(column, int(np.flatnonzero(unknown)[0]), f"is none of {', '.join(names)}")
        return codes

    def _numbers(
        self, column: str, *, whole: bool = False, flag: bool = False, advice: str = ""
    ) -> np.ndarray:
        raw = self._column(column)
        values = pd.to_numeric(raw, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        bad = np.isnan(values) & raw.notna().to_numpy()
        if bad.any():
            raise self._bad(column, int(np.flatnonzero(bad)[0]), "is not a number", advice)
        if np.isinf(values).any():
            raise self._bad(column, int(np.flatnonzero(np.isinf(values))[0]), "is not finite")
        if whole and (values[~np.isnan(values)] % 1 != 0).any():
            fractional = ~np.isnan(values) & (np.nan_to_num(values) % 1 != 0)
            raise self._bad(column, int(np.flatnonzero(fractional)[0]), "is not a whole number")
        if flag and not np.isin(values, (0, 1)).all():
            raise self._bad(column, int(np.flatnonzero(~np.isin(values, (0, 1)))[0]), "is neither 0 nor 1")
        return values

    def _column(self, name: str, *, whole: bool = False) -> pd.Series:
        if name not in self.table:
            raise DataError(
                f"there is no column '{name}'.", where=self.source, fix=did_you_mean(name, self.table.columns)
            )
        column = self.table[name]
        if whole and column.isna().any():
            raise self._bad(name, int(np.flatnonzero(column.isna())[0]), "is empty")
        return column

    def _bad(self, column: str, row: int, problem: str, advice: str = "") -> DataError:
        value = self.table[column].iloc[row]
        value = value.item() if isinstance(value, np.generic) else value
        return DataError(
            f"{value!r} {problem}.",
            where=f"{self.source}, column '{column}', row {row + 1}",
            fix=f"Rows are counted from 1 without the header.{advice}",
        )


def _as_label(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _is_index(text: str, field: Field) -> bool:
    parts = text.split("_")
    return len(parts) == len(field.axes) and all(part.isdecimal() for part in parts)

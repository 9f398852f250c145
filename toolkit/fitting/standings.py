"""How every model stands with every person, group by group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import pandas as pd

from toolkit.errors import UsageError, did_you_mean
from toolkit.fitting.comparison import Comparison, compare

Measure = Literal["bic", "nats"]
MEASURES = get_args(Measure)
Order = Literal["winner", "age", "group", "condition", "table"]
ORDERS = get_args(Order)

BY_CONDITION = ("model", "participant", "condition", "log_likelihood", "n_trials")
BESIDE = {"people": "members", "by_condition": "conditions", "curves": "curves"}
"""Beginnings of the names under which a run keeps parts of standings."""
_N_BOOTSTRAP = 500


@dataclass(frozen=True)
class Standings:
    """What several models explain of each person's choices, and who these people are.

    Attributes
    ----------
    table
        One row a model and person: ``model, participant, log_likelihood, n_trials, n_parameters, bic`` (NaN where
        there is no estimate) and ``reason``, why a fit failed or what is doubtful about it.
    people
        One row a person: ``participant``, and ``group`` and ``age`` where they are known.
    by_condition
        What the same fits explain of the choices in each condition: ``model, participant, condition,
        log_likelihood, n_trials``; empty where that is not known.
    curves
        Of ``toolkit.viz.learning_curves``: people's and what each model expects; empty where that is not known.
    title
        Whose choices they are, for figures.
    condition
        The condition that these standings are restricted to, if any.
    """

    table: pd.DataFrame
    people: pd.DataFrame
    by_condition: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(BY_CONDITION)))
    curves: pd.DataFrame = field(default_factory=pd.DataFrame)
    title: str = ""
    condition: str | None = None

    @cached_property
    def models(self) -> list[str]:
        """Names, from the smallest BIC in total over people whom all models could be fitted to."""
        wide = self._wide("bic")
        complete = wide.dropna()
        totals = (complete if len(complete) else wide).sum()
        return totals.sort_values(kind="stable").index.tolist()

    @property
    def participants(self) -> list:
        """Everyone, in the order of the table."""
        return self.people["participant"].tolist()

    @property
    def conditions(self) -> list[str]:
        """Conditions that anybody took part in, as far as they are known."""
        return [str(one) for one in self._took_part()["condition"].unique()]

    @property
    def groups(self) -> list[str]:
        """Groups of people, as far as they are known."""
        return sorted(self.people["group"].dropna().unique()) if "group" in self.people else []

    @property
    def ages(self) -> tuple[int, int] | None:
        """The youngest and the oldest; None where no age is known."""
        known = self.people["age"].dropna() if "age" in self.people else ()
        return (int(np.floor(min(known))), int(np.ceil(max(known)))) if len(known) else None

    @property
    def orders(self) -> list[Order]:
        """Orders that people can be put in, see :meth:`in_order`."""
        differ = self._took_part_in().duplicated().sum() < len(self._took_part_in()) - 1
        known = {"age": self.ages is not None, "group": bool(self.groups), "condition": differ}
        return [order for order in ORDERS if known.get(order, True)]

    @property
    def labels(self) -> pd.Series:
        """A few words on everyone, by person: who it is, the group, the age."""
        said = []
        for row in self.people.itertuples():
            group, age = getattr(row, "group", None), getattr(row, "age", None)
            parts = [f"person {row.participant}"]
            known = group is not None and not pd.isna(group) and str(group) not in parts[0]
            parts += [str(group)] if known else []
            parts += [f"{age:g} years"] if age is not None and not pd.isna(age) else []
            said.append(", ".join(parts))
        return pd.Series(said, self.participants, dtype=object)

    def where(
        self,
        *,
        condition: str | None = None,
        group: str | None = None,
        ages: tuple[float, float] | None = None,
    ) -> Standings:
        """The people of one condition, group and range of ages; curves are those of the condition.

        Raises
        ------
        UsageError
            where nobody is left.
        """
        key = (condition, group, ages)
        if key not in self._chosen:
            self._chosen[key] = self._choose(*key)
        return self._chosen[key]

    @cached_property
    def _chosen(self) -> dict[tuple, Standings]:
        """Groups that were asked for, with all that was computed of them."""
        return {}

    def _choose(
        self, condition: str | None, group: str | None, ages: tuple[float, float] | None
    ) -> Standings:
        keep = self.people["participant"].notna()
        if condition is not None:
            took_part = self._took_part()
            keep &= self.people["participant"].isin(
                took_part.loc[took_part["condition"].astype(str) == condition, "participant"]
            )
        if group is not None:
            keep &= self.people["group"].eq(group) if "group" in self.people else False
        if ages is not None:
            keep &= self.people["age"].between(*ages) if "age" in self.people else False
        if not keep.any():
            raise UsageError(_nobody(condition, group, ages), fix="Choose a wider group.")
        inside = set(self.people.loc[keep, "participant"])
        parts = {
            name: _of(getattr(self, name), inside, condition) for name in ("table", "by_condition", "curves")
        }
        return replace(self, people=self.people[keep].reset_index(drop=True), condition=condition, **parts)

    def wide(self, by: Measure = "bic") -> pd.DataFrame:
        """(people, models) of one measure, models as in :attr:`models`, NaN where a fit failed.

        ``bic``: BIC beyond the person's best model, over all of the person's choices. ``nats``: -log-likelihood a
        choice, in the condition that the standings are restricted to.
        """
        if by not in MEASURES:
            raise UsageError(f"people have no '{by}'.", fix=did_you_mean(by, MEASURES))
        if by == "bic":
            wide = self._wide("bic")
            return wide.sub(wide.min(axis=1), axis=0)[self.models]
        rows = self.by_condition if self._within_condition() else self.table
        return self._wide("nats", rows.assign(nats=-rows["log_likelihood"] / rows["n_trials"]))[self.models]

    def in_order(self, order: Order = "winner") -> list:
        """People by their best model and how clearly it wins, by age, group or condition, or as in the table."""
        if order not in ORDERS:
            raise UsageError(f"people cannot be put in order by '{order}'.", fix=did_you_mean(order, ORDERS))
        winner, lead = self._lead()
        people = self.people.assign(winner=winner, lead=-lead)
        if order == "table":
            return self.participants
        if order == "condition":
            people["condition"] = people["participant"].map(self._took_part_in())
        if order not in people:
            raise UsageError(f"nothing is known of people's {order}.", fix="Choose another order.")
        keys = [order, *(key for key in ("winner", "lead") if key != order)]
        return people.sort_values(keys, kind="stable")["participant"].tolist()

    def complete(self) -> list:
        """People whom all models could be fitted to."""
        return self._wide("bic").dropna().index.tolist()

    def failed(self) -> pd.DataFrame:
        """Rows of the table that have no estimate."""
        return self.table[self.table["bic"].isna()]

    @cached_property
    def comparison(self) -> Comparison | None:
        """Totals and frequencies among people whom all models could be fitted to; None where there is nothing to compare."""
        inside = self.table[self.table["participant"].isin(self.complete())]
        if inside.empty or inside["model"].nunique() < 2:
            return None
        fits = {name: rows.reset_index(drop=True) for name, rows in inside.groupby("model", sort=False)}
        return compare(fits, n_bootstrap=_N_BOOTSTRAP)

    def keep(self, name: str, save: Callable[[str, pd.DataFrame], object]) -> None:
        """Keep what :func:`toolkit.fitting.read_standings` finds beside a table ``people_NAME`` of a run.

        Parameters
        ----------
        save
            What keeps a table under a name, such as ``run.save``.
        """
        for part, begin in BESIDE.items():
            table = getattr(self, part)
            if len(table):
                save(f"{begin}_{name}", table)

    def _wide(self, column: str, rows: pd.DataFrame | None = None) -> pd.DataFrame:
        rows = self.table if rows is None else rows
        by_model = rows.set_index("participant").groupby("model", sort=False)[column]
        return pd.DataFrame(dict(iter(by_model))).reindex(self.participants)

    def _within_condition(self) -> bool:
        return self.condition is not None and not self.by_condition.empty

    def _lead(self) -> tuple[np.ndarray, np.ndarray]:
        """(people,) place of everyone's best model among the models, and how far the second is behind."""
        behind = np.nan_to_num(self.wide("bic").to_numpy(dtype=float), nan=np.inf)
        second = np.sort(behind, 1)[:, 1] if behind.shape[1] > 1 else np.zeros(len(behind))
        return behind.argmin(1), second

    def _took_part_in(self) -> pd.Series:
        """Conditions of everyone, by participant."""
        by_person = self._took_part().groupby("participant", sort=False)["condition"]
        return by_person.agg(lambda every: ", ".join(sorted(map(str, every))))

    def _took_part(self) -> pd.DataFrame:
        """Pairs of ``participant`` and ``condition``."""
        known = next((one for one in (self.by_condition, self.curves) if len(one)), self.by_condition)
        return known[["participant", "condition"]].drop_duplicates()


def _of(table: pd.DataFrame, people: set, condition: str | None) -> pd.DataFrame:
    if table.empty:
        return table
    keep = table["participant"].isin(people)
    if condition is not None and "condition" in table:
        keep &= table["condition"].astype(str) == condition
    return table[keep].reset_index(drop=True)


def _nobody(condition: str | None, group: str | None, ages: tuple[float, float] | None) -> str:
    said = [f"took part in condition {condition}"] if condition is not None else []
    said += [f"belongs to {group}"] if group is not None else []
    said += [f"is {ages[0]:g} to {ages[1]:g} years old"] if ages is not None else []
    return f"Nobody {' and '.join(said)}."

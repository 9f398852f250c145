"""Standings of models with people from fits, from files of them, and from finished runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.errors import DataError, UsageError
from toolkit.fitting.estimates import criteria
from toolkit.fitting.fitting import Fit
from toolkit.fitting.likelihood import units_of
from toolkit.fitting.predictions import model_of
from toolkit.fitting.standings import BESIDE, BY_CONDITION, Standings
from toolkit.io import read_table
from toolkit.manifest import find_finished
from toolkit.models import Model
from toolkit.paths import runs_dir
from toolkit.trials import Trials

GROUPS = ("group", "simulated_by")
"""Columns that may say which group a person belongs to."""
SIMULATED_BY = "simulated by "
"""Before the name of the model that made a group's choices."""
NOT_FITTED = "not in the table of this model"
_COUNTED = ("log_likelihood", "n_trials", "n_parameters")
_NEEDED = ("participant", *_COUNTED)
_PERSON, _CONDITION = list(BY_CONDITION[:2]), list(BY_CONDITION[:3])


def gather(
    fits: Fit | Mapping[str, Fit | pd.DataFrame] | pd.DataFrame,
    trials: Trials | None = None,
    *,
    curves: pd.DataFrame | None = None,
    models: Mapping[str, Model] | None = None,
    title: str = "",
) -> Standings:
    """Standings from fits.

    Parameters
    ----------
    fits
        One, or several by the models' names; or one table as :func:`toolkit.fitting.fit` makes it or ``Fit.save`` writes
        it, which may have the rows of several models with a column ``model``, and columns ``group``, ``age`` and
        ``condition``.
    trials
        What was fitted: says who the people are and what each condition contributes.
    curves
        Of ``toolkit.viz.learning_curves(trials, …)``.
    models
        Those that were made with options, by the names of their fits.
    """
    if isinstance(fits, Fit):
        fits = {fits.model: fits}
    table = _checked(fits if isinstance(fits, pd.DataFrame) else _stacked(fits))
    people = _people_in(table) if trials is None else _people_in(trials.sequences)
    conditions = table if "condition" in table else None
    if (
        trials is not None
        and isinstance(fits, Mapping)
        and all(isinstance(one, Fit) for one in fits.values())
    ):
        conditions = explain_conditions(fits, trials, models)
    parts = {"by_condition": _summed(conditions, _CONDITION)} if conditions is not None else {}
    if curves is not None:
        parts["curves"] = curves
    return Standings(_filled(_summed(table, _PERSON), people), people, title=title, **parts)


def explain_conditions(
    fits: Mapping[str, Fit], trials: Trials, models: Mapping[str, Model] | None = None
) -> pd.DataFrame:
    """What fits to all choices of people explain of those in each condition.

    Parameters
    ----------
    models
        As of :func:`gather`.

    Returns
    -------
    One row a model, participant and condition: ``model, participant, condition, log_likelihood, n_trials``.
    """
    parts = []
    for name, found in fits.items():
        grouped, _ = units_of(trials, found.share)
        model = models[name] if models and name in models else model_of(found, grouped)
        each = model.log_likelihood(found.theta, grouped)
        rows = trials.sequences[["participant", "condition"]].assign(
            model=name, log_likelihood=np.asarray(each).sum(-1), n_trials=_n_scored(trials)
        )
        parts.append(rows)
    return _summed(pd.concat(parts), _CONDITION)


def find_standings() -> list[str]:
    """Tables of fits in finished runs, newest run first, as :func:`read_standings` reads them."""
    found = []
    for section in find_finished(runs_dir()):
        for artifact in section.artifacts:
            if artifact.kind == "table" and _is_of_fits(section.folder / artifact.path):
                found.append(f"{section.run}/{section.name}/{artifact.name}")
    return found


def read_standings(source: str | Path) -> Standings:
    """Standings from a file or from a finished run.

    Parameters
    ----------
    source
        A .parquet or .csv file that ``Fit.save`` wrote or that looks like it; or "run/section/table", as
        :func:`find_standings` lists them. Beside a table ``people_NAME`` a run may have what
        :meth:`Standings.keep` kept.
    """
    path = Path(source)
    if path.suffix in (".parquet", ".csv"):
        return gather(read_table(path), title=path.stem.replace("_", " "))
    if path.is_file():
        raise DataError(
            "a table of fits is a .parquet or .csv file.", where=str(path), fix="Fit.save writes both."
        )
    run, section, name = (*str(source).split("/", 2), "", "")[:3]
    found = next((one for one in find_finished(runs_dir()) if (one.run, one.name) == (run, section)), None)
    paths = {} if found is None else {one.name: found.folder / one.path for one in found.artifacts}
    if name not in paths:
        raise DataError(
            f"no finished run has the table '{source}'.",
            where=str(runs_dir()),
            fix=f"There are: {', '.join(find_standings()) or 'none yet; make run'}.",
        )
    study = name.partition("_")[2]
    standings = gather(read_table(paths[name]))
    parts = {
        part: read_table(paths[f"{begin}_{study}"])
        for part, begin in BESIDE.items()
        if f"{begin}_{study}" in paths
    }
    standings = replace(standings, **parts)
    simulated = any(group.lower().startswith("simulated") for group in standings.groups)
    whose = f"Simulated people, design of {study}" if simulated else study
    return replace(standings, title=f"{whose} (run {run})")


def _is_of_fits(path: Path) -> bool:
    import pyarrow.parquet as parquet

    needed = {"model", "participant", *_COUNTED}
    return path.suffix == ".parquet" and needed <= set(parquet.read_schema(path).names)


def _stacked(fits: Mapping[str, Fit | pd.DataFrame]) -> pd.DataFrame:
    tables = {name: one.table if isinstance(one, Fit) else one for name, one in fits.items()}
    if not tables:
        raise UsageError("there is no fit.", fix="Give at least one.")
    return pd.concat([table.assign(model=name) for name, table in tables.items()], ignore_index=True)


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    absent = [column for column in _NEEDED if column not in table]
    if absent:
        raise UsageError(
            f"there is no column '{absent[0]}', so this is no table of fits.",
            fix=f"It needs {', '.join(_NEEDED)}.",
        )
    if table.empty:
        raise UsageError("the table of fits has no row.", fix="Fit at least one person.")
    table = table.assign(model=table["model"].astype(str) if "model" in table else "model")
    for column in (*_COUNTED, "age"):
        if column in table:
            table[column] = _numbers(table, column)
    empty, endless = ~(table["n_trials"] > 0), ~np.isfinite(table["log_likelihood"])
    said = table["reason"] if "reason" in table else pd.Series("", table.index)
    said = said.astype(object).where(said.notna(), "").astype(str)
    said = said.mask(empty & said.eq(""), "it has no trials")
    return table.assign(
        log_likelihood=table["log_likelihood"].where(~(empty | endless)),
        reason=said.mask(endless & said.eq(""), "its log-likelihood is not finite"),
    )


def _numbers(table: pd.DataFrame, column: str) -> pd.Series:
    """A column as numbers; the first value that is none is named."""
    numbers = pd.to_numeric(table[column], errors="coerce")
    bad = table[numbers.isna() & table[column].notna()]
    if len(bad):
        raise UsageError(
            f"{column} of participant {bad['participant'].iloc[0]} is {bad[column].iloc[0]!r}, which is no number.",
            fix="Leave unknown values empty.",
        )
    return numbers


def _summed(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """One row for every combination of ``keys``; a sum with an unknown part is unknown."""
    counted = [column for column in _COUNTED if column in table]
    by_key = table.groupby(keys, sort=False, dropna=False)
    summed = by_key[counted].sum(skipna=False)
    if "reason" in table:
        summed["reason"] = by_key["reason"].agg(lambda every: "; ".join(filter(None, dict.fromkeys(every))))
    return summed.reset_index()


def _filled(table: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """A row for every model and person, and BIC."""
    every = pd.MultiIndex.from_product(
        [table["model"].unique(), people["participant"]], names=["model", "participant"]
    )
    table = table.set_index(["model", "participant"]).reindex(every).reset_index()
    table["reason"] = table["reason"].fillna(NOT_FITTED)
    bic = criteria(table["log_likelihood"], table["n_parameters"], table["n_trials"])["bic"]
    return table.assign(bic=bic)


def _people_in(table: pd.DataFrame) -> pd.DataFrame:
    """``participant``, ``group`` and ``age`` as far as they are the same in all rows of a person."""
    group = next((column for column in GROUPS if column in table), None)
    columns = {"group": group, "age": "age" if "age" in table else None}
    by_person = table.groupby("participant", sort=False)
    people = pd.DataFrame({"participant": table["participant"].drop_duplicates().tolist()})
    for name, column in columns.items():
        if column is not None and by_person[column].nunique().le(1).all():
            people[name] = by_person[column].first().to_numpy()
    if "group" in people:
        said = people["group"].astype(str)
        said = said if group == "group" else SIMULATED_BY + said
        people["group"] = said.where(people["group"].notna())
    return people


def _n_scored(trials: Trials) -> np.ndarray:
    """(sequences,) number of choices that a likelihood counts."""
    return np.sum([trials.scored_for(name).sum(-1) for name in trials.schema.choices], axis=0)

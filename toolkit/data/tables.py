"""Tables that are neither trials nor curves: reference fits, problems written by LLMs, summaries."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.data.cache import locate, locate_one
from toolkit.data.rdata import read_rdata
from toolkit.data.registry import registry
from toolkit.errors import UsageError, did_you_mean

_ERMI_FITS = "ermi_fits"


def list_tables() -> list[str]:
    """Names that :func:`load_table` knows."""
    return [*_places(), _ERMI_FITS]


def load_table(name: str) -> pd.DataFrame:
    """A table of the registry by its name, for instance "llm_tasks_claude" or "ermi_benchmark_ranks".

    Columns are those of the original file (:func:`toolkit.data.describe` explains them) without the
    old row numbers that some carry. "ermi_fits" joins the files of ERMI's model comparison, one row a
    participant, model and condition.
    """
    if name == _ERMI_FITS:
        return _ermi_fits()
    places = _places()
    if name not in places:
        raise UsageError(f"there is no table '{name}'.", fix=did_you_mean(name, list_tables()))
    dataset, place = places[name]
    path = locate_one(dataset, place)
    if path.suffix == ".RData":
        return next(iter(read_rdata(path).values()))
    table = pd.read_csv(path, low_memory=False)
    if dataset == "ermi_benchmark":
        table = table.rename(columns={"Unnamed: 0": "task_id"})
    return table.drop(columns=[column for column in table if column.startswith("Unnamed")])


def _places() -> dict[str, tuple[str, str]]:
    """Data set and path of every table by its name."""
    entries = registry().values()
    return {file.table: (entry.name, file.path) for entry in entries for file in entry.file if file.table}


def _ermi_fits() -> pd.DataFrame:
    parts = [_ermi_fit(path) for path in locate(_ERMI_FITS, "model_comparison/*.npz")]
    return pd.concat(parts, ignore_index=True)


def _ermi_fit(path: Path) -> pd.DataFrame:
    """One file: a transformer (one value a participant) or a cognitive model (one a condition too)."""
    dataset, _, rest = path.stem.partition("_")
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    if "nlls" in arrays:
        run = int(re.findall(r"run=(\d+)", rest)[0])
        columns = {
            "participant": np.arange(len(arrays["nlls"])),
            "condition": "all",
            "nll": arrays["nlls"],
            "beta": arrays["betas"][:, 0],
            "accuracy": arrays["accs"].astype(float),
            "pseudo_r2": arrays["pr2s"],
        }
        return pd.DataFrame({"dataset": dataset, "model": _trained_on(rest), "run": run, **columns})
    nll = arrays["lls"][0, :, :, 0]
    people, conditions = np.indices(nll.shape)
    names = np.array(["I", "II", "III", "IV"] if nll.shape[1] == 4 else ["all"])
    columns = {
        "participant": people.ravel(),
        "condition": names[conditions.ravel()],
        "nll": nll.ravel(),
        "pseudo_r2": arrays["r2s"][0, :, :, 0].ravel(),
        "parameters": list(arrays["params"][0, :, :, 0].reshape(nll.size, -1)),
    }
    return pd.DataFrame({"dataset": dataset, "model": _cognitive_model(rest), "run": 0, **columns})


def _trained_on(name: str) -> str:
    if "claude_generated" in name:
        return "ERMI"
    if "rmc" in name:
        return "RMC"
    return "PFN" if "syntheticnonlinear" in name else "MI"


def _cognitive_model(name: str) -> str:
    if name.startswith("rulex"):
        return "Rulex" if name.endswith("exception=True") else "Rule"
    return name.partition("_")[0].upper()

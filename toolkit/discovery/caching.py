"""Fits of programs that are kept under what they were made of, so that the same fit is made once."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.discovery.legacy import LegacyModel
from toolkit.discovery.program import ENGINE_VERSION, ProgramModel
from toolkit.errors import DataError
from toolkit.fitting import Fit, fit
from toolkit.io import sha256_of_bytes
from toolkit.paths import cache_dir
from toolkit.trials import Trials


def fit_program(
    model: ProgramModel | LegacyModel,
    trials: Trials,
    *,
    folder: Path | None = None,
    seconds: float | None = None,
    **options: Any,
) -> Fit:
    """Fit a program, or return the fit that is kept of the same program, trials and options.

    Parameters
    ----------
    folder
        Where fits are kept; by default among what this user's machine can make again.
    seconds
        The whole fit may take, compiling included; a program that takes longer is turned down.
    options
        Those of :func:`toolkit.fitting.fit`.

    Raises
    ------
    Rejected
        where the program fails, or takes too long.
    """
    path = (folder or cache_dir() / "discovery") / f"{fit_key(model, trials, **options)}.parquet"
    kept = _load(path)
    if kept is not None:
        return kept
    with contextlib.nullcontext() if seconds is None else model.engine.within(seconds):
        made = fit(model, trials, **options)
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(path)
    return made


def fit_key(model: ProgramModel | LegacyModel, trials: Trials, **options: Any) -> str:
    """Hash of a program's normalised text, parameters and task, of the trials, the options and the engine."""
    people = pd.util.hash_pandas_object(trials.sequences[["participant", "problem"]].astype(str), index=False)
    shown = {name: value for name, value in sorted(options.items()) if name != "progress"}
    content = [
        *(model.program.key(), model.name, model.tape(trials).key),
        sha256_of_bytes(people.to_numpy().tobytes()),
        *(shown, ENGINE_VERSION),
    ]
    return sha256_of_bytes(json.dumps(content, sort_keys=True).encode())


def _load(path: Path) -> Fit | None:
    if not path.exists():
        return None
    try:
        return Fit.load(path)
    except (DataError, KeyError, ValueError, OSError):
        return None  # It is damaged and is made again.

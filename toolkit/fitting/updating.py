"""How people and agents update beliefs about two options: learning rates, what repetition leaves of them, verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from toolkit.errors import DataError
from toolkit.experiments.bandits import get_task
from toolkit.fitting.asymmetry import false_positive_rate, normalised_bias
from toolkit.fitting.bandit_groups import BOTH, MODELS, ONE, RATES, TRACE, Group, models_of
from toolkit.fitting.comparison import Comparison, compare
from toolkit.fitting.fitting import Fit, fit
from toolkit.seeds import Seeds

_CLAUDE = {
    "partial": ("Model_2alpha", ("alpha_pos", "alpha_neg")),
    "full": ("Model_2alpha", ("alpha_conf", "alpha_disconf")),
    "agency": ("Model_3alpha", ("alpha_pos_free", "alpha_neg_free")),
}


@dataclass(frozen=True)
class Updating:
    """Fits of one group.

    Attributes
    ----------
    fits
        By the names of ``MODELS``.
    comparison
        Of the four by BIC, which counts scored choices.
    """

    group: Group
    fits: Mapping[str, Fit]
    comparison: Comparison

    def bias(self, *, trace: bool) -> np.ndarray:
        """(participants,) normalised difference of the two rates, without or with a choice trace beside them."""
        return normalised_bias(self.fits[BOTH + TRACE * trace], RATES[self.group.task])


def fit_groups(groups: Sequence[Group], *, n_starts: int, seed: int) -> list[Updating]:
    """Fit the four models to every group, with the priors of earlier work."""
    found = []
    for group in groups:
        models = models_of(group.task, group.trials)
        options = {"method": "map", "n_starts": n_starts, "seed": seed, "progress": False}
        fits = {name: fit(model, group.trials, **options) for name, model in models.items()}
        found.append(Updating(group, fits, compare(fits, n_bootstrap=1000, seed=seed)))
    return found


def tabulate_rates(found: Sequence[Updating]) -> pd.DataFrame:
    """Learning rates with intervals over people.

    Returns
    -------
    One row a group, model with two rates, and rate: ``task, agent, name, n, trace, rate, mean, low, high, median``.
    """
    rows = []
    for one in found:
        for trace in (False, True):
            table = one.fits[BOTH + TRACE * trace].table
            for rate in RATES[one.group.task]:
                rows.append(
                    {**_about(one), "trace": trace, "rate": rate} | _summary(table[rate].to_numpy(float))
                )
    return pd.DataFrame(rows)


def tabulate_people(found: Sequence[Updating], task: str) -> pd.DataFrame:
    """What the four models explain of everyone in a task, as :func:`toolkit.fitting.gather` takes it.

    Returns
    -------
    One row a model and person: those of ``Comparison.participants``, and ``group``, whose copies or people they are.
    """
    parts = []
    for one in found:
        if one.group.task == task:
            everyone = one.comparison.participants
            name = one.group.name
            who = name + " " + everyone["participant"].astype(str)
            parts.append(everyone.assign(participant=who, group=name))
    return pd.concat(parts, ignore_index=True)


def published_rates(load: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """Learning rates of Claude 1 that earlier work published, in the form of :func:`tabulate_rates`.

    Its choices are not public, so there is nothing to fit a choice trace to. The last of a hundred starts was kept
    there, not the best.

    Parameters
    ----------
    load
        What gives tables by name, such as ``run.load``; empty if they are not here.
    """
    rows = []
    for task, (model, columns) in _CLAUDE.items():
        try:
            fits = load(f"icl_claude_{task}_fits")
        except DataError:
            return pd.DataFrame()
        fits = fits[fits["cognitive_model"] == model]
        about = {
            "task": task,
            "agent": "llm",
            "name": "Claude 1, published fits",
            "n": len(fits),
            "trace": False,
        }
        for rate, column in zip(RATES[task], columns, strict=True):
            rows.append({**about, "rate": rate} | _summary(fits[column].to_numpy(float)))
    return pd.DataFrame(rows)


def tabulate_bias(found: Sequence[Updating]) -> pd.DataFrame:
    """How asymmetric everyone is without and with a choice trace, and a verdict.

    Returns
    -------
    One row a group: ``task, agent, name, n``; the normalised bias ``alone`` with ``alone_low, alone_high``
    and ``alone_median``, and ``beside`` a choice trace likewise (means with 95 % t intervals over people);
    ``left``, the share of the bias that is left; ``best``, the model with the lowest BIC in total;
    ``trace_frequency``, of people described by a model with a choice trace; and ``verdict``.
    """
    rows = []
    for one in found:
        row = _about(one)
        for name, trace in (("alone", False), ("beside", True)):
            summary = _summary(one.bias(trace=trace))
            row |= {name: summary["mean"]} | {f"{name}_{k}": summary[k] for k in ("low", "high", "median")}
        table = one.comparison.table.set_index("model")
        row |= {
            "left": row["beside"] / row["alone"],
            "best": table["log_evidence"].idxmax(),
            "trace_frequency": table["frequency"][[name for name in MODELS if name.endswith(TRACE)]].sum(),
        }
        rows.append({**row, "verdict": verdict(row)})
    return pd.DataFrame(rows)


def count_false_alarms(found: Sequence[Updating], *, n_studies: int, seed: int) -> pd.DataFrame:
    """How often two rates are found to differ in studies of learners who have one, and repeat themselves as people do.

    Their parameters are those of the first group's people, fitted with one rate and a choice trace.

    Returns
    -------
    One row a model with two rates: ``fitted, n_studies, n_participants, rate`` of alarms, mean ``bias``.
    """
    first = found[0]
    theta = first.fits[ONE + TRACE].theta
    design = get_task("partial").draw(len(theta), rng=Seeds(seed).numpy("bandits of false alarms"))
    models, rows = models_of("partial", design), []
    for fitted in (BOTH, BOTH + TRACE):
        alarms = false_positive_rate(
            design,
            theta,
            simulated=models[ONE + TRACE],
            fitted=models[fitted],
            n_studies=n_studies,
            n_starts=3,
            seed=seed,
            progress=False,
        )
        rows.append((fitted, n_studies, len(theta), alarms.rate, alarms.table["bias"].mean()))
    return pd.DataFrame(rows, columns=["fitted", "n_studies", "n_participants", "rate", "bias"])


def verdict(row: Mapping[str, Any]) -> str:
    """What the two intervals say, in words."""
    if row["alone_low"] <= 0 <= row["alone_high"]:
        return "no asymmetry to begin with"
    kind = "an asymmetry" if row["alone"] > 0 else "a reversed asymmetry"
    if row["beside_low"] <= 0 <= row["beside_high"]:
        return f"{kind} that repetition may explain alone"
    if row["alone"] * row["beside"] < 0:
        return f"{kind} that turns round beside repetition"
    return f"{kind} that stays beside repetition"


def say_bias(bias: pd.DataFrame) -> str:
    """Verdicts by task as sentences: of the first group with its numbers, of others together where they agree.

    Parameters
    ----------
    bias
        Of :func:`tabulate_bias`.
    """
    said = []
    for task, own in bias.groupby("task", sort=False):
        first = own.iloc[0]
        parts = [
            f"{first['name']} {first['alone']:+.2f} without a choice trace, {first['beside']:+.2f} "
            f"({first['beside_low']:+.2f} to {first['beside_high']:+.2f}) beside one: {first['verdict']}"
        ]
        for words, group in own.iloc[1:].groupby("verdict", sort=False):
            parts.append(f"{', '.join(group['name'])}: {words}")
        said.append(f"{task.capitalize()}: {'; '.join(parts)}.")
    return " ".join(said)


def _about(one: Updating) -> dict[str, Any]:
    group = one.group
    return {"task": group.task, "agent": group.agent, "name": group.name, "n": len(group.trials.participants)}


def _summary(values: np.ndarray) -> dict[str, float]:
    from scipy.stats import t

    reach = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    mean = float(values.mean())
    return {"mean": mean, "low": mean - reach, "high": mean + reach, "median": float(np.median(values))}

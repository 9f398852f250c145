"""How people and agents update beliefs about two options: who they are, by task, and their learning rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.data.belief_updating import analysed, load_belief_updating
from toolkit.errors import DataError
from toolkit.experiments.bandits import Task, get_task
from toolkit.fitting.asymmetry import false_positive_rate, normalised_bias
from toolkit.fitting.comparison import Comparison, compare
from toolkit.fitting.fitting import Fit, fit
from toolkit.models import get_model_for
from toolkit.models.bandit_episodes import Visits
from toolkit.models.optimal_bandit import play_optimally
from toolkit.models.playing.scripted import replay_demo
from toolkit.seeds import Seeds
from toolkit.trials import Trials, concat

if TYPE_CHECKING:
    from toolkit.models import Model

TASKS: tuple[Task, ...] = ("partial", "full", "agency")
N_SEEDS = 3
"""Meta-RL agents of each task."""

RATES: Mapping[str, tuple[str, str]] = {
    "partial": ("learning_rate_positive", "learning_rate_negative"),
    "full": ("learning_rate_confirming", "learning_rate_disconfirming"),
    "agency": ("learning_rate_free_positive", "learning_rate_free_negative"),
}
"""The two rates that a task compares: of outcomes better and worse than expected; of outcomes that confirm the choice
and that speak against it; and of better and worse ones after free choices."""

_OPTIONS: Mapping[str, dict[str, Any]] = {
    "partial": {"rates": ("sign",)},
    "full": {"rates": ("confirmation",)},
    "agency": {"rates": ("sign",), "forced_rates": ()},
}
_CLAUDE = {
    "partial": ("Model_2alpha", ("alpha_pos", "alpha_neg")),
    "full": ("Model_2alpha", ("alpha_conf", "alpha_disconf")),
    "agency": ("Model_3alpha", ("alpha_pos_free", "alpha_neg_free")),
}
_PEOPLE = {
    "partial": (
        ("Lefebvre et al. (2017)", "partial"),
        ("Palminteri et al. (2017), 1", "palminteri2017_exp1"),
    ),
    "full": (("Chambon et al. (2020), 2", "full"), ("Palminteri et al. (2017), 2", "palminteri2017_exp2")),
    "agency": (("Chambon et al. (2020), 1", "agency"),),
}
_SIMULATED = {"inverse_temperature": 5.0, "trace_weight": 1.5, "trace_rate": 0.3}
_SIMULATED_RATES = (0.35, 0.2)
_BOTH, _ONE = "two rates", "one rate"
_TRACE = " and a choice trace"
MODELS = (_ONE, _BOTH, _ONE + _TRACE, _BOTH + _TRACE)


@dataclass(frozen=True)
class Group:
    """Some people, or copies of an agent, on one task.

    Attributes
    ----------
    task, agent
        Agents are called as in figures: "people", "metarl", "scripted_player", "thompson_bandit".
    name
        Whose data they are, or what the agent is.
    trials
        The part that learning rates are estimated from.
    whole
        All trials.
    simulated
        Whether they are simulated people, since people's data are not here.
    """

    task: Task
    agent: str
    name: str
    trials: Trials
    whole: Trials
    simulated: bool = False


def load_groups(load: Callable[[str], Trials], seeds: Seeds, n_people: int) -> list[Group]:
    """Everyone who does the three tasks: people, Meta-RL, the recorded player, and an ideal learner.

    Parameters
    ----------
    load
        What gives Trials by name, such as ``run.load``; studies whose data are absent are simulated by learners
        with two rates and a choice trace.
    n_people
        Most people of a study; as many copies of Meta-RL, in equal parts of each of its seeds, and of the ideal
        learner by Thompson sampling.
    """
    groups = []
    for task in TASKS:
        groups += [_people(task, name, part, load, seeds, n_people) for name, part in _PEOPLE[task]]
        design = get_task(task).draw(n_people, rng=seeds.numpy(f"bandits of agents, {task}"))
        ideal = play_optimally(design, thompson=seeds.numpy(f"thompson, {task}"))
        players = {
            ("metarl", "Meta-RL"): act(task, design, seeds),
            ("scripted_player", "Scripted player (no LLM)"): replay_demo(task).trials,
            ("thompson_bandit", "Ideal learner, Thompson"): ideal,
        }
        groups += [
            Group(task, agent, name, analysed(task, trials), trials)
            for (agent, name), trials in players.items()
        ]
    return groups


def act(task: Task, design: Trials, seeds: Seeds) -> Trials:
    """Meta-RL on a design, the participants in equal parts copies of each of its seeds (``sequences.seed``)."""
    own, parts = design.participant_index % N_SEEDS, []
    for seed in sorted(set(own.tolist())):
        part = design.take(own == seed)
        agent = get_model_for("metarl", design, task=task, seed=seed)
        theta = agent.theta(len(part.participants), inverse_temperature=1.0, lapse=0.0)
        played = agent.simulate(theta, part, seeds.numpy(f"choices of Meta-RL {seed}, {task}"))
        parts.append(replace(played, sequences=played.sequences.assign(seed=seed)))
    return concat(parts)


def models_of(task: Task, trials: Trials) -> dict[str, Model]:
    """One rate or the task's two, each without and with a choice trace; forced choices have a rate of their own."""
    two = _OPTIONS[task]
    return {
        rates + trace: get_model_for(
            "rescorla_wagner",
            trials,
            **(two if rates == _BOTH else {**two, "rates": ()}),
            choice_trace=bool(trace),
        )
        for trace in ("", _TRACE)
        for rates in (_ONE, _BOTH)
    }


def follow_choices(groups: Sequence[Group], n_points: int = 8) -> pd.DataFrame:
    """How often the better option is taken over visits, by the first group of every agent.

    Returns
    -------
    One row a task, agent and part of the visits: ``task, agent, visit`` (the last of the part), ``share``.
    """
    parts, seen = [], set()
    for group in groups:
        if (group.task, group.agent) in seen:
            continue
        seen.add((group.task, group.agent))
        correct = Visits(group.trials.context, group.trials.mask).sort(group.trials.correct, np.nan)
        width = -(-correct.shape[1] // n_points)
        share = pd.DataFrame(correct).T.groupby(np.arange(correct.shape[1]) // width)
        means = share.sum().sum(axis=1) / share.count().sum(axis=1)
        visit = np.minimum((means.index + 1) * width, correct.shape[1])
        parts.append(pd.DataFrame({"task": group.task, "agent": group.agent, "visit": visit, "share": means}))
    return pd.concat(parts, ignore_index=True)


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
        return normalised_bias(self.fits[_BOTH + _TRACE * trace], RATES[self.group.task])


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
            table = one.fits[_BOTH + _TRACE * trace].table
            for rate in RATES[one.group.task]:
                rows.append(
                    {**_about(one), "trace": trace, "rate": rate} | _summary(table[rate].to_numpy(float))
                )
    return pd.DataFrame(rows)


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
            "trace_frequency": table["frequency"][[name for name in MODELS if name.endswith(_TRACE)]].sum(),
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
    theta = first.fits[_ONE + _TRACE].theta
    design = get_task("partial").draw(len(theta), rng=Seeds(seed).numpy("bandits of false alarms"))
    models, rows = models_of("partial", design), []
    for fitted in (_BOTH, _BOTH + _TRACE):
        alarms = false_positive_rate(
            design,
            theta,
            simulated=models[_ONE + _TRACE],
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


def _about(one: Updating) -> dict[str, Any]:
    group = one.group
    return {"task": group.task, "agent": group.agent, "name": group.name, "n": len(group.trials.participants)}


def _summary(values: np.ndarray) -> dict[str, float]:
    from scipy.stats import t

    reach = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    mean = float(values.mean())
    return {"mean": mean, "low": mean - reach, "high": mean + reach, "median": float(np.median(values))}


def _people(
    task: Task, name: str, part: str, load: Callable[[str], Trials], seeds: Seeds, n_people: int
) -> Group:
    try:
        whole = load(part) if part.startswith("palminteri") else load_belief_updating(part, load=load)
    except DataError:
        whole = _simulated(task, n_people, seeds, name)
        title = f"Simulated people, task of {name}"
        return Group(task, "people", title, analysed(task, whole), whole, simulated=True)
    some = whole.where(participant=whole.participants[:n_people])
    return Group(task, "people", name, some, some)


def _simulated(task: Task, n_people: int, seeds: Seeds, name: str) -> Trials:
    """Learners with the task's two rates and a choice trace, in the design of a study."""
    design = get_task(task).draw(n_people, rng=seeds.numpy(f"design of {name}"))
    model = models_of(task, design)[_BOTH + _TRACE]
    rates = dict(zip(RATES[task], _SIMULATED_RATES, strict=True))
    values = {one.name: {**_SIMULATED, **rates}.get(one.name, 0.2) for one in model.parameters}
    return model.simulate(model.theta(n_people, **values), design, seeds.numpy(f"choices of {name}"))

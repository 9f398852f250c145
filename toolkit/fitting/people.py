"""The two studies that every agent is fitted to: people if their data are here, else simulated ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from toolkit.errors import DataError, UsageError, did_you_mean
from toolkit.experiments import get_design
from toolkit.fitting.published import earlier_fits
from toolkit.fitting.recovery import draw_theta
from toolkit.models import get_model_for, list_models
from toolkit.models.checkpoints import absent_networks
from toolkit.seeds import Seeds
from toolkit.trials import Trials, concat

STUDIES = {"badham2017": "Badham et al. (2017)", "devraj2022": "Devraj et al. (2024)"}
SIMULATED_BY = ("gcm", "prototype", "rulex", "win_stay_lose_shift")
"""Models that stand in for people, in turn."""

_FIXED_RULES = ("rule", "rule_with_exceptions")
_N_SIMULATED = {"badham2017": 95, "devraj2022": 60}


@dataclass(frozen=True)
class Study:
    """People who learned categories, or simulated ones who did the same tasks.

    Attributes
    ----------
    title
        For figures; it says so if the people are simulated.
    everyone
        All participants of the study.
    simulated
        Whether models stand in for people; ``sequences.simulated_by`` then names them.
    groups
        Column of ``sequences`` with groups of people to compare, if there are any.
    note
        Where the choices are from, in a sentence.
    """

    name: str
    title: str
    everyone: Trials
    simulated: bool
    groups: str | None
    note: str

    def some(self, n_people: int) -> Trials:
        """Trials of as many participants, spread evenly over the study; all if there are no more."""
        every = self.everyone.participants
        chosen = np.linspace(0, len(every) - 1, min(n_people, len(every))).round().astype(int)
        return self.everyone.where(participant=[every[number] for number in chosen])


def load_study(name: str, load: Callable[[str], Trials], seeds: Seeds) -> Study:
    """People of a study, or as many simulated participants if the data are not here.

    Parameters
    ----------
    name
        "badham2017": 95 people, Types I to IV, a problem ends at criterion. "devraj2022": the 60 people of
        experiment 1 who saw every stimulus equally often, 616 trials.
    load
        What gives Trials by name, such as ``run.load``.
    seeds
        Root of what is simulated.
    """
    if name not in STUDIES:
        raise UsageError(f"there is no study '{name}'.", fix=did_you_mean(name, STUDIES))
    try:
        if name == "badham2017":
            people = load("badham2017")
        else:
            people = load("devraj2022_exp1").where(condition="control")
    except DataError as absent:
        simulated = simulate_people(name, seeds)
        note = f"{absent.what} {absent.fix} Until then simulated people stand in for them: {simulated}."
        title = f"Simulated people, design of {STUDIES[name]}"
        return Study(name, title, simulated, simulated=True, groups="simulated_by", note=note)
    groups = "group" if "group" in people.sequences else None
    note = f"{STUDIES[name]}: {people}."
    return Study(name, STUDIES[name], people, simulated=False, groups=groups, note=note)


def simulate_people(name: str, seeds: Seeds) -> Trials:
    """Simulated participants in the design of a study, of several models in turn.

    Their parameters are drawn from the models' priors. ``sequences.simulated_by`` names the model.
    """
    rng = seeds.numpy(f"design of {name}")
    if name == "badham2017":
        design = get_design("shepard").draw(
            _N_SIMULATED[name], rng=rng, conditions=("I", "II", "III", "IV"), n_blocks=6
        )
    else:
        design = get_design("smith_minda").draw(_N_SIMULATED[name], rng=rng)
    number = design.participant_index % len(SIMULATED_BY)
    parts = []
    for position, model_name in enumerate(SIMULATED_BY):
        part = design.take(number == position)
        model = get_model_for(model_name, part)
        stream = f"{model_name} in {name}"
        theta = draw_theta(model, len(part.participants), "prior", seeds.numpy(f"parameters of {stream}"))
        part = model.simulate(theta, part, seeds.numpy(f"choices of {stream}"))
        parts.append(replace(part, sequences=part.sequences.assign(simulated_by=model_name)))
    return concat(parts)


def list_agents(trials: Trials, *, fixed_rules: bool = False) -> list[str]:
    """Agents that can be fitted to these trials now.

    Parameters
    ----------
    fixed_rules
        Whether to include rules that the fit hands over ready-made, so that nothing is learned.

    Returns
    -------
    Names of models; networks whose weights are not here are left out.
    """
    left_out = absent_networks() | set(() if fixed_rules else _FIXED_RULES)
    return [name for name in list_models(trials.schema.name) if name not in left_out]


def load_earlier(study: Study, load: Callable[[str], pd.DataFrame]) -> pd.DataFrame | None:
    """What earlier work found for the people of a study; None for simulated people or without its table."""
    if study.simulated:
        return None
    try:
        return earlier_fits(study.name, study.everyone.participants, load("ermi_fits"))
    except DataError:
        return None

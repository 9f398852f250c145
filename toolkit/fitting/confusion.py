"""What fits can find out about models: is the one that made the choices recognised?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.errors import UsageError, did_you_mean
from toolkit.fitting.comparison import Criterion, evidence_table, share_best, wide_evidence
from toolkit.fitting.fitting import Fit, Method, fit
from toolkit.fitting.likelihood import with_participants
from toolkit.fitting.recovery import (
    Draw,
    Recovery,
    draw_design,
    given_or_drawn,
    joined_recovery,
    made_for,
    recovered_values,
)
from toolkit.seeds import Seeds
from toolkit.trials import Trials, concat

if TYPE_CHECKING:
    from toolkit.models import Model

SEPARABLE = 0.8
"""Share of simulated participants in which the right model of two must win for the two to be separable."""


@dataclass(frozen=True)
class Confusion:
    """Which models win where another one, or they themselves, made the choices.

    Attributes
    ----------
    wins
        (simulated, fitted) share of simulated participants that each fitted model describes best, ties shared.
    pairs
        One row for each two models in each direction: ``simulated, rival``; ``right``, share of participants
        simulated with the first that it describes better than the rival; ``taken``, share that the
        rival wins against all; and ``separable``. Two models are not separable where ``right`` is
        below .8; and where a model wins fewer than .8 of its own, the rival that takes most is named.
    by
        Criterion that decided.
    n_participants
        Simulated participants a model.
    recovery
        What each model's own fit made of the participants simulated with it.
    """

    wins: pd.DataFrame
    pairs: pd.DataFrame
    by: Criterion
    n_participants: int
    recovery: Recovery

    @property
    def not_separable(self) -> list[tuple[str, str]]:
        """Pairs (simulated, rival) in which the right model does not win often enough."""
        lost = self.pairs[~self.pairs["separable"]]
        return list(zip(lost["simulated"], lost["rival"], strict=True))

    def separability(self, label: Mapping[str, str]) -> str:
        """Which pairs are not separable, in words and with the models' labels."""
        pairs = "; ".join(f"{label[one]} from {label[rival]}" for one, rival in self.not_separable)
        return f"not to be told apart: {pairs}" if pairs else "all pairs can be told apart"

    def in_words(self, label: Mapping[str, str]) -> str:
        """How often every model is recognised, and which pairs are not separable."""
        own = ", ".join(f"{label[name]} {self.wins.loc[name, name]:.0%}" for name in self.wins.index)
        return f"the right agent wins: {own}; {self.separability(label)}."


def confuse(
    models: Sequence[str] | Mapping[str, str | Model],
    design: Trials,
    *,
    theta: Mapping[str, np.ndarray] | None = None,
    draw: Draw = "uniform",
    n_participants: int | None = None,
    by: Criterion = "bic",
    method: Method = "ml",
    n_starts: int = 10,
    seed: int = 0,
    progress: bool = True,
) -> Confusion:
    """Simulate participants with each model on a real design, fit all models to all, and count who wins.

    Costs a simulation and a fit of ``n_participants`` times the number of models for each model, so it grows
    with the square of the number of models: five quick models on 95 participants with 352 trials each took 80
    seconds of one core. All models meet the same participants of the design.

    Parameters
    ----------
    models
        Names of models; or models, or their names, by the name they are to have in the result.
    theta
        Values to simulate with of any of the models, as in :func:`recover`. Those fitted to people show what can
        be told of people; uniform draws include people who guess, whom no model describes best.
    by
        Criterion that decides.
    draw, n_participants, method, n_starts
        As in :func:`recover`.
    """
    if by == "held_out":
        raise UsageError("simulated participants are compared by bic, aic or laplace.", where="confuse")
    named = dict(models) if isinstance(models, Mapping) else {name: name for name in models}
    theta = dict(theta or {})
    for name in theta:
        if name not in named:
            raise UsageError(f"there is no model '{name}'.", where="theta", fix=did_you_mean(name, named))
    seeds = Seeds(seed)
    trials = draw_design(design, n_participants, seeds.numpy("design"))
    people = len(trials.participants)
    parts, true = [], {}
    for number, (name, model) in enumerate(named.items()):
        agent = made_for(model, trials)
        true[name] = given_or_drawn(
            agent, people, theta.get(name), draw, seeds.numpy(f"parameters of {name}")
        )
        part = agent.simulate(true[name], trials, seeds.numpy(f"choices of {name}"))
        parts.append(with_participants(part, part.sequences["participant"].to_numpy() + number * people))
    everyone = concat(parts)
    fits = {
        name: fit(
            made_for(model, everyone),
            everyone,
            method=method,
            n_starts=n_starts,
            seed=seed,
            progress=progress,
        )
        for name, model in named.items()
    }
    evidence = wide_evidence(evidence_table(fits, by=by)).sort_index().to_numpy()
    own = {name: np.arange(people) + number * people for number, name in enumerate(named)}
    recovery = joined_recovery(
        [recovered_values(name, found, true[name], own[name]) for name, found in fits.items()]
    )
    return _confusion(evidence.reshape(len(named), people, len(named)), list(named), by, recovery)


def describing(fits: Mapping[str, Fit], guessing: str = "random") -> dict[str, np.ndarray]:
    """Estimates of those whom each model describes better than guessing does, by BIC; of everyone where it does for nobody.

    To simulate with: choices of whoever only guesses are nobody's, whatever the model.

    Returns
    -------
    (units, parameters) by name.
    """
    chosen = {}
    for name, found in fits.items():
        better = (found.table["bic"] <= fits[guessing].table["bic"]).to_numpy()
        known = np.isfinite(found.theta).all(-1)
        chosen[name] = found.theta[known & better if (known & better).any() else known]
    return chosen


def _confusion(evidence: np.ndarray, names: list[str], by: Criterion, recovery: Recovery) -> Confusion:
    """Counts of winners from log evidence (simulated models, participants, fitted models)."""
    wins = pd.DataFrame(
        [share_best(rows) for rows in evidence],
        index=pd.Index(names, name="simulated"),
        columns=pd.Index(names, name="fitted"),
    )
    rows = []
    for number, name in enumerate(names):
        rivals = wins.loc[name].drop(name)
        for rival in rivals.index:
            right = share_best(evidence[number][:, [number, names.index(rival)]])[0]
            named = wins.loc[name, name] < SEPARABLE and rival == rivals.idxmax()
            rows.append(
                {
                    "simulated": name,
                    "rival": rival,
                    "right": right,
                    "taken": rivals[rival],
                    "separable": bool(right >= SEPARABLE and not named),
                }
            )
    return Confusion(wins, pd.DataFrame(rows), by, evidence.shape[1], recovery)

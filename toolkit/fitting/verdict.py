"""Which agent one person's choices are most like, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from toolkit.errors import DataError, UsageError
from toolkit.fitting.comparison import evidence_table
from toolkit.fitting.fitting import Fit, fit
from toolkit.fitting.people import list_agents
from toolkit.models import Model, get_model_for
from toolkit.progress import track
from toolkit.trials import Trials

TOLD_APART = float(np.log(20))
"""Nats of log evidence behind the best from which an agent counts as told apart: the best is 20 times as likely.

Twenty to one among these two by BIC; how often the best is right among all agents depends on task and length.

Of 112 players simulated by 14 agents (parameters from their priors, Shepard's types, 48 trials) 57 were foretold better
than by guessing. In 19 of these the best agent was this far ahead of the second, and was the one that played in 18; in the
others it was so in 6 of 38. Probabilities made of BIC promise 68 % over the 57, where 42 % is true, so none are given.
"""

_NEEDS = {"forced": "forced", "unchosen": "full_feedback", "confirming": "full_feedback"}
"""Words in names of parameters, and the flag of trials without any of which such a parameter does nothing."""


@dataclass(frozen=True)
class Verdict:
    """Agents fitted to one person, beside one another.

    Attributes
    ----------
    fits
        By agent, the best first.
    table
        One row an agent, the best first: ``agent, n_parameters, log_likelihood, bic``, ``nats_per_trial`` (half of
        BIC by choice) and ``behind`` (log evidence behind the best, which is half of the difference in BIC).
    n_trials
        Choices that were fitted.
    guessing
        Nats a choice of someone who guesses between all options.
    models
        Agents that were made with options, by name.
    """

    fits: Mapping[str, Fit]
    table: pd.DataFrame
    n_trials: int
    guessing: float
    models: Mapping[str, Model] = field(default_factory=dict)

    @classmethod
    def of(cls, fits: Mapping[str, Fit], trials: Trials, agents: Sequence[str | Model] = ()) -> Verdict:
        """Compare fits of agents to one person's trials by BIC."""
        models = {agent.name: agent for agent in agents if isinstance(agent, Model)}
        if len(trials.participants) != 1:
            raise UsageError("a verdict is about one person.", fix="Use Trials.where(participant=...).")
        # An agent whose fit failed says nothing about the others.
        found = {agent: fit for agent, fit in fits.items() if np.isfinite(fit.table["log_likelihood"]).all()}
        if len(found) < 2:
            raise DataError(f"{len(found)} of {len(fits)} agents could be fitted.", fix="Fit.table says why.")
        evidence = evidence_table(found)
        table = evidence.sort_values("log_evidence", ascending=False, kind="stable", ignore_index=True)
        log_evidence, n_trials = table["log_evidence"].to_numpy(), int(table["n_trials"].iloc[0])
        table = table.rename(columns={"model": "agent"})[["agent", "n_parameters", "log_likelihood", "bic"]]
        table = table.assign(nats_per_trial=-log_evidence / n_trials, behind=log_evidence[0] - log_evidence)
        ranked = {agent: fits[agent] for agent in table["agent"]}
        return cls(ranked, table, n_trials, float(np.log(trials.n_options)), models)

    @property
    def best(self) -> str:
        """The agent under which the choices are most likely, parameters paid for."""
        return self.table["agent"].iloc[0]

    @property
    def second(self) -> str:
        """The next one."""
        return self.table["agent"].iloc[1]

    @property
    def lead(self) -> float:
        """Nats by which the best is ahead of the second."""
        return float(self.table["behind"].iloc[1])

    @property
    def rivals(self) -> list[str]:
        """Agents that these choices cannot tell from the best."""
        return self.table["agent"][1:][self.table["behind"][1:] < TOLD_APART].tolist()

    @property
    def beats_guessing(self) -> bool:
        """Whether the best agent, parameters paid for, foretells more than guessing."""
        return bool(self.table["nats_per_trial"].iloc[0] < self.guessing)


def list_candidates(trials: Trials) -> list[str]:
    """Agents that can be fitted to these trials and that differ on them.

    Those are left out that have a parameter for what the trials do not have: forced choices, or outcomes of options
    that were not chosen. Rules that the fit hands over ready-made are among them.
    """
    found = []
    for name in list_agents(trials, fixed_rules=True):
        words = {
            word
            for one in get_model_for(name, trials).parameters
            for word in one.name.split("_")
            if word in _NEEDS
        }
        if all(trials.arrays.get(_NEEDS[word], np.zeros(1, bool)).any() for word in words):
            found.append(name)
    return found


def fit_one_by_one(
    trials: Trials, agents: Sequence[str | Model] | None = None, *, seed: int = 0
) -> Iterator[tuple[str, Fit]]:
    """Fit agents to a person, one a step, so that something else can be done in between."""
    for agent in list_candidates(trials) if agents is None else agents:
        found = fit(agent, trials, seed=seed, progress=False)
        yield found.model, found


def judge(trials: Trials, agents: Sequence[str | Model] | None = None, *, seed: int = 0) -> Verdict:
    """Fit agents to one person's trials, and compare them.

    Parameters
    ----------
    trials
        Of one participant.
    agents
        Their names, or models that were made with options; all of :func:`list_candidates` by default.
    """
    agents = list_candidates(trials) if agents is None else list(agents)
    steps = track(fit_one_by_one(trials, agents, seed=seed), "fitting agents", len(agents))
    return Verdict.of(dict(steps), trials, agents)

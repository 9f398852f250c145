"""Fits programs to people and says how well they explain them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from toolkit.discovery.caching import fit_program
from toolkit.discovery.probes import probe
from toolkit.discovery.program import Program, ProgramModel
from toolkit.discovery.rejection import Rejected
from toolkit.discovery.sandbox.pool import Sandbox
from toolkit.discovery.search.config import FitPart
from toolkit.discovery.task import Task
from toolkit.fitting import Fit, cross_validate
from toolkit.fitting.cross_validation import split_last_block
from toolkit.trials import Trials

SHARE_HELD_OUT = 0.25
"""Of every problem, at its end."""


@dataclass(frozen=True)
class Score:
    """How well a program explains some people, or why it cannot be used.

    Attributes
    ----------
    mean
        Of the criterion over participants, lower is better; None for a program that was rejected.
    each, log_likelihood
        Of every participant, in order.
    n_parameters
        Of each of them.
    estimates
        Mean and spread over people of every parameter.
    agreed
        Smallest number of starts that found the same best fit of a person.
    reason, what
        Why it was rejected, as a word and as a sentence.
    """

    mean: float | None
    each: tuple[float, ...] = ()
    log_likelihood: tuple[float, ...] = ()
    n_parameters: int = 0
    estimates: Mapping[str, tuple[float, float]] | None = None
    agreed: int = 0
    reason: str = ""
    what: str = ""

    @classmethod
    def rejected(cls, error: Rejected) -> Score:
        """The score of a program that cannot be used."""
        return cls(None, reason=error.reason, what=str(error))

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Score:
        """What was kept; TypeError or ValueError where it is something else."""
        content = dict(content)
        for name in ("each", "log_likelihood"):
            content[name] = tuple(map(float, content[name]))
        if content["mean"] is not None:
            content["mean"] = float(content["mean"])
        if content["estimates"] is not None:
            content["estimates"] = {
                name: (float(mean), float(spread)) for name, (mean, spread) in content["estimates"].items()
            }
        kinds = {"n_parameters": int, "reason": str, "what": str}
        if any(type(content[name]) is not kind for name, kind in kinds.items()):
            raise TypeError("parameters are counted, and reasons are text")
        return cls(**content)


def n_counted(trials: Trials, task: Task, counted: str) -> np.ndarray:
    """(participants,) what the n of a criterion counts: choices, or trials with any."""
    each = np.stack([trials.scored_for(stage.choice) for stage in task.stages])
    n_rows = (each.any(0) if counted == "trials" else each.sum(0)).sum(1)
    return np.bincount(trials.participant_index, n_rows, len(trials.participants))


def criterion(log_likelihood: np.ndarray, n_parameters: int, n: np.ndarray, which: str) -> np.ndarray:
    """(participants,) AIC or BIC."""
    price = np.log(np.maximum(n, 1)) if which == "bic" else 2.0
    return n_parameters * price - 2 * log_likelihood


@dataclass(frozen=True)
class Scorer:
    """Scores programs on some people.

    Attributes
    ----------
    seed
        Of the starts of fits.
    final
        Whether to search as long as for the report.
    """

    trials: Trials
    task: Task
    how: FitPart
    counted: str
    sandbox: Sandbox
    seed: int = 0
    final: bool = False

    def score(self, program: Program) -> Score:
        """How well a program explains these people; never raises what the program is to blame for."""
        try:
            if not program.parameters:
                return self._without_parameters(program)
            model = program.model(self.sandbox)
            with model.engine.within(self.how.seconds_a_program):
                if not self.final:
                    probe(model, self.trials)
                return self._of(self._fitted(model))
        except Rejected as error:
            return Score.rejected(error)

    def fit(self, program: Program) -> Fit:
        """The fit of a program to these people, kept for the next time."""
        model = program.model(self.sandbox)
        with model.engine.within(self.how.seconds_a_program):
            return self._fitted(model)

    def _fitted(self, model: ProgramModel) -> Fit:
        return fit_program(model, self.trials, seed=self.seed, progress=False, **self._searches())

    def held_out(self, program: Program) -> float:
        """Nats a choice on the last quarter of every problem, with parameters fitted to what came before."""
        model = program.model(self.sandbox)
        if not program.parameters:
            _, end = split_last_block(self.trials, SHARE_HELD_OUT)
            return -float(self._constant(program, end).sum()) / int(end.n_scored.sum())
        with model.engine.within(self.how.seconds_a_program):
            found = cross_validate(
                model,
                self.trials,
                scheme="last_block",
                share_of_trials=SHARE_HELD_OUT,
                seed=self.seed,
                progress=False,
                **self._searches(),
            ).table
        # Nothing is known of whoever made no choice before the end; a sum would take the end for foreseen.
        known = found.dropna(subset=["log_likelihood"])
        return -float(known["log_likelihood"].sum()) / int(known["n_trials"].sum())

    def _searches(self) -> dict[str, int]:
        how = self.how
        if self.final:
            return {"n_starts": how.final_starts, "exchange_rounds": how.final_exchange_rounds}
        return {"n_starts": how.starts, "exchange_rounds": how.exchange_rounds}

    def on(self, trials: Trials) -> Scorer:
        """The same for other people, fitted as for the report."""
        return replace(self, trials=trials, final=True)

    def _of(self, fit: Fit) -> Score:
        table = fit.table
        failed = ~np.isfinite(table["log_likelihood"].to_numpy(dtype=float))
        if failed.any():
            who = table["participant"][failed].iloc[0]
            raise Rejected(
                "invalid probabilities",
                f"it cannot be fitted to participant {who}: {table['reason'][failed].iloc[0]}.",
                fix="Keep probabilities finite for all parameters within their bounds.",
            )
        theta = fit.theta
        pairs = zip(fit.parameters, theta.mean(0), theta.std(0), strict=True)
        estimates = {name: (float(mean), float(spread)) for name, mean, spread in pairs}
        each = table["log_likelihood"].to_numpy(dtype=float)
        return self._score(each, len(fit.parameters), estimates, int(table["starts_agreed"].min()))

    def _without_parameters(self, program: Program) -> Score:
        return self._score(self._constant(program, self.trials), 0, {}, 0)

    def _constant(self, program: Program, trials: Trials) -> np.ndarray:
        """(participants,) log-likelihoods of a program with nothing to fit, whose predictions need not be constant."""
        model = program.model(self.sandbox)
        each = model.totals(np.zeros((len(trials), 0)), trials, interpreted=True)
        return np.bincount(trials.participant_index, each, len(trials.participants))

    def _score(
        self, log_likelihood: np.ndarray, k: int, estimates: dict[str, tuple[float, float]], agreed: int
    ) -> Score:
        n = n_counted(self.trials, self.task, self.counted)
        each = criterion(log_likelihood, k, n, self.how.criterion)
        return Score(
            float(each.mean()),
            tuple(map(float, each)),
            tuple(map(float, log_likelihood)),
            k,
            estimates,
            agreed,
        )

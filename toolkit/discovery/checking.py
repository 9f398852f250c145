"""A second opinion on a candidate that has won: a fresh process, without the compiler, and all probes."""

from __future__ import annotations

import numpy as np

from toolkit.discovery.probes import probe
from toolkit.discovery.rejection import Rejected
from toolkit.discovery.sandbox.pool import Sandbox
from toolkit.discovery.sandboxed import SandboxedModel
from toolkit.fitting import Fit
from toolkit.trials import Trials

TOLERANCE = 1e-6
"""Nats, for each trial, by which two ways of computing a likelihood may differ."""


def recheck(
    model: SandboxedModel, fit: Fit, trials: Trials, *, n_participants: int = 4, seed: int = 0
) -> float:
    """Compute the likelihoods of some participants again, and probe the model.

    Parameters
    ----------
    fit
        Of the model to these trials, with parameters of their own for each participant.
    n_participants
        How many are checked, drawn by ``seed``.

    Returns
    -------
    The largest difference from the fit, in nats.

    Raises
    ------
    Rejected
        where the likelihoods differ, or a probe finds something.
    """
    known = np.flatnonzero(np.isfinite(fit.theta).all(-1))
    chosen = np.random.default_rng(seed).permutation(known)[:n_participants]
    some = trials.take(np.isin(trials.participant_index, chosen))
    names = [trials.participants[position] for position in chosen]
    position_of = dict(zip(names, chosen, strict=True))
    of_sequence = np.array([position_of[one] for one in some.sequences["participant"]], dtype=int)
    limits = model.engine.sandbox.limits
    accepts = model.engine.sandbox.accept_fewer_layers
    with Sandbox(1, limits=limits, accept_fewer_layers=accepts) as fresh:
        again = model.in_sandbox(fresh)
        again.engine.compiled = None
        by_sequence = again.totals(fit.theta[of_sequence], some)
        probe(again, trials, seed=seed)
    largest = 0.0
    for position in chosen:
        claimed = float(fit.table["log_likelihood"].iloc[position])
        found = float(by_sequence[of_sequence == position].sum())
        if not abs(claimed - found) <= TOLERANCE * max(1, int(trials.n_scored[position])):
            raise Rejected(
                "not confirmed",
                f"participant {trials.participants[position]} has a log-likelihood of {found:.6f}, "
                f"not of {claimed:.6f} as fitted.",
                where=model.name,
                fix="Do not use this candidate.",
            )
        largest = max(largest, abs(claimed - found))
    return largest

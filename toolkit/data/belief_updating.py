"""Three studies of how people update beliefs about two options, cut and coded as they are fitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from toolkit.data.loaders import load_data
from toolkit.errors import UsageError, did_you_mean
from toolkit.trials import Trials

Part = Literal["partial", "full", "full_partial_blocks", "agency", "agency_all_blocks"]


def load_belief_updating(part: Part, *, legacy: bool = False) -> Trials:
    """The choices of one study that learning rates are estimated from.

    Parameters
    ----------
    part
        - "partial": Lefebvre et al. (2017), experiment 1, in euros: 0 or 0.5. One outcome is seen.
        - "full": Chambon et al. (2020), experiment 2, free choices in blocks where both outcomes are seen.
        - "full_partial_blocks": the same people in blocks where one outcome is seen.
        - "agency": Chambon et al. (2020), experiment 1, blocks that mix free and forced choices; these are
          not scored, but they teach.
        - "agency_all_blocks": the same with the blocks of free choices alone.

        In both parts of "full" forced trials are left out altogether, as in earlier work.
    legacy
        Repeat the slips of earlier work, to reproduce its numbers. "partial": a missed choice counts as one of
        the first option that paid nothing. "full" and "full_partial_blocks": the kind of feedback alternates
        from block to block, though its order was random, so that half of the blocks have the wrong
        label; both outcomes count as seen in those labelled full. "agency": all blocks.
    """
    if part not in _PREPARED:
        raise UsageError(f"there is no part '{part}'.", fix=did_you_mean(part, _PREPARED))
    return _PREPARED[part](legacy)


def _partial(legacy: bool) -> Trials:
    trials = load_data("lefebvre2017_exp1")
    outcome = (trials.outcome + 1) / 4
    if not legacy:
        return trials.updated(outcome=outcome)
    outcome[trials.missed, 0] = 0.0
    return trials.updated(choice=np.where(trials.missed, 0, trials.choice), outcome=outcome)


def _full(legacy: bool, *, both_seen: bool = True) -> Trials:
    trials = load_data("chambon2020_exp2")
    if legacy:
        full = trials.sequences["problem"].to_numpy() % 2 == 1
    else:
        full = trials.sequences["condition"].str.endswith("/full").to_numpy()
    trials = _only(trials.take(full == both_seen), lambda some: ~some.forced)
    if not legacy:
        return trials
    seen = both_seen | (np.arange(2) == trials.choice[..., None])
    return trials.updated(
        outcome=np.where(seen, trials.payoff, np.nan),
        full_feedback=np.full_like(trials.full_feedback, both_seen),
    )


def _agency(legacy: bool, *, all_blocks: bool = False) -> Trials:
    trials = load_data("chambon2020_exp1")
    return trials if legacy or all_blocks else trials.where(choices="mixed")


def _only(trials: Trials, chosen: Callable[[Trials], np.ndarray]) -> Trials:
    """Some trials of every sequence, in order, as if there had been no others."""
    kept = trials.mask & chosen(trials)
    order = np.argsort(~kept, axis=1, kind="stable")[:, : kept.sum(1).max()]
    row = np.arange(len(trials))[:, None]
    arrays = {name: array[row, order] for name, array in trials.arrays.items()}
    return Trials(trials.schema, arrays, kept[row, order], trials.sequences, trials.labels, trials.n_options)


_PREPARED: dict[str, Callable[[bool], Trials]] = {
    "partial": _partial,
    "full": _full,
    "full_partial_blocks": lambda legacy: _full(legacy, both_seen=False),
    "agency": _agency,
    "agency_all_blocks": lambda legacy: _agency(legacy, all_blocks=True),
}

"""Three studies of how people update beliefs about two options, cut and coded as they are fitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from toolkit.data.loaders import load_data
from toolkit.errors import UsageError, did_you_mean
from toolkit.trials import Trials

Part = Literal["partial", "full", "full_partial_blocks", "agency", "agency_all_blocks"]
Load = Callable[[str], Trials]


def load_belief_updating(
    part: Part, *, legacy: bool = False, load: Callable[[str], Trials] = load_data
) -> Trials:
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
    load
        What gives Trials by name, such as ``run.load``.
    """
    if part not in _PREPARED:
        raise UsageError(f"there is no part '{part}'.", fix=did_you_mean(part, _PREPARED))
    return _PREPARED[part](load, legacy)


def analysed(task: Literal["partial", "full", "agency"], trials: Trials) -> Trials:
    """The part of anybody's trials on a task that learning rates are estimated from, as for people.

    Everything of the partial task; of the full one free choices in blocks where both outcomes are seen; of the
    agency task blocks that mix free and forced choices. Blocks are told by their ``condition``.
    """
    if task == "partial":
        return trials
    blocks = trials.sequences["condition"].str.endswith("/full" if task == "full" else "/mixed").to_numpy()
    kept = trials.take(blocks)
    return _only(kept, lambda some: ~some.forced) if task == "full" else kept


def _partial(load: Load, legacy: bool) -> Trials:
    trials = load("lefebvre2017_exp1")
    outcome = (trials.outcome + 1) / 4
    if not legacy:
        return trials.updated(outcome=outcome)
    outcome[trials.missed, 0] = 0.0
    return trials.updated(choice=np.where(trials.missed, 0, trials.choice), outcome=outcome)


def _full(load: Load, legacy: bool, *, both_seen: bool = True) -> Trials:
    trials = load("chambon2020_exp2")
    if both_seen and not legacy:
        return analysed("full", trials)
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


def _agency(load: Load, legacy: bool, *, all_blocks: bool = False) -> Trials:
    trials = load("chambon2020_exp1")
    return trials if legacy or all_blocks else analysed("agency", trials)


def _only(trials: Trials, chosen: Callable[[Trials], np.ndarray]) -> Trials:
    """Some trials of every sequence, in order, as if there had been no others."""
    kept = trials.mask & chosen(trials)
    order = np.argsort(~kept, axis=1, kind="stable")[:, : kept.sum(1).max()]
    row = np.arange(len(trials))[:, None]
    arrays = {name: array[row, order] for name, array in trials.arrays.items()}
    return Trials(trials.schema, arrays, kept[row, order], trials.sequences, trials.labels, trials.n_options)


_PREPARED: dict[str, Callable[[Load, bool], Trials]] = {
    "partial": _partial,
    "full": _full,
    "full_partial_blocks": lambda load, legacy: _full(load, legacy, both_seen=False),
    "agency": _agency,
    "agency_all_blocks": lambda load, legacy: _agency(load, legacy, all_blocks=True),
}

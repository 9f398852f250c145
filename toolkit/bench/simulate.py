"""Simulated learners on Shepard's six types, many at once, against one learner at a time, trial by trial."""

from __future__ import annotations

import time
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import torch

from toolkit.bench.core import Row, median_seconds
from toolkit.experiments import get_design
from toolkit.experiments.shepard import STIMULI, orbits
from toolkit.experiments.summaries import error_by_block, with_intervals
from toolkit.models import Model, get_model
from toolkit.models.checkpoints import find_checkpoint, load_network
from toolkit.models.metalearner import MetaLearnerNetwork
from toolkit.seeds import Seeds
from toolkit.trials import MISSING, Trials

MODEL, LEARNERS, BLOCKS = "ermi", 10_000, 16
ORDERS = 50
"""Different sequences a type in the first row: each is learned by 200 learners with choices of their own."""
OWN_ORDERS = 20
"""Learners a type in the row in which everyone has a sequence of their own."""
PLAIN_LEARNERS, PLAIN_DRAWS = 1, 50
ALLOWED_S, ALLOWED_DRAWING_S = 60, 10
WANTED, WANTED_OWN = 50, 20


def rows() -> list[Row]:
    """Three rows: with shared orders, with orders of their own, and drawing the design alone."""
    torch.set_num_threads(1)  # Two threads on two busy cores wait for each other.
    get_model(MODEL).simulate(*_task(2, None))  # Imports and the checkpoint are read before the clock starts.
    plain_s, plain_same = _plain()
    return [_shared_orders(plain_s, plain_same), _own_orders(plain_s, plain_same), _drawing()]


def _clocks() -> np.ndarray:
    """Seconds of the wall and of the processor, on which other work of the machine hardly tells: (2,)."""
    return np.array([time.perf_counter(), time.process_time()])


def plain_learner(
    network: MetaLearnerNetwork, stimuli: np.ndarray, categories: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """One learner who reads a trial, answers, is told, and goes on.

    Parameters
    ----------
    stimuli, categories
        (trials, features) between 0 and 1, and (trials,), 0 or 1.

    Returns
    -------
    Probability of category 1 and the choice on every trial, (trials,) each. As the model that is timed,
    the network is heard four times: with features turned round or not, and with labels swapped or not.
    """
    turned, swapped = (torch.tensor(column) for column in zip(*product((0, 1), (0, 1)), strict=True))
    used = torch.ones(stimuli.shape[1], dtype=torch.bool)
    state, last = network.start(4, n_classes=2, feature_mask=used), None
    chance, choice = np.zeros(len(stimuli)), np.zeros(len(stimuli), dtype=int)
    for t, (stimulus, category) in enumerate(zip(stimuli, categories, strict=True)):
        x = torch.tensor(stimulus, dtype=torch.float32).expand(4, -1)
        x = torch.where(turned[:, None] == 1, 1 - x, x)
        with torch.no_grad():
            log_p, state = network.step(state, x, last)
        p = log_p[:, :2].exp().double()
        chance[t] = torch.where(swapped == 1, p[:, 0], p[:, 1]).mean()
        choice[t] = rng.random() < chance[t]
        last = int(category) ^ swapped
    return chance, choice


def plain_design(n_participants: int, rng: np.random.Generator) -> list[list[dict[str, Any]]]:
    """The six types for every participant, one trial after the other."""
    sequences = []
    for _, halves in product(range(n_participants), orbits().values()):
        first = halves[rng.integers(len(halves))]
        trials = []
        for block in range(BLOCKS):
            for number in rng.permutation(np.repeat(np.arange(8), 2)):
                category = 0 if number in first else 1
                trials.append({"stimulus": STIMULI[number], "category": category, "block": block})
        sequences.append(trials)
    return sequences


def _task(
    n_learners: int, n_orders: int | None, conditions: tuple[str, ...] | None = None
) -> tuple[np.ndarray, Trials, np.random.Generator]:
    """Parameters, design and generator for ``simulate``: answers as the network gives them."""
    rng = Seeds(0).numpy(f"learners {conditions}")
    trials = get_design("shepard").draw(
        n_learners, rng=rng, conditions=conditions, n_blocks=BLOCKS, n_orders=n_orders
    )
    return get_model(MODEL).theta(n_learners, inverse_temperature=1.0, lapse=0.0), trials, rng


def _shared_orders(plain_s: np.ndarray, same: bool) -> Row:
    model, conditions = get_model(MODEL), get_design("shepard").conditions
    errors, taken = [], np.zeros(2)
    for condition in conditions:  # One after the other needs a sixth of the memory.
        theta, trials, rng = _task(LEARNERS, ORDERS, (condition,))
        started = _clocks()
        answered = model.simulate(theta, trials, rng)
        taken += _clocks() - started
        errors.append(error_by_block(answered))
        same = same and bool((answered.choice != MISSING).all())
    half = max(_half_interval(error) for error in errors)
    (seconds, processor_s), (reference_s, reference_processor_s) = taken, plain_s * LEARNERS * len(conditions)
    return Row(
        what=f"{LEARNERS:,} learners × {len(conditions)} types × {16 * BLOCKS} trials, {ORDERS} orders a type",
        ours_s=seconds,
        reference_s=reference_s,
        goal=f"≤ {ALLOWED_S} s, ratio ≥ {WANTED}",
        same_result=same,
        met=seconds <= ALLOWED_S and reference_s / seconds >= WANTED,
        note=f"of one processor {processor_s:.0f} s and {reference_processor_s:,.0f} s, "
        f"{reference_processor_s / processor_s:,.0f} times; reference: {PLAIN_LEARNERS * len(conditions)} sequences, "
        f"extrapolated; mean errors of blocks are within ± {half:.3f} (95 %, orders resampled)",
    )


def _own_orders(plain_s: np.ndarray, same: bool) -> Row:
    model = get_model(MODEL)
    theta, trials, rng = _task(OWN_ORDERS, None)
    started = _clocks()
    model.simulate(theta, trials, rng)
    (seconds, processor_s), (reference_s, reference_processor_s) = _clocks() - started, plain_s * len(trials)
    hours = seconds / OWN_ORDERS * LEARNERS / 3600
    return Row(
        what=f"{OWN_ORDERS} learners × 6 types × {16 * BLOCKS} trials, each with an order of their own",
        ours_s=seconds,
        reference_s=reference_s,
        goal=f"ratio ≥ {WANTED_OWN}",
        same_result=same,
        met=reference_s / seconds >= WANTED_OWN,
        note=f"of one processor {processor_s:.1f} s and {reference_processor_s:.0f} s, "
        f"{reference_processor_s / processor_s:.0f} times; {LEARNERS:,} such learners would take {hours:.1f} hours; reference extrapolated",
    )


def _drawing() -> Row:
    design = get_design("shepard")
    seconds, part_s = median_seconds(
        lambda: design.draw(LEARNERS, rng=Seeds(0).numpy("design"), n_blocks=BLOCKS),
        lambda: plain_design(PLAIN_DRAWS, Seeds(0).numpy("design")),
    )
    plain = [
        [8 * trial["block"] + trial["stimulus"] @ (4, 2, 1) for trial in trials]
        for trials in plain_design(1, Seeds(0).numpy("design"))
    ]
    ours = design.draw(1, rng=Seeds(0).numpy("design"), n_blocks=BLOCKS)
    reference_s = part_s / PLAIN_DRAWS * LEARNERS
    return Row(
        what=f"designs of {LEARNERS:,} learners × 6 types × {16 * BLOCKS} trials, each its own order",
        ours_s=seconds,
        reference_s=reference_s,
        goal=f"≤ {ALLOWED_DRAWING_S} s",
        same_result=bool((np.sort(8 * ours.block + ours.stimulus_id, 1) == np.sort(plain, 1)).all()),
        met=seconds <= ALLOWED_DRAWING_S,
        note=f"reference: {PLAIN_DRAWS} learners, extrapolated; compared: how often blocks show each stimulus",
    )


def _plain() -> tuple[np.ndarray, bool]:
    """Seconds (2,) of one learner and sequence, and whether all answers are those of the model that is timed."""
    network = load_network(find_checkpoint(MODEL), device="cpu")
    theta, trials, rng = _task(PLAIN_LEARNERS, None)
    model: Model = get_model(MODEL)
    started = _clocks()
    chance = [
        plain_learner(network, trials.stimulus[s], trials.category[s], rng)[0] for s in range(len(trials))
    ]
    seconds = (_clocks() - started) / len(trials)
    return seconds, bool(np.allclose(chance, model.predict(theta, trials)[..., 1], atol=1e-4))


def _half_interval(errors: pd.DataFrame) -> float:
    """Half the width of the widest interval of a block's mean error, over orders."""
    intervals = with_intervals(errors, rng=Seeds(0).numpy("orders"), unit="order")
    return float((intervals["high"] - intervals["low"]).max() / 2)

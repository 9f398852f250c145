"""Fits of bandit learners, filters of changing worlds and Meta-RL, beside plain loops; cost over people."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from toolkit.bench._growth import growth_rows
from toolkit.bench._plain_bandits import (
    MARGIN,
    exact_means,
    rescorla_wagner_objective,
    search_from,
    var_smile_means,
)
from toolkit.bench._plain_metarl import plain_loss, plain_step
from toolkit.bench.core import Row, median_seconds
from toolkit.experiments.bandits import get_task
from toolkit.experiments.volatile import GaussianTask
from toolkit.fitting import fit
from toolkit.fitting.fitting import one_thread
from toolkit.fitting.starts import draw_starts
from toolkit.models import get_model_for
from toolkit.models.surprise import predict_stream
from toolkit.seeds import Seeds
from toolkit.training.metarl import ActorCritic, MetaRLConfig
from toolkit.trials import Trials

SUBJECTS, STARTS, MODELS = 50, 100, ("rescorla_wagner", "rescorla_wagner_signed")
PLAIN_SUBJECTS, PLAIN_STARTS = 3, 5
"""As many subjects and starts are fitted by plain loops, and the others' seconds extrapolated."""
STREAMS, STEPS, PLAIN_STEPS = 60, 100_000, 3_000
PEOPLE, GROWING, STARTS_OF_MANY = (100, 1_000, 10_000), "rescorla_wagner_signed", 4
DIFFERENT_PEOPLE = 200
"""Smaller studies have some of them, larger ones all again and again."""
TASK_OF_AGENTS, PLAIN_EPISODES = "full", 8
"""A loop of one environment at a time learns from so few episodes, and others' seconds are extrapolated."""
WANTED_RATIO, WANTED_RATIO_OF_AGENTS, ALLOWED_S = 40, 20, 60

_SAME_OPTIMUM = 1e-4
"""Nats by which ends of two searches for one optimum may differ."""


def rows() -> list[Row]:
    """Two models of 50 subjects, exact Bayes, the other filters, Meta-RL, and cost over people."""
    growth = growth_rows(simulate(max(PEOPLE)), PEOPLE, GROWING, method="map", n_starts=STARTS_OF_MANY)
    return [fits_row(), exact_row(), filters_row(), agents_row(), *growth]


def simulate(n_people: int) -> Trials:
    """People who learn the partial task, each from 96 trials."""
    seeds = Seeds(0)
    design = get_task("partial").draw(DIFFERENT_PEOPLE, rng=seeds.numpy("design"))
    model = get_model_for(GROWING, design)
    rng = seeds.numpy("parameters")
    rates = rng.uniform(0.05, 0.8, (2, len(design)))
    theta = np.stack([rng.uniform(3, 15, len(design)), *rates], -1)
    trials = model.simulate(theta, design, seeds.numpy("choices"))
    trials = trials.take(np.arange(n_people) % len(trials))
    return replace(trials, sequences=trials.sequences.assign(participant=range(n_people)))


def fits_row(
    n_subjects: int = SUBJECTS,
    n_starts: int = STARTS,
    n_plain_subjects: int = PLAIN_SUBJECTS,
    n_plain_starts: int = PLAIN_STARTS,
) -> Row:
    """Everyone from all starts, beside a loop over some subjects and starts with numeric gradients."""
    trials = simulate(n_subjects)
    few = trials.take(range(n_plain_subjects))
    ours_s = plain_s = 0.0
    same, gains, factor = True, [], n_subjects * n_starts / (n_plain_subjects * n_plain_starts)
    for name in MODELS:
        model = get_model_for(name, trials)
        upper = np.array([parameter.upper for parameter in model.parameters])
        starts = draw_starts(model.parameters, n_starts)[:n_plain_starts].clip(MARGIN, upper - MARGIN)
        objectives = [
            rescorla_wagner_objective(few.take([row]), model.begin) for row in range(n_plain_subjects)
        ]
        search = partial(fit, model, trials, method="map", n_starts=n_starts, progress=False)
        fit(model, few, method="map", n_starts=1, progress=False)  # Compiled before the clock starts.
        with one_thread():
            plain = partial(_search_all, objectives, starts, upper)
            seconds, plain_seconds = median_seconds(search, plain)
            ends = plain()
        ours_s, plain_s = ours_s + seconds, plain_s + plain_seconds * factor
        found = search()
        ours = [objective(theta) for objective, theta in zip(objectives, found.theta, strict=False)]
        gains += list(np.min(ends, 1) - ours)
        same &= _same_surface(model, few, objectives, starts)
    return Row(
        what=f"{n_subjects} subjects × {n_starts} starts × {len(MODELS)} models, 96 trials",
        ours_s=ours_s,
        reference_s=plain_s,
        goal=f"ratio ≥ {WANTED_RATIO}, no optimum worse",
        same_result=bool(same and min(gains) >= -_SAME_OPTIMUM),
        met=plain_s / ours_s >= WANTED_RATIO,
        note=(
            f"the loop was timed on {n_plain_subjects} subjects × {n_plain_starts} starts; compared: the posterior at "
            f"these starts, and optima, ours better by {min(gains):.6f} to {max(gains):.6f} nats"
        ),
    )


def exact_row(n_streams: int = STREAMS, n_steps: int = STEPS, n_plain_steps: int = PLAIN_STEPS) -> Row:
    """Exact Bayes in many long streams, beside a loop over the steps of the beginning of one."""
    task = GaussianTask(0.5, 0.05)
    return _stream_row("exact", task, n_streams, n_steps, n_plain_steps, partial(exact_means, task=task), {})


def filters_row(n_streams: int = STREAMS, n_steps: int = STEPS, n_plain_steps: int = PLAIN_STEPS) -> Row:
    """All other rules; the loop is that of variational surprise minimisation, which is the simplest."""
    task = GaussianTask(0.5, 0.05)
    observed = task.draw(n_streams, n_steps, rng=Seeds(0).numpy("streams")).observed
    settings: dict[str, dict[str, float]] = {
        "message_passing": {},
        "message_passing_learning_rate": {},
        "resampling": {},
        "particles": {},
        "smile": {"modulation": 0.06},
        "nassar_2010": {"modulation": 0.12},
        "nassar_2012": {"modulation": 0.05},
        "leaky": {"leak": 0.55},
    }
    taken = {}
    for rule, setting in settings.items():
        predict_stream(rule, observed[:1, :2], task, **setting)
        taken[rule] = _seconds(partial(predict_stream, rule, observed, task, **setting))
    loop = partial(var_smile_means, task=task, modulation=0.3)
    row = _stream_row("var_smile", task, n_streams, n_steps, n_plain_steps, loop, {"modulation": 0.3})
    each = ", ".join(f"{rule} {seconds:.1f}" for rule, seconds in taken.items())
    return Row(
        what=row.what,
        ours_s=row.ours_s,
        reference_s=row.reference_s,
        goal=f"each of the {len(taken) + 1} filters < {ALLOWED_S} s",
        same_result=row.same_result,
        met=max(row.ours_s, *taken.values()) < ALLOWED_S,
        note=f"{row.note}; seconds of the others, of the same streams: {each}",
    )


def agents_row(n_episodes: int | None = None, n_plain: int = PLAIN_EPISODES) -> Row:
    """One update of Meta-RL, beside a loop that steps one environment at a time."""
    config = MetaRLConfig(task=TASK_OF_AGENTS, **({"episodes": n_episodes} if n_episodes else {}))
    trainer, plain = ActorCritic(config), ActorCritic(config)
    few = ActorCritic(config.model_copy(update={"episodes": n_plain})).draw()
    draws = torch.rand(few.free.shape, generator=Seeds(0).torch("draws"))
    losses = trainer.loss(few, trainer.play(few, draws)), plain_loss(plain, few, draws)
    slopes = [
        torch.cat([g.flatten() for g in _gradients(loss, t)])
        for loss, t in zip(losses, (trainer, plain), strict=True)
    ]
    same = torch.allclose(*losses, atol=1e-5) and torch.allclose(*slopes, atol=1e-5)
    with one_thread():
        ours_s, plain_s = median_seconds(trainer.step, partial(plain_step, plain, few, draws))
    steps = [int(episodes.free.numel()) for episodes in (trainer.draw(), few)]
    return Row(
        what=f"Meta-RL, one update on {config.episodes} episodes of the {config.task} task, {steps[0]:,} steps",
        ours_s=ours_s,
        reference_s=plain_s * steps[0] / steps[1],
        goal=f"ratio ≥ {WANTED_RATIO_OF_AGENTS}",
        same_result=same,
        met=plain_s * steps[0] / steps[1] / ours_s >= WANTED_RATIO_OF_AGENTS,
        note=(
            f"{steps[0] / ours_s:,.0f} steps/s; the loop was timed on {n_plain} episodes; compared: loss and "
            "gradient of the same choices"
        ),
    )


def _gradients(loss: torch.Tensor, trainer: ActorCritic) -> tuple[torch.Tensor, ...]:
    return torch.autograd.grad(loss, list(trainer.network.parameters()))


def _stream_row(
    rule: str,
    task: GaussianTask,
    n_streams: int,
    n_steps: int,
    n_plain_steps: int,
    loop: Callable[[np.ndarray], np.ndarray],
    setting: dict[str, float],
) -> Row:
    observed = task.draw(n_streams, n_steps, rng=Seeds(0).numpy("streams")).observed
    first = observed[:1, :n_plain_steps]
    ours = predict_stream(rule, first, task, **setting)[0, :, 0]
    same = np.allclose(ours, loop(first[0]), rtol=1e-8, atol=1e-10)
    (plain_s,) = median_seconds(lambda: loop(first[0]))
    seconds = _seconds(partial(predict_stream, rule, observed, task, **setting))
    return Row(
        what=f"{rule}, {n_streams} streams × {n_steps:,} steps",
        ours_s=seconds,
        reference_s=plain_s * observed.size / first.size,
        goal=f"< {ALLOWED_S} s",
        same_result=bool(same),
        met=seconds < ALLOWED_S,
        note=f"the loop was timed, and both were compared, on the first {first.size:,} steps of one stream",
    )


def _search_all(objectives: list[Callable], starts: np.ndarray, upper: np.ndarray) -> list[list[float]]:
    """(people, starts) lowest values."""
    return [search_from(objective, starts, upper) for objective in objectives]


def _same_surface(model: Any, trials: Any, objectives: list[Callable], starts: np.ndarray) -> bool:
    """Whether differences between starts are the same in both posteriors."""
    from toolkit.fitting.priors import Prior

    rows = np.repeat(starts[:, None], len(objectives), 1)
    ours = model.log_likelihood(rows, trials).sum(-1) + Prior(model.parameters).evaluate(rows)[0]
    plain = np.array([[-objective(start) for objective in objectives] for start in starts])
    return bool(np.allclose(ours - ours[0], plain - plain[0], atol=1e-6))


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started

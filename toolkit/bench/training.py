"""Steps of meta-training against a plain version of them, their share of the machine, and how cost grows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from toolkit.bench._plain_training import Episodes, PlainTraining, long_table
from toolkit.bench.core import Row, median_seconds
from toolkit.models.metalearner import MetaLearnerNetwork, NetworkConfig
from toolkit.seeds import Seeds
from toolkit.tasks.problems import Problems
from toolkit.training import TrainingConfig, get_config
from toolkit.training.batches import Batch, join
from toolkit.training.trainer import Trainer

PROBLEMS, TRIALS, FEATURES = 64, 100, 3
TABLE_PROBLEMS = 500
REPEATS = 5
WANTED_RATIO, WANTED_SHARE_OF_PEAK, ALLOWED_SHARE_OF_DRAWING = 5.0, 0.25, 0.1

LENGTHS = (64, 128, 256, 512, 1024)
FEW_STEPS, MANY_STEPS, SMALL_BATCH = 10, 40, 8
SMALL_REPEATS = 7
NOISE = 0.2
"""How much more than is allowed a busy machine may make of a cost."""

_PEAK_SIZE = 2048


def rows() -> list[Row]:
    """A step both ways, its rate beside a matrix product's, cost over trials, and cost over steps."""
    torch.set_num_threads(1)  # Both ways use one; two on busy cores wait for each other.
    trainer = Trainer(shipped(PROBLEMS, TRIALS), 0)
    return [*_steps_both_ways(trainer), *_lengths(trainer), _many_steps()]


def shipped(n_problems: int, trials: int, **changes: object) -> TrainingConfig:
    """The config of shipped learners, on problems of the bank of one size."""
    config = get_config(
        "ecological",
        "shipped",
        features={FEATURES: 1.0},
        classes={2: 1.0},
        lengths={trials: 1.0},
        trials_per_step=n_problems * trials,
        precision="float32",  # That of the plain version and of the matrix product.
        validate_every=30_000,
        **changes,
    )
    return config.mixed({"written": 0})  # It has to be downloaded.


def _steps_both_ways(trainer: Trainer) -> list[Row]:
    drawn = trainer.batcher.sources[0].draw(
        TABLE_PROBLEMS, TRIALS, FEATURES, generator=Seeds(0).torch("table"), scaling="none"
    )
    plain = PlainTraining(long_table(drawn), PROBLEMS, trainer.config.network, seed=0)
    checked = Problems(drawn.x[:PROBLEMS], drawn.y[:PROBLEMS], drawn.n_classes)
    batch, episodes = join([checked.scaled()], trainer.config), plain.assemble(range(PROBLEMS))
    before = _losses(trainer, batch, plain, episodes)
    matrix = torch.rand(_PEAK_SIZE, _PEAK_SIZE, generator=Seeds(0).torch("matrix"))
    works = (trainer.step, plain.step, trainer.batcher.draw, lambda: matrix @ matrix)
    median_seconds(*works, repeats=1)  # The first time memory is fetched and kernels are chosen.
    ours, theirs, drawing, product = median_seconds(*works, repeats=REPEATS)
    after = _losses(trainer, batch, plain, episodes)
    learned = all(last < first for first, last in zip(before, after, strict=True))
    changes = [f"{first:.3f} to {last:.3f}" for first, last in zip(before, after, strict=True)]
    network = trainer.config.network
    step = Row(
        what=(
            f"one training step on {PROBLEMS} problems × {TRIALS} trials, {FEATURES} features, "
            f"{network.n_layers} layers of width {network.width}, one thread"
        ),
        ours_s=ours,
        reference_s=theirs,
        goal=f"ratio ≥ {WANTED_RATIO:g}",
        same_result=same_batch(batch, episodes) and learned,
        met=theirs / ours >= WANTED_RATIO,
        note=(
            "compared: batches made of the same problems, and whether both learn; "
            f"loss from {changes[0]} and, plain, from {changes[1]} in {REPEATS + 1} steps"
        ),
    )
    return [step, _share_of_peak(trainer, batch, ours, drawing, 2 * _PEAK_SIZE**3 / product)]


def _losses(trainer: Trainer, batch: Batch, plain: PlainTraining, episodes: Episodes) -> tuple[float, float]:
    plain.eval()
    with torch.no_grad():
        found = loss_of(trainer.network, batch).item(), plain.loss(episodes).item()
    plain.train()
    return found


def loss_of(network: MetaLearnerNetwork, batch: Batch) -> torch.Tensor:
    """Mean loss of a trial."""
    log_p, _ = network.compute(batch.x, batch.seen, batch.used, batch.possible)
    return F.nll_loss(log_p.flatten(0, 1), batch.y.flatten())


def same_batch(batch: Batch, episodes: Episodes) -> bool:
    """Whether both ways made the same features, labels but for their names, and labels of the trial before."""
    inputs, targets, lengths = episodes
    n_features = inputs.shape[-1] - 1
    if inputs.shape[:2] != batch.y.shape or set(lengths) != {batch.y.shape[1]}:
        return False
    renamed = targets != batch.y
    return (
        torch.allclose(inputs[..., :-1], batch.x[..., :n_features], atol=1e-5)
        and bool((batch.x[..., n_features:] == 0.5).all())
        and bool((renamed == renamed[:, :1]).all())
        and torch.equal(inputs[:, 1:, -1], targets[:, :-1])
    )


def _share_of_peak(trainer: Trainer, batch: Batch, step: float, drawing: float, peak: float) -> Row:
    """``peak`` in operations a second."""
    operations = count_operations(trainer.network, batch)
    share, drawing_share = operations / step / peak, drawing / step
    return Row(
        what=(
            f"{operations / 1e9:.1f} billion operations of that step, "
            f"beside a {_PEAK_SIZE} × {_PEAK_SIZE} float32 matrix product of as many"
        ),
        ours_s=step,
        reference_s=operations / peak,
        goal=(
            f"≥ {WANTED_SHARE_OF_PEAK:.0%} of the product's rate, "
            f"drawing the batch ≤ {ALLOWED_SHARE_OF_DRAWING:.0%} of the step"
        ),
        same_result=operations == operations_by_formula(trainer.config.network, *batch.y.shape),
        met=share >= WANTED_SHARE_OF_PEAK and drawing_share <= ALLOWED_SHARE_OF_DRAWING,
        note=(
            f"{batch.y.numel() / step:,.0f} trials (tokens)/s, {share:.0%} of {peak / 1e9:.0f} billion operations/s, "
            f"drawing {drawing_share:.1%} of the step; compared: operations counted and by formula"
        ),
    )


def count_operations(network: MetaLearnerNetwork, batch: Batch) -> int:
    """Additions and multiplications in matrix products of a step, forward and backward, as it runs."""

    def forward(query: torch.Size, *others: object, **options: object) -> int:
        n_sequences, n_heads, trials, head_width = query
        # Products with keys and with values, of trials that may be looked at.
        return 2 * 2 * n_sequences * n_heads * head_width * trials * (trials + 1) // 2

    def backward(gradient: torch.Size, query: torch.Size, *others: object, **options: object) -> int:
        return 2 * forward(query)

    attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    # Torch's counter does not know the fused attention of CPUs.
    known = {
        attention: forward,
        torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: backward,
    }
    with FlopCounterMode(display=False, custom_mapping=known) as counter:
        loss_of(network, batch).backward()
    return counter.get_total_flops()


def operations_by_formula(config: NetworkConfig, n_problems: int, trials: int) -> int:
    """What :func:`count_operations` should find in a modern network without limits of capacity."""
    width = config.width
    per_layer = 4 * width**2 + 2 * width * config.feed_forward
    linear = 2 * width**2 + config.n_layers * per_layer + width * config.n_classes
    first = 2 * (2 * config.n_features + config.n_classes) * width
    looks = config.n_layers * 2 * width * trials * (trials + 1) // 2
    # Backward costs twice the forward; features want no gradient, so their layers have half of that.
    return 2 * n_problems * (trials * (3 * linear + 2 * first) + 3 * looks)


def _lengths(trainer: Trainer) -> list[Row]:
    network, longest = trainer.network, max(LENGTHS)
    problems = trainer.batcher.sources[0].draw(
        SMALL_BATCH, longest, FEATURES, generator=Seeds(0).torch("lengths")
    )
    batches = [
        join([Problems(problems.x[:, :trials], problems.y[:, :trials], 2)], trainer.config)
        for trials in LENGTHS
    ]

    def work(batch: Batch) -> None:
        network.zero_grad()
        loss_of(network, batch).backward()

    seconds = median_seconds(*(partial(work, batch) for batch in batches), repeats=SMALL_REPEATS)
    with torch.no_grad():
        answers = [network.compute(b.x, b.seen, b.used, b.possible)[0] for b in batches]
    same = [torch.allclose(long[:, : short.shape[1]], short, atol=1e-4) for short, long in pairwise(answers)]
    return doubling_rows(seconds, same, [operations_by_formula(network.config, 1, t) for t in LENGTHS])


def doubling_rows(seconds: Sequence[float], same: Sequence[bool], operations: Sequence[int]) -> list[Row]:
    """A row each time the trials double: a part that grows with trials and one with their pairs is at most × 4.

    Parameters
    ----------
    seconds, operations
        Of every number of trials in ``LENGTHS``.
    same
        Whether the longer sequence answers its first half as the shorter one does.
    """
    found = []
    for n, trials in enumerate(LENGTHS[1:]):
        allowed = 4 * seconds[n]
        exponent = math.log2(seconds[n + 1] / seconds[n])
        needed = math.log2(operations[n + 1] / operations[n])
        found.append(
            Row(
                what=f"{SMALL_BATCH} problems × {trials} trials, beside 4 × those with {trials // 2}",
                ours_s=seconds[n + 1],
                reference_s=allowed,
                goal=f"at most × 4 when trials double, {NOISE:.0%} for noise",
                same_result=same[n],
                met=seconds[n + 1] <= allowed * (1 + NOISE),
                note=(
                    f"cost grows as trials to the power {exponent:.2f}, operations to {needed:.2f}; "
                    "compared: answers to the trials that both have"
                ),
            )
        )
    return found


def _many_steps() -> Row:
    config = shipped(SMALL_BATCH, LENGTHS[0], groups=1, validation_problems=1)
    ready = iter([Trainer(config, 0) for _ in range(2 * SMALL_REPEATS)])
    losses: dict[int, list[float]] = {}

    def work(number: int) -> None:
        trainer = next(ready)
        losses[number] = [trainer.step().item() for _ in range(number)]

    few, many = median_seconds(lambda: work(FEW_STEPS), lambda: work(MANY_STEPS), repeats=SMALL_REPEATS)
    return linear_row(few, many, same=losses[MANY_STEPS][:FEW_STEPS] == losses[FEW_STEPS])


def linear_row(few: float, many: float, *, same: bool) -> Row:
    """Seconds of many steps beside those of few, times as many; ``same`` if they began with the same losses."""
    times = MANY_STEPS // FEW_STEPS
    return Row(
        what=f"{MANY_STEPS} training steps of {SMALL_BATCH} problems × {LENGTHS[0]} trials, "
        f"beside {times} × {FEW_STEPS}",
        ours_s=many,
        reference_s=times * few,
        goal=f"at most × {times}, {NOISE:.0%} for noise",
        same_result=same,
        met=many <= times * few * (1 + NOISE),
        note=f"× {many / few:.2f}; compared: the first {FEW_STEPS} losses",
    )

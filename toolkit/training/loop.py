"""A whole training: seeds in turn, progress, interruptions, and the checkpoint at the end."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event
from typing import Any

import torch

from toolkit.errors import InterruptedRunError, UsageError
from toolkit.interruptions import stop_signals
from toolkit.models.metalearner import MetaLearnerNetwork
from toolkit.paths import runs_dir
from toolkit.progress import track
from toolkit.training.checkpoints import (
    ModelCard,
    card_path,
    describe_software,
    load_checkpoint,
    now,
    read_card,
    save_checkpoint,
)
from toolkit.training.config import TrainingConfig
from toolkit.training.trainer import Trainer

SECONDS_BETWEEN_SAVES = 60.0

Report = Callable[[str], None]


def default_out(config: TrainingConfig) -> Path:
    """Where a checkpoint goes unless another place is named: never over one that comes with the project."""
    return runs_dir() / "training" / f"{config.name}.safetensors"


def train(
    config: TrainingConfig,
    out: str | Path | None = None,
    *,
    device: str | torch.device | None = None,
    fresh: bool = False,
    report: Report = lambda line: None,
    provenance: Mapping[str, Any] | None = None,
) -> tuple[MetaLearnerNetwork, ModelCard]:
    """Train a network for every seed and keep the best; continues what was interrupted.

    A training that was killed goes on where it last saved its state, at most a minute back, and on a CPU
    ends with the same weights to the last bit. One that is finished is not repeated.

    Parameters
    ----------
    out
        Checkpoint to write; the state of an unfinished training lies beside it.
    device
        The GPU where there is one, by default.
    fresh
        Begin again whatever there is.
    report
        Called with one line a validation.
    provenance
        Kept in the card, for instance the project's commit.
    """
    out = default_out(config) if out is None else Path(out)
    if out.suffix != ".safetensors":
        raise UsageError(f"'{out}' is not a .safetensors file.", fix="End --out with .safetensors.")
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    states = out.with_name(f"{out.stem}.training")
    if fresh:
        shutil.rmtree(states, ignore_errors=True)
    elif not states.exists() and (card := _finished_card(out, config)) is not None:
        report(f"{out} is trained already.")
        return load_checkpoint(out)[0], card
    with _threads(config.threads), stop_signals() as stopped:
        trainers = [
            _train_seed(config, seed, states / f"seed_{seed}.safetensors", device, report, stopped)
            for seed in config.seeds
        ]
    best = min(trainers, key=lambda trainer: trainer.progress.best_loss)
    card = _card(best, trainers, dict(provenance or {}))
    card = save_checkpoint(out, best.best_network(), card)
    shutil.rmtree(states, ignore_errors=True)
    return load_checkpoint(out)[0], card


def _train_seed(
    config: TrainingConfig, seed: int, state: Path, device: torch.device, report: Report, stopped: Event
) -> Trainer:
    if state.is_file():
        trainer = Trainer.resumed(state, config, device=device)
        report(f"{config.name}, seed {seed}: goes on after step {trainer.progress.step}.")
    else:
        trainer = Trainer(config, seed, device=device)
    saved, rows = time.monotonic(), len(trainer.progress.curve)
    for _ in track(_steps(trainer), f"{config.name}, seed {seed}", config.steps - trainer.progress.step):
        trainer.step()
        if len(trainer.progress.curve) > rows:
            rows = len(trainer.progress.curve)
            report(_line(trainer))
        if stopped.is_set():
            trainer.save(state)
            raise InterruptedRunError(
                f"stopped after step {trainer.progress.step} of {config.steps}.",
                where=f"training '{config.name}', seed {seed}",
                fix="The same command goes on from there.",
            )
        if time.monotonic() - saved > SECONDS_BETWEEN_SAVES:
            trainer.save(state)
            saved = time.monotonic()
    trainer.save(state)
    return trainer


def _steps(trainer: Trainer) -> Iterator[int]:
    while not trainer.finished:
        yield trainer.progress.step


def _line(trainer: Trainer) -> str:
    progress, config = trainer.progress, trainer.config
    row, rate = progress.curve[-1], progress.step / progress.seconds
    left = (config.steps - progress.step) / rate
    return (
        f"{config.name}, seed {trainer.seed}, step {progress.step}/{config.steps}: "
        f"loss {row['train_loss']:.4f}, validation {row['validation_loss']:.4f}, "
        f"accuracy {row['validation_accuracy']:.3f}; {rate:.2f} steps/s, "
        f"{rate * config.trials_per_step:,.0f} trials/s, {_duration(left)} left"
    )


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{seconds / 60:.1f} min"


def _card(best: Trainer, trainers: list[Trainer], provenance: dict[str, Any]) -> ModelCard:
    progress = best.progress
    return ModelCard(
        name=best.config.name,
        config=best.config,
        seed=best.seed,
        n_parameters=best.network.n_parameters,
        steps=progress.step,
        best_step=progress.best_step,
        seconds=round(progress.seconds, 3),
        device=torch.cuda.get_device_name(best.device) if best.device.type == "cuda" else best.device.type,
        precision=best.precision,
        curve=progress.curve,
        other_seeds={t.seed: t.progress.best_loss for t in trainers if t is not best},
        created=now(),
        provenance=provenance,
        packages=describe_software(),
    )


def _finished_card(out: Path, config: TrainingConfig) -> ModelCard | None:
    """Card of a finished training with this config; an error if there is one with another."""
    if not (out.is_file() and card_path(out).is_file()):
        return None
    card = read_card(out)
    if card.config != config:
        raise UsageError(
            "there is a checkpoint of another training.",
            where=str(out),
            fix="Use another place (--out), or replace it (`--fresh`, fresh=True).",
        )
    return card


@contextlib.contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)

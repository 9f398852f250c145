"""One training: steps, validation, and a state that can be put down and taken up at any step."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import TypeAdapter

from toolkit.errors import DataError, ToolkitError, UsageError
from toolkit.io import load_arrays, save_arrays
from toolkit.models.attention import randomness_from
from toolkit.models.checkpoints import weights_of
from toolkit.models.metalearner import MetaLearnerNetwork
from toolkit.seeds import Seeds
from toolkit.training.batches import Batch, Batcher
from toolkit.training.config import TrainingConfig, parse_config
from toolkit.training.namings import disagreement, name_twice
from toolkit.training.validation import Validator

STATE_VERSION = 1
_SHARE_OF_FALL = 0.25


@dataclass
class Progress:
    """Where a training stands, as plain values; part of its state."""

    step: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0
    loss_steps: int = 0
    best_loss: float | None = None
    best_step: int = 0
    curve: list[dict[str, Any]] = field(default_factory=list)

    @property
    def validations_without_best(self) -> int:
        """How many validations there were since the best one."""
        return sum(row["step"] > self.best_step for row in self.curve)


def learning_rate(config: TrainingConfig, step: int) -> float:
    """Learning rate of a step, the first being 0.

    >>> config = TrainingConfig(name="x", prior=[{"source": "linear"}], steps=100, warm_up=10)
    >>> [round(learning_rate(config, step) / config.learning_rate, 2) for step in (0, 9, 55, 99)]
    [0.1, 1.0, 0.5, 0.0]
    """
    if step < config.warm_up:
        return config.learning_rate * (step + 1) / config.warm_up
    if config.schedule == "plateau":
        left = (config.steps - step) / max(1.0, _SHARE_OF_FALL * config.steps)
        return config.learning_rate * min(1.0, left)
    done = (step - config.warm_up) / max(1, config.steps - config.warm_up)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


class Trainer:
    """Trains one network with one seed.

    On a CPU with the same number of threads the losses are decided by config and seed to the last bit,
    however often the training was interrupted.
    """

    def __init__(self, config: TrainingConfig, seed: int, *, device: str | torch.device = "cpu") -> None:
        self.config, self.seed, self.device = config, seed, torch.device(device)
        self.precision = resolve_precision(config.precision, self.device)
        self._precision = {"float32": torch.float32, "bfloat16": torch.bfloat16}[self.precision]
        seeds = Seeds(seed)
        self.network = MetaLearnerNetwork(config.network, generator=seeds.torch("weights")).to(self.device)
        self.batcher = Batcher(config, seeds, self.device)
        self.noise = seeds.torch("noise")
        self.namings = seeds.torch("namings", str(self.device))
        self.validator = Validator(config, self.device)
        self.optimizer = torch.optim.AdamW(
            _decay_groups(self.network, config.weight_decay), lr=config.learning_rate, fused=True
        )
        self.progress = Progress()
        self._loss_sum = torch.zeros((), dtype=torch.float64, device=self.device)
        # Reading a number from a GPU makes it wait.
        self._check_every = 1 if self.device.type == "cpu" else 50
        self.best: dict[str, np.ndarray] = {}
        self._compute = (
            torch.compile(self._loss_of, mode="reduce-overhead", dynamic=False)
            if config.compiled
            else self._loss_of
        )

    @property
    def finished(self) -> bool:
        """Whether all steps are done, or validation has not improved for as long as the config allows."""
        patience, progress = self.config.patience, self.progress
        tired = patience is not None and progress.validations_without_best >= patience
        return progress.step >= self.config.steps or tired

    def step(self) -> torch.Tensor:
        """One step on a fresh batch; its loss, on the device."""
        started = time.perf_counter()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, self.progress.step)
        self.network.train()
        self.optimizer.zero_grad()
        loss = self._loss(self.batcher.draw())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        self.optimizer.step()
        loss = loss.detach()
        self._loss_sum += loss
        self.progress.step += 1
        self.progress.loss_steps += 1
        validating = self.progress.step % self.config.validate_every == 0 or self.finished
        if validating or self.progress.step % self._check_every == 0:
            self._check_finite()
        self.progress.seconds += time.perf_counter() - started
        if validating:
            self._validate()
        return loss

    def best_network(self) -> MetaLearnerNetwork:
        """A network with the weights of the best validation, on the CPU."""
        if not self.best:
            raise UsageError("nothing has been validated yet.", where=f"training '{self.config.name}'")
        network = MetaLearnerNetwork(self.config.network)
        network.load_state_dict({name: torch.from_numpy(array) for name, array in self.best.items()})
        return network.eval()

    def save(self, path: str | Path) -> None:
        """Write the whole state: another process goes on from it as if nothing had happened."""
        self._check_finite()
        arrays = {f"weights/{name}": array for name, array in weights_of(self.network).items()}
        arrays |= {f"best/{name}": array for name, array in self.best.items()}
        for name, parameter in self.network.named_parameters():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                arrays[f"optimizer/{name}/{key}"] = value.cpu().numpy()
        for name, generator in self._generators.items():
            arrays[f"generator/{name}"] = generator.get_state().numpy()
        save_arrays(path, arrays, {"state_version": STATE_VERSION, **self._identity, **asdict(self.progress)})

    @classmethod
    def resumed(cls, path: str | Path, config: TrainingConfig, *, device: str | torch.device) -> Trainer:
        """The training whose state is in ``path``; refused if ``config`` would continue another one."""
        arrays, header = load_arrays(path)
        if header.pop("state_version", None) != STATE_VERSION:
            raise DataError("the state is of another version of the toolkit.", where=str(path), fix=_AFRESH)
        try:
            trainer = cls(config, header["seed"], device=device)
            trainer._check_same(header, str(path))
            trainer.progress = TypeAdapter(Progress).validate_python(
                {name: header[name] for name in Progress.__dataclass_fields__}
            )
            trainer._restore(arrays)
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            said = str(error).splitlines()[0]
            raise DataError(f"the state is not whole ({said}).", where=str(path), fix=_AFRESH) from error
        return trainer

    @property
    def _generators(self) -> dict[str, torch.Generator]:
        return {**self.batcher.generators, "noise": self.noise, "namings": self.namings}

    @property
    def _identity(self) -> dict[str, Any]:
        return {
            "config": self.config.model_dump(mode="json"),
            "seed": self.seed,
            "device": self.device.type,
            "precision": self.precision,
        }

    def _check_same(self, header: Mapping[str, Any], where: str) -> None:
        for name in ("device", "precision"):
            if header[name] != self._identity[name]:
                raise UsageError(
                    f"it was begun with {name} {header[name]}, now it is {self._identity[name]}.",
                    where=where,
                    fix=_AFRESH,
                )
        begun = parse_config(header["config"], where=where)
        # As long as the rate has not begun to fall, more or fewer steps change nothing that was done.
        plateau = all(
            config.schedule == "plateau" and header["step"] <= (1 - _SHARE_OF_FALL) * config.steps
            for config in (begun, self.config)
        )
        ours = self.config.changed(steps=begun.steps) if plateau else self.config
        if all(
            two is None or header["step"] <= two.from_step for two in (begun.two_namings, ours.two_namings)
        ):
            ours = ours.changed(two_namings=begun.two_namings)
        if begun != ours:
            old, new = begun.model_dump(), ours.model_dump()
            name = next(name for name in new if old[name] != new[name])
            raise UsageError(
                f"it was begun with {name} = {old[name]}, now it is {new[name]}.", where=where, fix=_AFRESH
            )

    def _restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        self._loss_sum.fill_(self.progress.loss_sum)

        def part(prefix: str) -> dict[str, np.ndarray]:
            return {
                name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)
            }

        self.network.load_state_dict({name: torch.from_numpy(a) for name, a in part("weights/").items()})
        self.best = part("best/")
        for name, parameter in self.network.named_parameters() if self.progress.step else ():
            state = part(f"optimizer/{name}/")
            self.optimizer.state[parameter] = {
                key: torch.from_numpy(state[key].copy()).to(self.device)
                for key in ("step", "exp_avg", "exp_avg_sq")
            }
        for name, generator in self._generators.items():
            generator.set_state(torch.from_numpy(arrays[f"generator/{name}"].copy()))

    def _loss(self, batch: Batch) -> torch.Tensor:
        two, names = self.config.two_namings, None
        if two is not None and self.progress.step >= two.from_step:
            batch, names = name_twice(batch, self.namings)
        random = self.config.network.dropout > 0 or self.config.network.capacity.noisy
        with (
            randomness_from(self.noise if random or self.config.network.kind == "paper" else None),
            torch.autocast(self.device.type, self._precision, enabled=self._precision != torch.float32),
        ):
            return self._compute(batch.x, batch.seen, batch.y, batch.used, batch.possible, names)

    def _loss_of(
        self,
        x: torch.Tensor,
        seen: torch.Tensor,
        y: torch.Tensor,
        used: torch.Tensor,
        possible: torch.Tensor,
        names: torch.Tensor | None,
    ) -> torch.Tensor:
        log_p, nats = self.network.compute(x, seen, used, possible)
        loss = F.nll_loss(log_p.flatten(0, 1), y.flatten())
        if names is not None and self.config.two_namings is not None:
            loss = loss + self.config.two_namings.weight * disagreement(log_p, names, possible)
        return loss + self.config.network.capacity.information_cost * nats

    def _check_finite(self) -> None:
        self.progress.loss_sum = self._loss_sum.item()
        if not math.isfinite(self.progress.loss_sum):
            raise self._not_finite("loss")

    def _not_finite(self, what: str) -> ToolkitError:
        return ToolkitError(
            f"the {what} is no longer a finite number at step {self.progress.step}, learning rate "
            f"{self.optimizer.param_groups[0]['lr']:.2g}.",
            where=f"training '{self.config.name}', seed {self.seed}",
            fix="Lower learning_rate or clip; precision='float32' rules out rounding.",
        )

    def _validate(self) -> None:
        progress = self.progress
        row = {
            "step": progress.step,
            "seconds": round(progress.seconds, 1),
            "train_loss": progress.loss_sum / progress.loss_steps,
            **self.validator(self.network),
        }
        progress.loss_sum, progress.loss_steps = 0.0, 0
        self._loss_sum.zero_()
        if not math.isfinite(row["validation_loss"]):
            raise self._not_finite("validation loss")
        progress.curve.append(row)
        if progress.best_loss is None or row["validation_loss"] < progress.best_loss:
            progress.best_loss, progress.best_step = row["validation_loss"], progress.step
            self.best = weights_of(self.network)


_AFRESH = "Begin afresh (`--fresh`, fresh=True), or use another place (--out)."


def resolve_precision(asked: str, device: torch.device) -> str:
    """What "auto" means on a device: bfloat16 where its hardware computes with it, otherwise float32."""
    if asked != "auto":
        return asked
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return "bfloat16" if device.type == "cpu" and supported() else "float32"


def _decay_groups(network: torch.nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices shrink; biases and other vectors do not."""
    matrices = [p for p in network.parameters() if p.dim() > 1]
    vectors = [p for p in network.parameters() if p.dim() <= 1]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]

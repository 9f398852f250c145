"""Meta-learners as models of people: a trained network's answers, with noise of choice."""

from __future__ import annotations

import hashlib
import math
from functools import cache
from itertools import permutations
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from toolkit.models.base import Parameter, TrialTensors
from toolkit.models.by_rows import CompiledModel, join_sequences
from toolkit.models.checkpoints import find_checkpoint, load_network
from toolkit.models.compiling import Compiled, Sequences, compile_sequence
from toolkit.models.metalearner import MetaLearnerNetwork
from toolkit.models.sequential import fill_softmax
from toolkit.models.similarity import LAPSE
from toolkit.seeds import Seeds

# Pairs of trials that attention compares at once: about 100 MB.
_PAIRS_AT_ONCE = 4_000_000

_NUMBERS_KEPT = 20_000_000
"""Answers to all sequences that are kept: 160 MB."""


class MetaLearner(CompiledModel):
    """Answers with a network's probabilities to the power of ``inverse_temperature``.

    The network reads stimuli and the categories told, never the person's choices. What is true of a
    problem stays true when all features are turned round (x to 1 - x), and whatever categories are
    called; so its probabilities are averaged over both ways round and over all permutations of labels
    (above three categories over the cyclic ones). The network is run once for given trials.

    Features that leave 0 to 1 within a sequence are scaled to it by their smallest and largest value
    there, as in training.

    Parameters
    ----------
    checkpoint
        A file, or the name of a checkpoint that comes with the project; the model's own name by default.
    lapse
        Whether a share of choices are guesses.
    published
        One parameter between 0 and 1 and no lapse, as people were fitted in earlier work.
    """

    name: ClassVar[str]
    schemas = ("category_learning",)
    parameters = (
        Parameter("inverse_temperature", 0.0, 10.0, "choices follow the network's answers more closely"),
        LAPSE,
    )
    reads_choices = False

    def __init__(
        self, checkpoint: str | Path | None = None, *, lapse: bool = True, published: bool = False
    ) -> None:
        self.checkpoint = checkpoint or self.name
        temperature = self.parameters[0]
        if published:
            temperature = Parameter(temperature.name, 0.0, 1.0, temperature.meaning)
        self.parameters = (temperature, LAPSE) if lapse and not published else (temperature,)

    def probabilities(self, theta: torch.Tensor, data: TrialTensors) -> torch.Tensor:
        log_p = self._answers(data)
        values = self._by_name(theta)
        p = (values["inverse_temperature"][..., None, None] * log_p).softmax(-1)
        if "lapse" not in values:
            return p
        lapse = values["lapse"][..., None, None]
        return (1 - lapse) * p + lapse / data.n_options

    def _compiled_for(self, data: TrialTensors) -> tuple[Compiled, Sequences, dict[str, Any]]:
        key = ("sequences of answers", self.checkpoint)
        sequences = data.remember(key, lambda: join_sequences(data, {"log_p": self._answers(data)}))
        names = tuple(parameter.name for parameter in self.parameters)
        return _compile(names), sequences, {} if "lapse" in names else {"lapse": 0.0}

    def _answers(self, data: TrialTensors) -> torch.Tensor:
        """Log-probabilities of every category: (sequences, trials, options)."""

        def read() -> torch.Tensor:
            path = find_checkpoint(self.checkpoint)
            written = path.stat().st_mtime_ns if path.is_file() else 0
            return _read(path, written, data).to(data.stimulus.dtype)

        return data.remember(("answers of a network", self.checkpoint), read)


@cache
def _compile(parameters: tuple[str, ...]) -> Compiled:
    constants = {} if "lapse" in parameters else {"lapse": 0.0}
    return compile_sequence(choose, parameters, per_trial={"log_p": np.empty((0, 0))}, constants=constants)


def choose(inverse_temperature, lapse, log_p, p):
    """Fill ``p`` (trials, options) by the answers' log-probabilities, as :class:`MetaLearner` says."""
    n_options = p.shape[1]
    for t in range(len(p)):
        fill_softmax(log_p[t], inverse_temperature, p[t])
        for k in range(n_options):
            p[t, k] = (1.0 - lapse) * p[t, k] + lapse / n_options


class Ermi(MetaLearner):
    """Trained on problems that language models wrote after those of the world."""

    name = "ermi"


class Mi(MetaLearner):
    """Trained on random linear problems."""

    name = "mi"


class Pfn(MetaLearner):
    """Trained on problems of random neural networks."""

    name = "pfn"


class Rmc(MetaLearner):
    """Trained on problems drawn from the rational model of categorisation."""

    name = "rmc"


class _Kept:
    """Answers to sequences that were read before, the oldest dropped where there are too many."""

    def __init__(self) -> None:
        self._answers: dict[bytes, torch.Tensor] = {}
        self._size, self._lock = 0, Lock()

    def get(self, key: bytes) -> torch.Tensor | None:
        return self._answers.get(key)

    def put(self, key: bytes, answers: torch.Tensor) -> None:
        with self._lock:
            if key in self._answers:
                return
            self._answers[key] = answers
            self._size += answers.numel()
            while self._size > _NUMBERS_KEPT and len(self._answers) > 1:
                self._size -= self._answers.pop(next(iter(self._answers))).numel()


# Fits, cross-validation and simulation make new trials of the same sequences, again and again.
_kept = _Kept()


@torch.no_grad()
def _read(path: Path, written: int, data: TrialTensors) -> torch.Tensor:
    """Log-probabilities averaged over symmetries, 0 in padding: (sequences, trials, options).

    ``written`` is when the checkpoint was written, so that one that was trained again is read again.
    """
    x, y = _scaled(data.stimulus, data.mask), data.category
    length = (data.mask * torch.arange(1, data.mask.shape[1] + 1, device=data.mask.device)).amax(1).tolist()
    # People often learn the same sequence, above all simulated ones: each is read once.
    keys = _keys(f"{path} {written} {data.n_options}", x, y, length)
    row_of = dict(zip(reversed(keys), reversed(range(len(keys))), strict=True))
    known = {key: _kept.get(key) for key in row_of}
    unknown = [key for key, answers in known.items() if answers is None]
    if unknown:
        network = load_network(path, device=x.device)
        size = max(1, _PAIRS_AT_ONCE // x.shape[1] ** 2)
        for batch in (unknown[start : start + size] for start in range(0, len(unknown), size)):
            rows = [row_of[key] for key in batch]
            answers = _averaged(network, x[rows], y[rows], data.n_options)
            for key, row, answer in zip(batch, rows, answers.cpu(), strict=True):
                known[key] = answer[: length[row]].clone()
                _kept.put(key, known[key])
    number = {key: place for place, key in enumerate(known)}
    found = pad_sequence([*known.values(), torch.zeros(x.shape[1], data.n_options).double()], True)
    return found[[number[key] for key in keys], : x.shape[1]].to(x.device)


def _keys(about: str, x: torch.Tensor, y: torch.Tensor, length: list[int]) -> list[bytes]:
    """What each sequence is known by; equal where stimuli and categories are, whatever was chosen."""
    return [
        hashlib.sha256(about.encode() + one[:n].tobytes() + told[:n].tobytes()).digest()
        for one, told, n in zip(x.cpu().numpy(), y.cpu().numpy(), length, strict=True)
    ]


def _averaged(network: MetaLearnerNetwork, x: torch.Tensor, y: torch.Tensor, n_classes: int) -> torch.Tensor:
    # A network with a noisy memory is heard once; the seed keeps its answers the same.
    noise = Seeds(0).torch("noise of memory", str(x.device))
    answers = []
    for names in _permutations(n_classes):
        # Label -1, none told, is last and stays what it is.
        renamed = torch.tensor([*names, -1], device=y.device)[y]
        for turned in (x, 1 - x):
            log_p = network(turned, renamed, n_classes=n_classes, generator=noise)
            answers.append(log_p[..., list(names)].double())
    return torch.stack(answers).logsumexp(0) - math.log(len(answers))


def _permutations(n: int) -> list[tuple[int, ...]]:
    """All orders of up to three labels, the cyclic ones of more."""
    if n <= 3:
        return list(permutations(range(n)))
    return [tuple((label + shift) % n for label in range(n)) for shift in range(n)]


def _scaled(x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Features (sequences, trials, features) between 0 and 1, one half in padding."""
    there = mask[..., None]
    low = torch.where(there, x, torch.inf).amin(1, keepdim=True)
    high = torch.where(there, x, -torch.inf).amax(1, keepdim=True)
    span = torch.where(high > low, high - low, 1.0)
    scaled = torch.where(high > low, (x - low) / span, 0.5)
    return torch.where((low < 0) | (high > 1), scaled, x).where(there, 0.5)

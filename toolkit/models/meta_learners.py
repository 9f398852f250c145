"""Meta-learners as models of people: a trained network's answers, with noise of choice."""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from itertools import permutations
from pathlib import Path
from typing import ClassVar

import torch

from toolkit.models.base import Model, Parameter, TrialTensors
from toolkit.models.checkpoints import find_checkpoint, load_network
from toolkit.models.metalearner import MetaLearnerNetwork
from toolkit.models.similarity import LAPSE
from toolkit.seeds import Seeds

# Pairs of trials that attention compares at once: about 100 MB.
_PAIRS_AT_ONCE = 4_000_000


class MetaLearner(Model):
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
        log_p = data.remember(("answers of a network", self.checkpoint), lambda: self._answers(data))
        values = self._by_name(theta)
        p = (values["inverse_temperature"][..., None, None] * log_p).softmax(-1)
        if "lapse" not in values:
            return p
        lapse = values["lapse"][..., None, None]
        return (1 - lapse) * p + lapse / data.n_options

    def _answers(self, data: TrialTensors) -> torch.Tensor:
        """Log-probabilities of every category: (sequences, trials, options)."""
        path = find_checkpoint(self.checkpoint)
        written = path.stat().st_mtime_ns if path.is_file() else 0
        return _read(path, written, _Told(data)).to(data.stimulus.dtype)


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


class _Told:
    """What a network reads of trials; equal where stimuli and categories are, whatever was chosen."""

    def __init__(self, data: TrialTensors) -> None:
        self.x, self.y, self.n_options = _scaled(data.stimulus, data.mask), data.category, data.n_options
        digest = hashlib.sha256(repr((self.x.shape, self.x.device, self.n_options)).encode())
        for array in (self.x, self.y):
            digest.update(array.cpu().numpy().tobytes())
        self._digest = digest.digest()

    def __hash__(self) -> int:
        return hash(self._digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Told) and self._digest == other._digest


# Cross-validation and simulation make new trials of the same sequences, again and again.
@lru_cache(maxsize=16)
@torch.no_grad()
def _read(path: Path, written: int, told: _Told) -> torch.Tensor:
    """Log-probabilities averaged over symmetries: (sequences, trials, options).

    ``written`` is when the checkpoint was written, so that one that was trained again is read again.
    """
    network = load_network(path, device=told.x.device)
    # People often learn the same sequence, above all simulated ones: each is read once.
    rows = torch.cat([told.x, told.y[..., None].to(told.x.dtype)], -1)
    rows, number = rows.unique(dim=0, return_inverse=True)
    size = max(1, _PAIRS_AT_ONCE // rows.shape[1] ** 2)
    answers = [
        _averaged(network, batch[..., :-1], batch[..., -1].long(), told.n_options)
        for batch in rows.split(size)
    ]
    return torch.cat(answers)[number]


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

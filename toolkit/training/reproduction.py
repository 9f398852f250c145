"""Training again what a card describes, and whether the losses agree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from toolkit.paths import runs_dir
from toolkit.training.checkpoints import ModelCard
from toolkit.training.loop import Report, train


@dataclass(frozen=True)
class Reproduction:
    """How a repeated training compares with the card's.

    Attributes
    ----------
    largest_difference
        Of the validation losses at the same steps.
    validations
        How many were compared.
    identical
        Whether all of them, training losses too, are equal to the last bit.
    software
        Packages whose version differs, with both versions.
    """

    largest_difference: float
    validations: int
    identical: bool
    software: dict[str, tuple[str, str]]


def reproduce(
    card: ModelCard,
    out: str | Path | None = None,
    *,
    device: str | None = None,
    fresh: bool = False,
    report: Report = lambda line: None,
) -> Reproduction:
    """Train with a card's config and seed, and compare the learning curves."""
    out = runs_dir() / "training" / "reproduced" / f"{card.name}.safetensors" if out is None else out
    config = card.config.changed(seeds=(card.seed,))
    _, again = train(config, out, device=device, fresh=fresh, report=report)
    names = ("step", "train_loss", "validation_loss")
    before, after = ([[row[name] for name in names] for row in one.curve] for one in (card, again))
    pairs = list(zip(before, after, strict=False))
    return Reproduction(
        largest_difference=max((abs(a[2] - b[2]) for a, b in pairs), default=float("nan")),
        validations=len(pairs),
        identical=before == after,
        software={
            name: (version, again.packages.get(name, "absent"))
            for name, version in card.packages.items()
            if again.packages.get(name) != version
        },
    )

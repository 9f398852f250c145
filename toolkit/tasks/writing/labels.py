"""Labels: the features and categories that a problem is about, before it has points."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from toolkit.tasks.writing.parsing import Reason, Unfit, normalised

LONGEST_NAME = 60


@dataclass(frozen=True)
class Label:
    """What a problem is about: names of its features and of its categories."""

    id: str
    features: tuple[str, ...]
    categories: tuple[str, ...]

    @property
    def content(self) -> Hashable:
        """What labels share that differ only in the order or spelling of their names."""
        return frozenset(map(normalised, self.features)), frozenset(map(normalised, self.categories))


def judge_label(
    id: str, features: Sequence[str], categories: Sequence[str], n_features: int, n_categories: int
) -> Label:
    """A label with so many names, all usable and different; anything else is unfit."""
    if (len(features), len(categories)) != (n_features, n_categories):
        raise Unfit(
            Reason.COLUMNS,
            f"{len(features)} features and {len(categories)} categories instead of "
            f"{n_features} and {n_categories}",
        )
    for kind, names in (("features", features), ("categories", categories)):
        keys = [normalised(name) for name in names]
        if not all(keys) or max(map(len, names)) > LONGEST_NAME:
            raise Unfit(Reason.NAMES, f"a name of the {kind} is empty or longer than {LONGEST_NAME} letters")
        if len(set(keys)) < len(keys):
            raise Unfit(Reason.NAMES, f"two {kind} have the same name: {', '.join(names)[:LONGEST_NAME]}")
    return Label(id, tuple(features), tuple(categories))

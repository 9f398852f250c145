"""Cover stories: how the stimuli of a data set become words."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from toolkit.errors import DataError, ToolkitError, UsageError
from toolkit.trials import Trials


@dataclass(frozen=True)
class Story:
    """What a learner is told about an experiment, and how stimuli are put into words.

    Attributes
    ----------
    scene
        What happens; ``{groups}`` stands for the names of the categories.
    values
        For every feature, the words for 0 and for 1. Without them features are told as numbers.
    joint
        What stands between the words of a stimulus.
    features
        Names of features that are told as numbers; numbered by default.
    """

    name: str
    scene: str
    values: tuple[tuple[str, str], ...] = ()
    joint: str = " "
    features: tuple[str, ...] = ()

    def check(self, trials: Trials) -> None:
        """Refuse trials that this story cannot tell."""
        if trials.schema.name != "category_learning":
            raise UsageError(
                f"a language model cannot be asked about {trials.schema.name} trials.",
                fix="Use trials of category learning.",
            )
        n_features, expected = trials.stimulus.shape[-1], len(self.values or self.features)
        if expected and n_features != expected:
            raise UsageError(
                f"the story '{self.name}' has {expected} features, the stimuli have {n_features}.",
                fix="Use the story FEATURES, which tells any number of them.",
            )
        shown = trials.stimulus[trials.mask]
        if self.values and not np.isin(shown, (0, 1)).all():
            value = shown[~np.isin(shown, (0, 1))][0]
            raise DataError(
                f"the story '{self.name}' has no word for {value:g}, only for 0 and 1.",
                fix="Use the story FEATURES, which tells any value.",
            )

    def instructions(self, groups: Sequence[str]) -> str:
        """What stands before all questions."""
        return self.scene.format(groups=listed(groups, "and"))

    def describe(self, stimulus: np.ndarray) -> str:
        """A stimulus (features,) in words; what was not shown of it is left out."""
        if self.values:
            return self.joint.join(words[int(x)] for words, x in zip(self.values, stimulus, strict=True))
        names = self.features or [f"feature {number}" for number in range(1, len(stimulus) + 1)]
        told = [f"{name} = {x:g}" for name, x in zip(names, stimulus, strict=True) if not np.isnan(x)]
        return ", ".join(told) or "nothing to be seen"


def likely_story(trials: Trials) -> Story:
    """The story that trials of an unknown data set may have been told with, for guesses at its cost."""
    for story in (OBJECTS, WORDS):
        with suppress(ToolkitError):
            story.check(trials)
            return story
    return FEATURES


def listed(names: Sequence[str], last: str) -> str:
    """Names as people list them.

    >>> listed(["K", "Q", "Z"], "or")
    'K, Q or Z'
    """
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


_AFTERWARDS = """\
You cannot know the answer at first and have to guess; but after each answer you learn which group would \
have been right, and so you can find out, one after the other, how the groups differ. What makes the \
difference does not change. Be right as often as you can."""

OBJECTS = Story(
    name="objects",
    scene=f"""\
You are a participant in a study of learning. You will see objects, one at a time. They differ in three \
ways: each is big or small, black or white, and a square or a triangle. Every object belongs to one of the \
groups {{groups}}, by a rule about size, colour and shape. {_AFTERWARDS}""",
    values=(("small", "big"), ("white", "black"), ("triangle", "square")),
)

WORDS = Story(
    name="words",
    scene=f"""\
You are a participant in a study of learning. You will see made-up words, one at a time. They mean nothing \
and differ in their letters. Every word belongs to one of the groups {{groups}}, and your task is to sort \
them. {_AFTERWARDS}""",
    values=(("g", "w"), ("a", "y"), ("f", "s"), ("u", "e"), ("z", "r"), ("i", "o")),
    joint="",
)

FEATURES = Story(
    name="features",
    scene=f"""\
You are a participant in a study of learning. You will see cases, one at a time, each described by the \
values of its features. Every case belongs to one of the groups {{groups}}, and the features help to tell \
which. {_AFTERWARDS}""",
)

_STORY_OF = {
    "badham2017": OBJECTS,
    "shepard": OBJECTS,
    "levering": OBJECTS,
    "devraj2022_exp1": WORDS,
    "devraj2022_exp2": WORDS,
    "smith_minda": WORDS,
}


def story_of(data_set: str) -> Story:
    """The story of a data set's or a design's own experiment, or the one that can tell any trials."""
    return _STORY_OF.get(data_set, FEATURES)

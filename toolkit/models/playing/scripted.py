"""A player that follows a script in place of a language model: for demonstrations that say so, and for tests."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np

from toolkit.experiments.bandits import Task, get_task
from toolkit.io import write_text
from toolkit.llm import Budget, Client, Request, Usage, get_client
from toolkit.llm.journal import Journal
from toolkit.llm.prices import FREE
from toolkit.llm.providers.base import Answer
from toolkit.models.playing.asking import Game, play
from toolkit.models.playing.prompts import Rules
from toolkit.paths import data_dir
from toolkit.seeds import Seeds
from toolkit.trials import Trials

MODEL = "scripted player (no language model)"
DEMO_PEOPLE = {"partial": 4, "full": 4, "agency": 4}
"""How many times it played each task in the recording that comes with the project; one session each."""

_PAID = re.compile(r"machine ([A-Z])(?:, which paid| would have paid) (-?[\d.]+\d|-?\d)")
_AMOUNTS = re.compile(r"pays either (-?[\d.]+) or (-?[\d.]+) ")
_OFFERED = re.compile(r"with the machines ([A-Z]) and ([A-Z])\.")
_CERTAINTY = 6.0


class ScriptedPlayer:
    """Prefers the machine that has paid more on average, all visits counting alike; a provider like any other."""

    model, secret, price = MODEL, "", FREE

    def ask(self, request: Request, timeout_s: float) -> Answer:
        """The letter that it finds better, and how sure it is."""
        found = reply_of(request.system, request.messages[-1][1])
        letter = max(found, key=found.__getitem__)
        return Answer(MODEL, letter, "end", "end_turn", Usage(), found)


def reply_of(story: str, question: str) -> dict[str, float]:
    """Log-probabilities of the two letters that a question offers, read off its words alone.

    A machine's mean counts one smaller and one larger amount that were never paid, so that an unknown machine
    lies in the middle. It learns from good and bad outcomes alike.
    """
    low, high = map(float, _AMOUNTS.search(story).groups())
    letters = _OFFERED.search(question).groups()
    paid: dict[str, list[float]] = {letter: [low, high] for letter in letters}
    for letter, amount in _PAID.findall(question):
        if letter in paid:
            paid[letter].append(float(amount))
    first, second = (float(np.mean(paid[letter])) for letter in letters)
    ahead = _CERTAINTY * (first - second) / (high - low)
    return {letters[0]: -math.log1p(math.exp(-ahead)), letters[1]: -math.log1p(math.exp(ahead))}


def demo_design(task: Task) -> Trials:
    """The bandits of the recording."""
    rng = Seeds(0).numpy(f"recorded {task}")
    return get_task(task).draw(DEMO_PEOPLE[task], rng=rng, n_sessions=1)


def demo_path(task: Task) -> Path:
    """The recording that comes with the project."""
    return data_dir() / "scripted_player" / f"{task}.jsonl"


def replay_demo(task: Task) -> Game:
    """What the scripted player did; answers come from the recording as those of a language model would."""
    return play(demo_design(task), get_client("recorded", journal=demo_path(task)), Rules())


def record_demo(task: Task, path: str | Path) -> Game:
    """Make the recording again; questions are left out of it, since they follow from the design."""
    path = Path(path)
    path.unlink(missing_ok=True)
    game = play(demo_design(task), Client(ScriptedPlayer(), Journal(path), Budget()), Rules())
    entries = sorted(map(json.loads, path.read_text().splitlines()), key=lambda entry: entry["key"])
    left_out = ("request", "prompt_sha256", "at")
    lines = [json.dumps({k: v for k, v in entry.items() if k not in left_out}) for entry in entries]
    write_text(path, "\n".join(lines) + "\n")
    return game

"""A model that writes problems as it is asked to, with the slips that models make."""

from __future__ import annotations

import json
import re
import threading
import zlib

import numpy as np

from toolkit.data import load_bank
from toolkit.tests.llm.behaviours import Asked, Behaviour, Say


class Writer:
    """Answers prompts of `toolkit write-tasks`.

    Parameters
    ----------
    troubles
        What happens to the first requests instead of a reply.
    slips
        Behaviours instead of a good list of points, by a word of the prompt.
    """

    def __init__(self, *troubles: Behaviour, slips: dict[str, Behaviour] | None = None) -> None:
        self._troubles, self._slips = list(troubles), slips or {}
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Behaviour:
        with self._lock:
            if self._troubles:
                return self._troubles.pop(0)
        prompt = asked.prompt
        if prompt.startswith("Propose"):
            return Say(self._labels(prompt))
        if prompt.startswith("Describe"):
            return Say(self._description(prompt))
        slip = next((slip for word, slip in self._slips.items() if word in prompt), None)
        return slip or Say(points(prompt))

    def _labels(self, prompt: str) -> str:
        """Eight labels that can be used and two that cannot."""
        n, n_features, n_categories = map(int, re.findall(r"\d+", prompt)[:3])
        request = zlib.crc32(prompt.encode()) % 1000
        lines = []
        for i in range(1, n + 1):
            features = [f"Feature {chr(97 + j)} of {request}/{i}" for j in range(n_features)]
            categories = [f"kind {j} of {request}/{i}" for j in range(n_categories)]
            if i == 4:
                features = features[1:]
            if i == 5:
                categories = ["same"] * n_categories
            lines.append(f"{i}. {', '.join([*features, *categories])}")
        return "Here they are:\n\n" + "\n".join(lines)

    def _description(self, prompt: str) -> str:
        problems = [one for one in load_bank() if len(one.categories) == 2]
        chosen = problems[zlib.crc32(prompt.encode()) % len(problems)]
        return json.dumps(chosen.model_dump(mode="json", exclude={"id"}))


def points(prompt: str) -> str:
    """A good list of points, with a unit in the third row and a misspelt label in the fifth."""
    features = re.search(r"Features: (.*)", prompt)[1].split(", ")
    categories = re.search(r"Categories: (.*)", prompt)[1].split(", ")
    n = int(re.search(r"Write (\d+)", prompt)[1])
    rng = np.random.default_rng(zlib.crc32(prompt.encode()))
    y = rng.permutation(np.arange(n) % len(categories))
    x = rng.normal(y[:, None], 1, (n, len(features))).round(3)
    lines = [
        f"{i}: {', '.join(map(str, values))}, {categories[label]}"
        for i, (values, label) in enumerate(zip(x, y, strict=True), 1)
    ]
    lines[2] = lines[2].replace(",", " cm,", 1)
    lines[4] += "s"
    return "\n".join(lines)

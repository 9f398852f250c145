"""Demircan et al. (2024): natural images sorted for two recipients."""

from __future__ import annotations

import re

import pandas as pd

from toolkit.data.cache import locate_one
from toolkit.data.transcripts import read_transcripts
from toolkit.errors import DataError
from toolkit.trials import Trials

RECIPIENTS = ("Julty", "Folty")
N_TRIALS = 120
_TRIAL = re.compile(
    r"You were shown (?P<object>.+?)\. You press <<.>> to deliver the image to (?P<choice>\w+)\. "
    r"\w+ (?:loves the image!|does not like the image\. It was meant for (?P<meant>\w+)\.)"
)


def load() -> Trials:
    """One sequence a participant: 91 participants x 120 trials with feedback.

    Category and choice are "Julty" (0) or "Folty" (1). The objects are words; the embeddings of the
    images are not public here, so the single column of ``stimulus`` is only the code of the object
    and carries no similarity. The array ``object`` has the same code with its word as label.
    """
    path = locate_one("demircan2024", "*.jsonl")
    rows = []
    for transcript in read_transcripts(path):
        found = list(_TRIAL.finditer(transcript["text"]))
        if len(found) != N_TRIALS:
            raise DataError(
                f"participant {transcript['participant']} has {len(found)} trials, not {N_TRIALS}.",
                where=path.name,
            )
        for trial in found:
            right = trial["meant"] or trial["choice"]
            rows.append((transcript["participant"], trial["object"], trial["choice"], right))
    table = pd.DataFrame(rows, columns=["participant", "object", "choice", "category"])
    objects = sorted(table["object"].unique())
    table["stimulus_0"] = table["object"].map({name: code for code, name in enumerate(objects)})
    return Trials.from_table(
        table,
        "category_learning",
        extra=["object"],
        labels={"choice": RECIPIENTS, "category": RECIPIENTS, "object": objects},
        source=path.name,
    )

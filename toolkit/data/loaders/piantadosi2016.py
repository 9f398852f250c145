"""Piantadosi, Tenenbaum & Goodman (2016): logical concepts over sets of shapes."""

from __future__ import annotations

import pandas as pd

from toolkit.data.cache import locate_one
from toolkit.io import read_json
from toolkit.trials import Trials

SHAPES = ("circle", "rectangle", "triangle")
COLOURS = ("blue", "green", "yellow")
_COLUMNS = {
    "subject": "participant",
    "concept.number": "problem",
    "concept": "condition",
    "list": "list",
    "set.number": "set",
    "response.number": "item",
    "response": "choice",
    "right.answer": "category",
}
_KEYS = ["condition", "list", "set", "item"]


def load() -> Trials:
    """One sequence a concept and participant: 1,638 participants, 112 concepts, 25 sets of 1-5 objects.

    ``condition`` is the label of the concept (hg01 …), ``problem`` its number among the participant's
    concepts; ``sequences`` also says ``concept`` (in words), ``relational`` (true where an object
    cannot be judged without the rest of its set) and ``list`` (which list of sets).
    ``stimulus`` is shape, colour and size: codes in :data:`SHAPES` and :data:`COLOURS`, and 1-3.
    ``category`` and ``choice`` are 1 for "yes"; 2,207 missing responses are -1.

    A set is shown and answered as a whole, feedback comes after it: arrays ``set`` and ``item`` say
    which trials belong together. A model that learns within a set uses what nobody had been told.
    """
    path = locate_one("piantadosi2016", "TurkData-Accuracy.csv.zip")
    # Only these columns are read: the others are demographics.
    table = pd.read_csv(path, usecols=list(_COLUMNS), keep_default_na=False).rename(columns=_COLUMNS)
    for column in ("choice", "category"):
        table[column] = table[column].map({"F": 0, "T": 1})
    table = table.merge(_objects(), on=_KEYS, how="left", validate="many_to_one")
    formulas = read_json(locate_one("piantadosi2016", "labels_to_lambdas.json"))
    names = read_json(locate_one("piantadosi2016", "labels_to_readable.json"))
    table["concept"] = table["condition"].map(names)
    table["relational"] = table["condition"].map(
        {k: v.startswith("(lambda (S)") for k, v in formulas.items()}
    )
    return Trials.from_table(
        table,
        "category_learning",
        columns={"stimulus": ["shape", "colour", "size"]},
        about=["concept", "relational", "list"],
        extra=["set", "item"],
        n_options=2,
        source=path.name,
    )


def _objects() -> pd.DataFrame:
    """Shape, colour and size of every object, by concept, list, set and item."""
    names = [*_KEYS, "right", "shape", "colour", "size", "n_yes", "n_no"]
    path = locate_one("piantadosi2016", "data.txt")
    objects = pd.read_csv(path, sep=r"\s+", header=None, names=names)
    objects["shape"] = objects["shape"].map(SHAPES.index)
    objects["colour"] = objects["colour"].map(COLOURS.index)
    return objects[[*_KEYS, "shape", "colour", "size"]]

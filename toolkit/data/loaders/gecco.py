"""Three studies as distributed with MilenaCCNlab/gecco: two-step, stimulus-response, multi-attribute."""

from __future__ import annotations

import numpy as np
import pandas as pd

from toolkit.data.cache import locate_one
from toolkit.trials import MISSING, Trials

_DRIFT = [f"reward_p_s{state}_{option}" for state in (0, 1) for option in (0, 1)]


def load_two_step() -> Trials:
    """Feher da Silva & Hare (2020): one sequence a participant, 24 participants, 201 valid trials each.

    ``outcome`` is 0 or 1, NaN on the 110 trials with a missed choice (-1). Extra arrays
    ``reward_p_s<state>_<option>``: the drifting chance of a reward of every second-stage option.
    """
    path = locate_one("feher2020", "two_step_data.csv")
    table = pd.read_csv(path, index_col=0)
    table["outcome"] = table["reward"].where(table["choice_2"] != MISSING).astype(float)
    return Trials.from_table(
        table, "two_step", columns={"choice": "choice_1"}, extra=_DRIFT, n_options=2, source=path.name
    )


def load_rlwm() -> Trials:
    """One sequence a block: 78 participants x 9 blocks of 3 or 6 stimuli, three responses.

    ``problem`` is the block, ``condition`` "set size 3" or "set size 6", ``context`` the stimulus.
    ``outcome`` is 0 or 1 for the response made; being right always pays, so ``payoff`` is known too.
    The file has no column of trials: the order of rows is the order of trials.
    """
    path = locate_one("rlwm", "rlwm.csv")
    table = pd.read_csv(path, index_col=0)
    table["condition"] = "set size " + table["set_sizes"].astype(str)
    for option in range(3):
        table[f"payoff_{option}"] = (table["correct_answer"] == option).astype(float)
        table[f"outcome_{option}"] = table["rewards"].where(table["actions"] == option).astype(float)
    return Trials.from_table(
        table.rename(columns={"set_sizes": "set_size"}),
        "bandit",
        columns={
            "problem": "blocks",
            "context": "stimulus",
            "choice": "actions",
            "answer": "correct_answer",
        },
        about=["set_size"],
        source=path.name,
    )


def load_multi_attribute() -> Trials:
    """Hilbig & Moshagen (2014): one sequence a participant, 79 participants x 96 choices of A or B.

    ``attributes`` are the four binary expert ratings of both products. Only four patterns occur, up to
    a swap of sides, and many participants choose the same product every time.
    """
    path = locate_one("hilbig2014", "multi_attribute_decision_making.csv")
    table = pd.read_csv(path, index_col=0)
    attributes = np.array(
        [[f"{side}_feature{number}" for number in range(1, 5)] for side in "AB"], dtype=object
    )
    table["decisions"] = table["decisions"].map({0: "A", 1: "B"})
    return Trials.from_table(
        table,
        "multi_attribute",
        columns={"choice": "decisions", "attributes": attributes},
        labels={"choice": ["A", "B"]},
        source=path.name,
    )

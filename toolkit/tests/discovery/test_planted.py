"""Stand-ins for people whose data are not here: named as such, and doing what their program says."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.discovery.planted import load_people
from toolkit.discovery.sandbox import Sandbox
from toolkit.discovery.signatures import repetitions
from toolkit.discovery.simulation import COMMON
from toolkit.errors import DataError
from toolkit.seeds import Seeds
from toolkit.trials import MISSING, Trials


def _not_here(name: str) -> Trials:
    raise DataError("there is no such file.", where=name)


def test_people_whose_data_are_not_here_are_simulated_and_called_so(workers: Sandbox) -> None:
    people, title = load_people(_not_here, Seeds(0), workers)
    assert title.startswith("Simulated people")
    assert (people.choice != MISSING).all() and (people.choice_2 != MISSING).all()
    assert set(np.unique(people.state)) == {0, 1} and set(np.unique(people.outcome)) == {0.0, 1.0}
    assert (people.state == people.choice).mean() == pytest.approx(COMMON, abs=0.03)
    # They also plan: a reward is a better reason to come back where the first choice commonly leads.
    repeats = repetitions(people).groupby(["transition", "outcome"])["repeats"].mean()
    gain = repeats.xs("reward", level=1) - repeats.xs("no reward", level=1)
    assert gain["common"] > gain["rare"] + 0.05

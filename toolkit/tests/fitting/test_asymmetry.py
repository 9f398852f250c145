"""Asymmetric learning that is not there: bias of estimates, and how often perseveration passes for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import UsageError
from toolkit.experiments.bandits import get_task
from toolkit.fitting.asymmetry import false_positive_rate, normalised_bias
from toolkit.fitting.fitting import Fit

HUMAN_LIKE = {"inverse_temperature": 5.8, "learning_rate": 0.5, "trace_weight": 2.1, "trace_rate": 0.3}


def design(n_participants: int):
    return get_task("partial").draw(n_participants, rng=np.random.default_rng(0))


def test_normalised_bias() -> None:
    rates = ("learning_rate_positive", "learning_rate_negative")
    table = pd.DataFrame({rates[0]: [0.3, 0.2, 0.0], rates[1]: [0.1, 0.2, 0.4]})
    np.testing.assert_allclose(normalised_bias(Fit("m", rates, "participant", "map", table)), [0.5, 0, -1])
    with pytest.raises(UsageError, match="no parameter 'learning_rate_positiv'. Did you mean"):
        normalised_bias(Fit("m", rates, "participant", "map", table), ("learning_rate_positiv", rates[1]))


def test_a_study_is_a_test_over_its_own_people() -> None:
    found = false_positive_rate(
        design(6), HUMAN_LIKE, n_studies=3, n_participants=5, n_starts=2, level=0.2, progress=False
    )
    assert found.table["n_participants"].tolist() == [5, 5, 5]
    assert found.rate == (found.table["p"] < 0.2).mean()
    assert found.table["larger"].isin(np.arange(6) / 5).all()
    again = false_positive_rate(
        design(6), HUMAN_LIKE, n_studies=3, n_participants=5, n_starts=2, level=0.2, progress=False
    )
    pd.testing.assert_frame_equal(found.table, again.table)


def test_perseveration_passes_for_optimism_and_a_trace_takes_it_away() -> None:
    """Symmetric learners with people's perseveration; the fit without a trace finds optimism in every study."""
    people = design(40)
    without = false_positive_rate(people, HUMAN_LIKE, n_studies=5, progress=False)
    assert without.rate > 0.9 and without.table["bias"].mean() > 0.4
    with_trace = false_positive_rate(
        people,
        HUMAN_LIKE,
        fitted="rescorla_wagner_signed_perseveration",
        n_studies=5,
        progress=False,
    )
    assert with_trace.rate <= 0.3 and abs(with_trace.table["bias"].mean()) < 0.1

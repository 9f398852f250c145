"""Exemplar and prototype models fit people at least as well as in earlier work."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from toolkit.data import load_data
from toolkit.data.cache import locate_one
from toolkit.fitting import fit
from toolkit.models import Model, get_model_for
from toolkit.trials import Trials

TYPES = ("I", "II", "III", "IV")
SMITH_AND_MINDA = ((0,) * 6, (1,) * 6)


def reference(dataset: str, model: str) -> np.ndarray:
    """(people, conditions) negative log-likelihoods that earlier work reported."""
    with np.load(locate_one("ermi_fits", f"{dataset}_{model}_runs*.npz")) as arrays:
        return arrays["lls"][0, :, :, 0]


def best_of(model: Model, trials: Trials, starts: list[list[float]]) -> float:
    """Smallest negative log-likelihood of one person that is found from any of the starts."""
    bounds = [(parameter.lower, parameter.upper) for parameter in model.parameters]

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        log_p, gradient = model.log_likelihood_and_gradient(theta[None], trials)
        return -log_p[0], -gradient[0]

    return min(minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").fun for start in starts)


@pytest.mark.data
def test_exact_gradients_lead_at_least_as_low_as_earlier_fits(public_data: Path) -> None:
    trials = load_data("badham2017")
    model = get_model_for("gcm", trials)
    starts = [[2, 2, 2, 0.1, 0.5], [0.5, 0.5, 0.5, 0.01, 0.1], [8, 8, 8, 0.3, 0.5], [8, 1, 1, 0.1, 0.1]]
    earlier = reference("badham2017", "gcm")
    for person, (number, condition) in itertools.product(range(3), enumerate(TYPES)):
        one = trials.where(participant=person, condition=condition)
        assert best_of(model, one, starts) <= earlier[person, number] + 0.01


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("dataset", "name", "options", "published"),
    [
        ("badham2017", "gcm", {}, 16_848),
        ("badham2017", "prototype", {"prototypes": "learned", "shared_lapse": True}, 19_113),
        ("devraj2022", "gcm", {}, 18_896),
        ("devraj2022", "prototype", {"prototypes": SMITH_AND_MINDA, "shared_lapse": True}, 19_078),
    ],
)
def test_totals_are_below_those_of_earlier_fits(
    public_data: Path, dataset: str, name: str, options: dict, published: float
) -> None:
    """The published protocol: in Badham's data each problem has parameters of its own."""
    badham = dataset == "badham2017"
    trials = load_data(dataset) if badham else load_data("devraj2022_exp1").where(condition="control")
    condition = trials.sequences["condition"].map(TYPES.index) if badham else 0
    earlier = reference(dataset, {"gcm": "gcm", "prototype": "pm"}[name])
    earlier = earlier[trials.participant_index, condition]
    assert earlier.sum() == pytest.approx(published, abs=1)
    share = "problem" if badham else "participant"
    found = fit(get_model_for(name, trials, **options), trials, share=share, progress=False)
    loss = -found.table["log_likelihood"]
    assert loss.sum() <= earlier.sum()
    assert (loss <= earlier + (2 if name == "prototype" and badham else 0.1)).all()

"""Priors that proposers write: read, refused with what can be written, and used where searches start and by MAP fits."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.discovery.priors import LEAST_WITHIN, describe_parameter, read_prior, write_prior
from toolkit.discovery.program import Program
from toolkit.discovery.proposers.base import content_of
from toolkit.discovery.rejection import Rejected
from toolkit.discovery.search.prompts import GUARDRAILS, SCHEMA
from toolkit.discovery.task import Task
from toolkit.fitting import fit
from toolkit.fitting.priors import Prior
from toolkit.fitting.starts import draw_starts
from toolkit.models import Parameter
from toolkit.tests.discovery.searches import LEARN
from toolkit.trials import Trials


@pytest.mark.parametrize(
    ("text", "lower", "upper", "mean"),
    [
        ("normal(-0.5, 2)", -50, 50, -0.5),
        ("half_normal(2)", 0, 90, 2 * np.sqrt(2 / np.pi)),
        ("exponential(0.3)", 0, 9, 0.3),
        ("gamma(2, 3)", 0, 20, 6),
        ("beta(2, 6)", -1, 3, 0),
        ("lognormal(1.5, 0.123456789)", 0, 10, 1.5 * np.exp(0.123456789**2 / 2)),
    ],
)
def test_distributions_are_read_and_written(text: str, lower: float, upper: float, mean: float) -> None:
    parameter = Parameter("x", lower, upper, "how much", read_prior(f" {text} ", lower, upper))
    assert parameter.prior.mean() == pytest.approx(mean)
    assert write_prior(parameter) == text
    assert describe_parameter(parameter) == f"x from {lower} to {upper}, prior {text}: how much"
    Prior([parameter]).evaluate(np.array([[(lower + upper) / 2]]))


def test_without_one_nothing_is_said() -> None:
    parameter = Parameter("x", 0, 1, "", read_prior(" ", 0, 1))
    assert parameter.prior is None and write_prior(parameter) == ""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("normal(0)", "normal has 2 numbers: mean, spread"),
        ("nrmal(0, 1)", "Did you mean 'normal'"),
        ("normal(0, -1)", "its spread has to be a number above 0"),
        ("normal(x, 1)", "its mean has to be a number"),
        ("normal(1e400, 1)", "its mean has to be a number"),
        ("beta(0.5, 1)", "its a has to be a number of at least 1"),
        ("normal(100, 1)", f"less than {LEAST_WITHIN:.0%} of it lies between 0 and 1"),
        ("__import__('os').system('true')", "no distribution with its numbers"),
        ("normal(0, 1); 2", "no distribution with its numbers"),
        ("normal(mean=0, spread=1)", "no distribution with its numbers"),
        ("(" * 5000, "no distribution with its numbers"),
        ("normal(0x" + "f" * 5000 + ", 1)", "no distribution with its numbers"),
    ],
)
def test_what_is_none_is_refused_with_what_can_be_written(text: str, says: str) -> None:
    with pytest.raises(Rejected, match="lognormal") as caught:
        read_prior(text, 0, 1)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 400


def with_prior(prior: str, trials: Trials) -> Program:
    rate = {"name": "rate", "lower": 0, "upper": 1, "prior": prior, "meaning": ""}
    others = [one for one in LEARN["parameters"] if one["name"] != "rate"]
    return Program.from_json({**LEARN, "parameters": [*others, rate]}, Task.of(trials))


def test_searches_start_where_the_prior_is_and_map_fits_believe_it(trials, workers) -> None:
    plain, told = with_prior("", trials), with_prior("beta(80, 20)", trials)
    assert content_of(told)["parameters"][-1]["prior"] == "beta(80, 20)"
    assert Program.from_json(content_of(told), told.task).key() == told.key() != plain.key()
    starts = draw_starts(told.parameters, 16)[:, -1]
    assert starts.min() > 0.65 and starts.max() < 0.95
    model = told.model(workers)
    by_likelihood, by_both = (
        fit(model, trials, method=how, n_starts=4, progress=False) for how in ("ml", "map")
    )
    far = np.abs(by_likelihood.theta[:, -1] - 0.8)
    assert (np.abs(by_both.theta[:, -1] - 0.8) <= far + 1e-6).all() and far.max() > 0.1
    without = fit(plain.model(workers), trials, n_starts=4, progress=False)
    # The criterion is made of likelihoods, which do not know what was believed before.
    np.testing.assert_allclose(
        by_likelihood.table["log_likelihood"], without.table["log_likelihood"], atol=1e-4
    )


def test_prompts_ask_for_priors() -> None:
    parameter = SCHEMA["properties"]["programs"]["items"]["properties"]["parameters"]["items"]
    assert "prior" in parameter["properties"] and "prior" in parameter["required"]
    assert any("half_normal(spread)" in rule for rule in GUARDRAILS)

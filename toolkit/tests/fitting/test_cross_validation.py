"""Held-out likelihoods that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import UsageError
from toolkit.fitting import cross_validate, fit
from toolkit.models import get_model
from toolkit.seeds import Seeds
from toolkit.tests.fitting.agents import Logistic, logistic_trials
from toolkit.tests.strategies import random_trials
from toolkit.trials import Trials

CHOICES = {
    ("a", 0): [0, 0, 0, 1, 1, 0, 1, 0],
    ("a", 1): [0, 1, 1, 1],
    ("a", 2): [0, 0, 1, 0, 0, 0, 0, 1],
    ("b", 0): [1, 1, 0, 1],
    ("b", 1): [1, 0, 0, 0, 1, 1, 1, 1],
    ("c", 0): [1, 0, 1, 0],
}


def coins() -> Trials:
    rows = [(*key, choice) for key, choices in CHOICES.items() for choice in choices]
    return Trials.from_table(pd.DataFrame(rows, columns=["participant", "problem", "choice"]), "free")


def score(training: list[int], test: list[int]) -> float:
    """Log-likelihood of ``test`` with the share of the first option in ``training``."""
    share = np.mean(np.array(training) == 0)
    return sum(np.log(share if choice == 0 else 1 - share) for choice in test)


def joined(*keys: tuple[str, int]) -> list[int]:
    return [choice for key in keys for choice in CHOICES[key]]


def test_a_problem_is_predicted_from_the_others() -> None:
    found = cross_validate("random", coins(), scheme="problem", progress=False)
    table = found.table.set_index("participant")
    a, b = [("a", n) for n in range(3)], [("b", n) for n in range(2)]
    for name, keys in (("a", a), ("b", b)):
        expected = sum(
            score(joined(*(other for other in keys if other != key)), CHOICES[key]) for key in keys
        )
        assert table.loc[name, "log_likelihood"] == pytest.approx(expected, abs=1e-6)
        assert table.loc[name, "n_trials"] == len(joined(*keys))
        assert table.loc[name, "nats_per_trial"] == pytest.approx(-expected / len(joined(*keys)), abs=1e-6)
    assert np.isnan(table.loc["c", "log_likelihood"]) and table.loc["c", "n_trials"] == 0
    assert table["reason"].tolist() == ["", "", "no choice was left out"]
    assert (found.model, found.scheme) == ("random", "problem")


def test_the_end_of_every_problem_is_predicted_from_its_beginning() -> None:
    table = cross_validate("random", coins(), scheme="last_block", progress=False).table
    own = [CHOICES["a", n] for n in range(3)]
    beginning = [choice for choices in own for choice in choices[: -len(choices) // 4]]
    end = [choice for choices in own for choice in choices[-len(choices) // 4 :]]
    expected = score(beginning, end)
    assert table["log_likelihood"][0] == pytest.approx(expected, abs=1e-6)
    assert table["n_trials"].tolist() == [5, 3, 1]


def test_the_end_is_predicted_with_earlier_choices_in_view() -> None:
    trials = random_trials("category_learning", (40, 24, 60), n_problems=1)
    table = cross_validate(
        "win_stay_lose_shift", trials, scheme="last_block", share_of_trials=0.3, progress=False
    ).table
    model = get_model("win_stay_lose_shift")
    for row, length in enumerate((40, 24, 60)):
        first = length - int(np.ceil(0.3 * length))
        own = trials.take([row])
        theta = fit(model, own.until(first), progress=False).theta
        expected = model.log_likelihood(theta, own)[0, first:length].sum()
        assert table["log_likelihood"][row] == pytest.approx(expected, abs=1e-4)
        assert table["n_trials"][row] == own.scored[0, first:length].sum()


def test_participants_are_predicted_from_all_others() -> None:
    table = cross_validate("random", coins(), scheme="participants", n_folds=3, progress=False).table
    for row, name in enumerate("abc"):
        own = joined(*(key for key in CHOICES if key[0] == name))
        others = joined(*(key for key in CHOICES if key[0] != name))
        assert table["log_likelihood"][row] == pytest.approx(score(others, own), abs=1e-6)
        assert table["n_trials"][row] == len(own)


def test_the_true_model_is_worse_than_its_fit_but_better_than_chance() -> None:
    trials, theta = logistic_trials(10, 3, 60)
    held_out = cross_validate(Logistic(), trials, scheme="problem", progress=False).table
    fitted = fit(Logistic(), trials, progress=False).table
    true = Logistic().log_likelihood(theta, trials).sum(1).reshape(10, 3).sum(1)
    assert held_out["log_likelihood"].sum() < true.sum() < fitted["log_likelihood"].sum()
    assert held_out["nats_per_trial"].mean() < np.log(2) - 0.1
    assert (held_out["n_trials"] == fitted["n_trials"]).all()


@pytest.mark.parametrize("scheme", ["problem", "participants"])
def test_folds_are_those_that_are_fitted_one_by_one(scheme: str) -> None:
    """So no fold has learned from another, which saw what is left out."""
    trials, _ = logistic_trials(8, 2, 30)
    found = cross_validate(Logistic(), trials, scheme=scheme, n_folds=2, n_starts=3, progress=False).table
    share = "participant" if scheme == "problem" else "everyone"
    number = trials.sequences.groupby("participant", sort=False).cumcount().to_numpy()
    if scheme == "participants":
        fold = Seeds(0).numpy("folds").permutation(8) % 2
        number = fold[trials.participant_index]
    total = np.zeros(8)
    for left_out in range(2):
        theta = fit(
            Logistic(), trials.take(number != left_out), share=share, n_starts=3, progress=False
        ).theta
        test = trials.take(number == left_out)
        people = np.array([trials.participants.index(one) for one in test.participants])
        rows = theta[people] if scheme == "problem" else np.repeat(theta, len(people), 0)
        total[people] += Logistic().log_likelihood_and_gradient(rows, test)[0]
    np.testing.assert_allclose(found["log_likelihood"], total, rtol=1e-9)


def test_a_fold_without_a_fit_is_a_reason_not_a_gap() -> None:
    trials, _ = logistic_trials(3, 2)
    choice = trials.choice.copy()
    choice[0] = -1  # The first person has only the second problem, which nothing predicts.
    table = cross_validate(Logistic(), trials.updated(choice=choice), scheme="problem", progress=False).table
    assert np.isnan(table["log_likelihood"][0]) and table["reason"][0] == "no choice to explain"
    assert np.isfinite(table["log_likelihood"][1:]).all() and (table["reason"][1:] == "").all()


def test_wrong_calls_say_what_is_wrong() -> None:
    with pytest.raises(UsageError, match="no scheme 'problems'. Did you mean 'problem'"):
        cross_validate("random", coins(), scheme="problems")
    with pytest.raises(UsageError, match="nobody has two problems.*last_block"):
        cross_validate("random", coins().where(participant="c"), scheme="problem")
    with pytest.raises(UsageError, match="3 participants cannot be dealt into 5 folds"):
        cross_validate("random", coins(), scheme="participants")
    with pytest.raises(UsageError, match="share_of_trials is 1.5"):
        cross_validate("random", coins(), scheme="last_block", share_of_trials=1.5)
    # Parameters of each problem would say nothing of the one left out.
    for options in ({"share": "problem"}, {"company": [0]}, {"n_start": 3}):
        with pytest.raises(UsageError, match=f"'{next(iter(options))}' is no option"):
            cross_validate("random", coins(), **options)

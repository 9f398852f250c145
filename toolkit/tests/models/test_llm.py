"""The model `llm`: recorded answers with noise of choice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from toolkit.errors import DataError, UsageError
from toolkit.fitting import cross_validate, fit, recover
from toolkit.io import write_table
from toolkit.models import get_model, get_model_for, list_models, register_model, validate
from toolkit.models.answering import Procedure, Prompter
from toolkit.models.answering.replies import Judgement
from toolkit.models.answering.tables import Given, table_of_answers
from toolkit.tests.models.sorter import learning
from toolkit.trials import Trials


def answers_to(
    trials: Trials, said: np.ndarray, mode: str = "labels", p: np.ndarray | None = None
) -> pd.DataFrame:
    """A table of answers: ``said`` (sequences, trials), -1 for none; graded by ``p`` (…, options) if given."""
    prompters = [Prompter(Procedure(mode=mode), trials, row) for row in range(len(trials))]
    chance, given = np.full(trials.n_options, 1 / trials.n_options), {}
    for row, trial in np.argwhere(trials.mask):
        answer = int(said[row, trial])
        if p is not None:
            judgement = Judgement(p[row, trial], "log-probabilities", answer)
        elif answer < 0:
            judgement = Judgement(chance, "none", -1)
        else:
            judgement = Judgement(np.eye(trials.n_options)[answer], "letter", answer)
        given[row, trial] = Given(judgement, "", 1)
    return table_of_answers(trials, prompters, given, "m")


def people(n_trials: int = 60, n_options: int = 2) -> Trials:
    """Three people with two problems each who answered every trial."""
    trials = learning((n_trials,) * 6, n_problems=2, n=n_options)
    rng = np.random.default_rng(1)
    return trials.updated(choice=rng.integers(0, n_options, trials.mask.shape))


def test_answers_equal_to_the_choices_leave_only_guesses() -> None:
    for n_options in (2, 4):
        trials = people(n_options=n_options)
        model = get_model("llm", answers=answers_to(trials, trials.choice))
        assert [parameter.name for parameter in model.parameters] == ["lapse"]
        lapse = np.array([[0.0], [0.3], [1.0]])
        total, gradient = model.log_likelihood_and_gradient(lapse, trials)
        np.testing.assert_allclose(total, 120 * np.log(1 - lapse[:, 0] * (1 - 1 / n_options)), rtol=1e-12)
        assert np.isfinite(gradient).all()


def test_the_published_likelihood_and_its_optimum() -> None:
    """1 - e + e/2 where the answer is the choice, else e/2; the best e is twice the share of mismatches."""
    trials = people()
    rng, share = np.random.default_rng(2), np.array([0.1, 0.25, 0.4])[trials.participant_index]
    wrong = rng.random(trials.mask.shape) < share[:, None]
    said = np.where(wrong, 1 - trials.choice, trials.choice)
    model = get_model("llm", answers=answers_to(trials, said), published=True)
    by_person = wrong.reshape(3, -1)
    e = 2 * by_person.mean(1)
    found = fit(model, trials, n_starts=4, progress=False)
    np.testing.assert_allclose(found.theta[:, 0], e, atol=1e-4)
    n_wrong = by_person.sum(1)
    golden = n_wrong * np.log(e / 2) + (120 - n_wrong) * np.log(1 - e / 2)
    np.testing.assert_allclose(found.table["log_likelihood"], golden, atol=1e-6)
    assert found.table["n_parameters"].eq(1).all()
    assert found.table["participant"].tolist() == trials.participants
    by_problem = fit(model, trials, n_starts=4, share="problem", progress=False)
    np.testing.assert_allclose(by_problem.theta[:, 0], (2 * wrong.mean(1)).clip(max=1), atol=1e-4)
    assert by_problem.by_participant()["n_parameters"].eq(2).all()


def test_trials_without_an_answer_that_can_be_read_count_as_chance() -> None:
    trials = people()
    model = get_model("llm", answers=answers_to(trials, np.full(trials.mask.shape, -1)))
    for lapse in (0.0, 0.7):
        total, _ = model.log_likelihood_and_gradient(np.full((3, 1), lapse), trials)
        np.testing.assert_allclose(total, 120 * np.log(0.5))


def test_graded_answers_have_a_temperature() -> None:
    trials = people(n_options=3)
    p = np.random.default_rng(3).dirichlet(np.ones(3), trials.mask.shape)
    table = answers_to(trials, p.argmax(-1), p=p)
    model = get_model("llm", answers=table)
    assert [one.name for one in model.parameters] == ["inverse_temperature", "lapse"]
    exact = model.predict(model.theta(3, inverse_temperature=1, lapse=0), trials)
    np.testing.assert_allclose(exact, p, atol=1e-12)
    noisy = model.predict(model.theta(3, inverse_temperature=2.5, lapse=0.3), trials)
    sharp = p**2.5 / (p**2.5).sum(-1, keepdims=True)
    np.testing.assert_allclose(noisy, 0.7 * sharp + 0.1, atol=1e-12)
    published = get_model("llm", answers=table, published=True)
    assert [one.name for one in published.parameters] == ["lapse"]
    np.testing.assert_allclose(published.predict(np.full((3, 1), 0.4), trials), 0.6 * p + 0.4 / 3, atol=1e-12)
    theta = np.random.default_rng(4).random((2, 3, 2))
    _, gradient = model.log_likelihood_and_gradient(theta, trials)
    for number, step in enumerate(np.eye(2) * 1e-6):
        ends = [model.log_likelihood_and_gradient(theta + move, trials)[0] for move in (step, -step)]
        np.testing.assert_allclose(gradient[..., number], (ends[0] - ends[1]) / 2e-6, rtol=1e-5, atol=1e-5)


def test_temperature_and_lapse_are_recovered_and_held_out_choices_are_predicted() -> None:
    trials = people(n_trials=400)
    p = np.random.default_rng(4).beta(0.5, 0.5, trials.mask.shape).clip(0.001, 0.999)
    p = np.stack([1 - p, p], -1)
    model = get_model("llm", answers=answers_to(trials, p.argmax(-1), p=p))
    theta = model.theta(3, inverse_temperature=[0.5, 1.0, 2.0], lapse=[0.05, 0.1, 0.2])
    simulated = model.simulate(theta, trials, np.random.default_rng(5))
    found = fit(model, simulated, n_starts=6, progress=False)
    at_truth, _ = model.log_likelihood_and_gradient(theta, simulated)
    assert (found.table["log_likelihood"] >= at_truth).all()
    assert (found.table["log_likelihood"] - at_truth < 6).all()
    assert np.all(np.diff(found.theta[:, 0]) > 0)
    held_out = cross_validate(model, simulated, scheme="problem", n_starts=3, progress=False)
    assert held_out.table["nats_per_trial"].lt(np.log(2)).all()


def test_fits_and_simulations_find_answers_whatever_participants_are_called() -> None:
    trials = people()
    model = get_model("llm", answers=answers_to(trials, trials.choice))
    renamed = trials.sequences.assign(participant=[9, 9, "x", "x", 4, 4])
    other = Trials(trials.schema, trials.arrays, trials.mask, renamed, trials.labels, trials.n_options)
    theta = np.full((3, 1), 0.2)
    np.testing.assert_array_equal(model.predict(theta, other), model.predict(theta, trials))
    backwards = trials.take([5, 4, 3, 2, 1, 0])
    np.testing.assert_array_equal(model.predict(theta, backwards)[::-1], model.predict(theta, trials))
    np.testing.assert_array_equal(model.predict(theta, trials.until(7)), model.predict(theta, trials)[:, :7])
    assert (
        np.abs(recover(model, trials, n_starts=3, progress=False).values.eval("true - estimated")).max() < 0.4
    )


def test_people_who_saw_the_same_have_answers_of_their_own() -> None:
    """The second person is a copy of the first but for the choices, and was answered otherwise."""
    one = people().take([0])
    choice = np.concatenate([one.choice, 1 - one.choice])
    arrays = {name: np.repeat(array, 2, 0) for name, array in one.arrays.items()} | {"choice": choice}
    both = pd.DataFrame({"participant": ["a", "b"], "problem": 0, "condition": "all"})
    trials = Trials(one.schema, arrays, np.repeat(one.mask, 2, 0), both, {}, 2)
    said = np.stack([np.zeros(60), np.ones(60)])
    model = get_model("llm", answers=answers_to(trials, said))
    p = model.predict(np.zeros((2, 1)), trials)
    assert (p[0, :, 0] == 1).all() and (p[1, :, 1] == 1).all()


@pytest.mark.parametrize("mode", ["human", "own", "labels"])
def test_nothing_is_known_before_it_is_told(mode: str) -> None:
    trials = people()
    said = np.random.default_rng(6).integers(0, 2, trials.mask.shape)
    model = get_model("llm", answers=answers_to(trials, said, mode))
    theta = np.full((3, 1), 0.1)
    expected = model.predict(theta, trials)
    changed = {name: trials.arrays[name].copy() for name in ("choice", "category")}
    for array in changed.values():
        array[:, -1] = 1 - abs(array[:, -1])
    np.testing.assert_array_equal(model.predict(theta, trials.updated(**changed)), expected)
    others = trials.updated(choice=1 - trials.choice)
    if mode == "human":
        assert model.reads_choices
        with pytest.raises(DataError, match="participant p0, problem 0, trial 1"):
            model.predict(theta, others)
        with pytest.raises(UsageError, match="knowing what people had chosen"):
            model.simulate(theta, trials, np.random.default_rng(0))
    else:
        assert not model.reads_choices
        np.testing.assert_array_equal(model.predict(theta, others), expected)
        simulated = model.simulate(np.zeros((3, 1)), trials, np.random.default_rng(0))
        np.testing.assert_array_equal(simulated.choice, said)


def test_trials_without_an_answer_are_named() -> None:
    trials = people(n_trials=8)
    table = answers_to(trials, trials.choice)
    theta = np.full((3, 1), 0.5)
    absent = get_model("llm", answers=table.query("participant != 'p1'"))
    with pytest.raises(DataError, match="participant p1, problem 0, trial .*ask-llm"):
        absent.predict(theta, trials)
    gap = table.copy()
    gap.loc[gap.query("participant == 'p2' and problem == 1 and trial == 5").index, "source"] = "missing"
    gap.loc[gap["source"] == "missing", ["p_0", "p_1"]] = np.nan
    with pytest.raises(DataError, match="participant p2, problem 1, trial 5"):
        get_model_for("llm", trials, answers=gap)
    assert get_model_for("llm", trials.take([0, 1, 2, 3, 4]), answers=gap).name == "llm"
    shorter = table.query("not (participant == 'p0' and problem == 1 and trial == 7)")
    with pytest.raises(DataError, match="participant p0, problem 1, trial 7"):
        get_model_for("llm", trials, answers=shorter)
    told = trials.category.copy()
    told[4, 2] = 1 - abs(told[4, 2])
    with pytest.raises(DataError, match="participant p2, problem 0, trial 3"):
        get_model_for("llm", trials.updated(category=told), answers=table)
    with pytest.raises(DataError, match="answers are to 2 categories, these trials have 3"):
        get_model("llm", answers=table).predict(theta, people(n_trials=8, n_options=3))


def test_without_answers_it_says_how_to_get_them_and_what_they_cost() -> None:
    with pytest.raises(UsageError, match="needs the recorded answers.*toolkit ask-llm .*--dry-run"):
        get_model("llm")
    trials = people(n_trials=8)
    with pytest.raises(UsageError, match=r"ask-llm.*48 questions with [\d,]+ tokens.*about 0.0\d USD with"):
        get_model_for("llm", trials)
    with pytest.raises(UsageError, match="48 questions"):
        fit("llm", trials, progress=False)


def test_it_is_listed_only_for_those_who_have_recordings() -> None:
    assert "llm" not in list_models() and "llm" not in list_models("category_learning")
    assert "llm" in list_models("category_learning", recorded=True)
    assert "llm" not in list_models("bandit", recorded=True)
    assert set(list_models()) == set(list_models(recorded=True)) - {"llm"}
    from toolkit.models.llm import LanguageModel

    validate(LanguageModel)
    assert register_model(LanguageModel) is LanguageModel


def test_answers_are_read_from_files_and_from_sequences_of_all_lengths(tmp_path: Path) -> None:
    trials = learning((9, 4, 7, 1), n_problems=2, seed=5)
    said = np.random.default_rng(7).integers(0, 2, trials.mask.shape)
    table = answers_to(trials, said).sample(frac=1, random_state=0)
    write_table(tmp_path / "answers.parquet", table)
    model = get_model_for("llm", trials, answers=tmp_path / "answers.parquet")
    p = model.predict(np.zeros((2, 1)), trials.padded(12))
    assert (p[..., :9, :].argmax(-1)[trials.mask] == said[trials.mask]).all()
    assert (p[:, 9:] == 0.5).all()
    single = torch.zeros(2, 1, dtype=torch.float32)
    assert model.predict(single, trials).dtype == torch.float32

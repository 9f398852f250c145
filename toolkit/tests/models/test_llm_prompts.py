"""What a language model is told: everything before a trial, nothing of it or after it."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.data import load_data
from toolkit.errors import DataError, UsageError
from toolkit.models.answering import (
    FEATURES,
    OBJECTS,
    WORDS,
    Procedure,
    Prompter,
    Story,
    first_requests,
    likely_story,
    story_of,
)
from toolkit.tests.models.sorter import learning, letters_in
from toolkit.trials import MISSING, Trials

MODES = ("human", "own", "labels")


def texts(trials: Trials, procedure: Procedure) -> list[str]:
    return [request.messages[0][1] for request in first_requests(trials, procedure)]


def past(text: str) -> list[str]:
    """Lines of earlier trials."""
    block = text.partition("\n\n")[0].splitlines()
    return block[1:] if block[0] == "So far:" else []


@pytest.mark.parametrize("mode", MODES)
def test_every_earlier_trial_is_a_line_and_memory_ends_with_the_problem(mode: str) -> None:
    trials = learning((5, 3, 4), n_problems=3)
    found = texts(trials, Procedure(mode=mode))
    assert [len(past(text)) for text in found] == [*range(5), *range(3), *range(4)]
    for row, first in ((0, 0), (1, 5), (2, 8)):
        shown = Prompter(Procedure(mode=mode), trials, row).shown
        for text, now in zip(found[first:], shown, strict=False):
            assert f"Now: {now}\n" in text
            assert [line.partition(":")[0] for line in past(text)] == shown[: len(past(text))]


def test_modes_say_who_chose_what() -> None:
    trials = learning((3,)).updated(category=np.array([[1, -1, 0]]), choice=np.array([[0, 1, -1]]))
    prompters = {mode: Prompter(Procedure(mode=mode), trials, 0) for mode in MODES}
    zero, one = prompters["human"].letters
    ends = {
        mode: [line.partition(": ")[2] for line in prompter.lines()] for mode, prompter in prompters.items()
    }
    assert ends["human"] == [
        f"you said {zero}, right was {one}",
        f"you said {one}, the right one was not told",
        f"you said nothing, right was {zero}",
    ]
    assert ends["labels"] == [one, "not told", zero]
    assert prompters["own"].line(0, 1).endswith(f"you said {one}, right was {one}")
    assert prompters["own"].line(0, MISSING).endswith(f"you said nothing, right was {one}")


@pytest.mark.parametrize("mode", MODES)
def test_nothing_of_this_trial_or_later_ones_leaks(mode: str) -> None:
    trials = learning((6,), seed=3)
    before = texts(trials, Procedure(mode=mode))
    for t in range(6):
        category, choice = trials.category.copy(), trials.choice.copy()
        stimulus = trials.stimulus.copy()
        category[:, t:], choice[:, t:] = 1 - abs(category[:, t:]), 1 - abs(choice[:, t:])
        stimulus[:, t + 1 :] = 1 - stimulus[:, t + 1 :]
        changed = trials.updated(category=category, choice=choice, stimulus=stimulus)
        assert texts(changed, Procedure(mode=mode))[: t + 1] == before[: t + 1]
    others = trials.updated(choice=1 - abs(trials.choice))
    assert (texts(others, Procedure(mode=mode)) == before) == (mode != "human")


def test_letters_hang_on_the_seed_and_the_sequence_alone() -> None:
    procedure = Procedure(seed=7)
    drawn = {(p, q): procedure.letters(p, q, 2) for p in range(40) for q in range(3)}
    assert drawn == {key: Procedure(seed=7, mode="own").letters(*key, 2) for key in reversed(drawn)}
    assert len(set(drawn.values())) > 80
    assert sum(drawn[key] == Procedure(seed=8).letters(*key, 2) for key in drawn) < 5
    # Numbers of numpy are those of Python, so that a subset of trials gives the same prompts.
    assert procedure.letters(np.int64(3), np.int64(1), 2) == drawn[3, 1]
    used = {letter for letters in drawn.values() for letter in letters}
    assert len(used) > 20 and not used & set("AI")
    assert all(len(set(procedure.letters(p, 0, 9))) == 9 for p in range(20))
    with pytest.raises(UsageError, match="30 categories and only 24 letters"):
        procedure.letters(0, 0, 30)


def test_a_sequence_is_asked_about_alike_alone_and_among_others() -> None:
    trials = learning((5, 3, 4), n_problems=3)
    procedure = Procedure(temperature=None)
    together = [request.key("m") for request in first_requests(trials, procedure)]
    assert [request.key("m") for request in first_requests(trials.take([1]), procedure)] == together[5:8]
    assert len(set(together)) == 12


def test_questions_name_the_letters_of_instructions_and_lines() -> None:
    trials = learning((8,), n=3)
    prompter = Prompter(Procedure(), trials, 0)
    *_, last = first_requests(trials, Procedure())
    assert letters_in(last.messages[0][1]) == list(prompter.letters)
    first, second, third = prompter.letters
    assert f"groups {first}, {second} and {third}" in last.system
    repeated = prompter.request(7, prompter.lines(), repeat=1)
    assert repeated.messages != last.messages and repeated.sample == 1


def test_samples_and_repeats_are_draws_of_their_own() -> None:
    procedure = Procedure(n_samples=3, temperature=1.0)
    prompter = Prompter(procedure, learning((2,)), 0)
    requests = [prompter.request(0, [], sample, repeat) for sample in range(3) for repeat in range(3)]
    assert len({request.key("m") for request in requests}) == 9
    assert {request.top_logprobs for request in requests} == {0}
    assert prompter.request(0, []).temperature == 1.0
    single = Prompter(Procedure(), learning((2,)), 0).request(0, [])
    assert (single.temperature, single.top_logprobs) == (0.0, 20)
    with pytest.raises(UsageError, match="3 samples at temperature 0 would all be the same"):
        Procedure(n_samples=3)
    with pytest.raises(UsageError, match="no mode 'humans'. Did you mean 'human'"):
        Procedure(mode="humans")


def test_words_and_objects() -> None:
    ones, zeros = np.ones(6), np.zeros(6)
    assert (WORDS.describe(zeros), WORDS.describe(ones)) == ("gafuzi", "wysero")
    assert OBJECTS.describe(ones[:3]) == "big black square"
    assert OBJECTS.describe(zeros[:3]) == "small white triangle"
    assert OBJECTS.describe(np.array([1, 0, 1])) == "big white square"
    assert FEATURES.describe(np.array([0.25, np.nan, 3])) == "feature 1 = 0.25, feature 3 = 3"
    named = Story("mine", FEATURES.scene, features=("size", "age"))
    assert named.describe(np.array([1, 40.5])) == "size = 1, age = 40.5"
    assert story_of("badham2017") is OBJECTS and story_of("devraj2022_exp1") is WORDS
    assert story_of("leenavarro2002") is FEATURES
    assert likely_story(learning((3,))) is OBJECTS
    assert likely_story(learning((3,)).updated(stimulus=np.full((1, 3, 3), 0.5))) is FEATURES


def test_a_story_that_does_not_fit_says_so(tmp_path) -> None:
    trials = learning((3,))
    with pytest.raises(UsageError, match="'words' has 6 features, the stimuli have 3.*FEATURES"):
        WORDS.check(trials)
    with pytest.raises(DataError, match="'objects' has no word for 0.5"):
        OBJECTS.check(trials.updated(stimulus=np.full((1, 3, 3), 0.5)))
    from toolkit.tests.strategies import random_trials

    with pytest.raises(UsageError, match="cannot be asked about bandit trials"):
        FEATURES.check(random_trials("bandit"))


def test_objects_of_badham_are_those_of_the_file(public_data) -> None:
    import pandas as pd

    from toolkit.data.cache import locate_one

    table = pd.read_csv(locate_one("badham2017", "badham2017deficits.csv"))
    trials = load_data("badham2017").where(participant=[0, 94])
    for row, about in trials.sequences.iterrows():
        mine = (table["participant"] == about["participant"]) & (table["block"] == about["problem"])
        objects = table[mine].sort_values("trial")
        shown = Prompter(Procedure(story=OBJECTS), trials, row).shown
        assert shown == objects["object"].str.lower().tolist()

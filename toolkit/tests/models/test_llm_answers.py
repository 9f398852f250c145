"""A language model is asked about all trials: end to end against servers on this machine."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import DataError, UsageError
from toolkit.io import write_table
from toolkit.llm import Budget, Client, Price, get_client
from toolkit.models.answering import (
    OBJECTS,
    Procedure,
    Prompter,
    add_answers,
    answer,
    estimate,
    first_requests,
    played,
    read_answers,
)
from toolkit.models.answering.asking import MOST_ATTEMPTS
from toolkit.models.answering.replies import letter_probabilities, named_category
from toolkit.tests.llm.server import AnthropicServer, Asked, Fail, OpenAIServer, Say, Stall
from toolkit.tests.models.sorter import learning, letters_in, sort, sorted_as

TRIALS = learning((6, 4, 5, 3), n_problems=2)
N = 18
SERVERS = {"anthropic": AnthropicServer, "openai": OpenAIServer}


@pytest.fixture
def connect(tmp_path: Path) -> Callable[..., Client]:
    """Makes clients of one journal that do not really sleep."""

    def make(provider: str = "anthropic", **options) -> Client:
        options = {"journal": tmp_path / "journal.jsonl", "sleep": lambda seconds: None, **options}
        return get_client(provider, **{"model": "m", "price": Price(1, 1), **options})

    return make


def sort_slowly(asked: Asked) -> Say:
    """Slow enough for questions to overlap if they may."""
    return Say(sort(asked), after=0.05)


def expected(procedure: Procedure) -> list[int]:
    """What the sorter says to the questions, put together by hand for modes that do not hang on replies."""
    return [sorted_as(request.messages[0][1]) for request in first_requests(TRIALS, procedure)]


@pytest.mark.parametrize("provider", SERVERS)
@pytest.mark.parametrize("mode", ["human", "labels"])
def test_one_row_a_trial(connect, provider: str, mode: str) -> None:
    procedure = Procedure(mode=mode, story=OBJECTS)
    with SERVERS[provider](sort_slowly) as server:
        table = answer(TRIALS, connect(provider), procedure)
        assert len(server.requests) == N and server.most_at_once > 1
    assert table["said"].tolist() == expected(procedure)
    assert (table["source"] == "letter").all() and (table["n_asked"] == 1).all()
    np.testing.assert_array_equal(table[["p_0", "p_1"]], np.eye(2)[table["said"]])
    assert [letters[said] for letters, said in zip(table["letters"], table["said"], strict=True)] == (
        table["reply"].tolist()
    )
    flat = TRIALS.to_table()
    for column in ("participant", "problem", "trial", "category", "choice", "stimulus_0", "stimulus_2"):
        assert table[column].tolist() == flat[column].tolist()
    assert table["shown"][0] == OBJECTS.describe(TRIALS.stimulus[0, 0])


@pytest.mark.parametrize("provider", SERVERS)
def test_its_own_answers_are_what_it_is_told_of(connect, provider: str) -> None:
    procedure = Procedure(mode="own")
    with SERVERS[provider](sort_slowly) as server:
        table = answer(TRIALS, connect(provider), procedure)
        prompts = sorted(server.prompts)
        assert server.most_at_once > 1
    built, said = [], []
    for row in range(len(TRIALS)):
        prompter, lines = Prompter(procedure, TRIALS, row), []
        for trial in range(prompter.n_trials):
            built.append(prompter.request(trial, lines).messages[0][1])
            said.append(sorted_as(built[-1]))
            lines.append(prompter.line(trial, said[-1]))
    assert prompts == sorted(built) and table["said"].tolist() == said
    agent = played(table, TRIALS)
    assert agent.choice[agent.mask].tolist() == said
    assert agent.updated(choice=TRIALS.choice).equals(TRIALS)


@pytest.mark.parametrize("mode", ["human", "own"])
def test_a_recording_gives_the_same_table(connect, tmp_path: Path, mode: str) -> None:
    with AnthropicServer(sort):
        table = answer(TRIALS, connect(), Procedure(mode=mode))
    size = (tmp_path / "journal.jsonl").stat().st_size
    again = answer(TRIALS, connect("recorded", model=None), Procedure(mode=mode))
    pd.testing.assert_frame_equal(again, table)
    assert (tmp_path / "journal.jsonl").stat().st_size == size
    other = answer(TRIALS, connect("recorded"), Procedure(mode=mode, seed=1))
    assert (other["source"] == "missing").all() and "recording has no reply" in other["reply"][0]


@pytest.mark.parametrize("mode", ["human", "own"])
def test_what_was_interrupted_asks_only_the_rest(connect, mode: str) -> None:
    class Stop(BaseException):
        pass

    def stop_at_the_eighth(*arguments, **options) -> None:
        count(*arguments, **options)
        if client.tally.answered == 8:
            raise Stop

    with AnthropicServer(sort) as server:
        client = connect(workers=1)
        count, client.tally.add = client.tally.add, stop_at_the_eighth
        with pytest.raises(Stop):
            answer(TRIALS, client, Procedure(mode=mode))
        assert 8 <= len(server.requests) < N
        found = estimate(TRIALS, connect(), Procedure(mode=mode))
        assert found.n_requests == N and found.n_in_journal == len(server.requests)
        table = answer(TRIALS, connect(), Procedure(mode=mode))
        assert len(server.requests) == N and len(set(server.prompts)) == N
    assert (table["source"] == "letter").all()


@pytest.mark.parametrize("mode", ["human", "own"])
def test_the_cap_holds_and_a_higher_one_continues(connect, mode: str) -> None:
    procedure = Procedure(mode=mode, log_probabilities=False)
    cost = estimate(TRIALS, connect(), procedure)
    assert cost.n_requests == N and cost.n_in_journal == 0
    used = lambda asked: Say(sort(asked), input=1300, output=1)  # noqa: E731
    with AnthropicServer(used) as server:
        low = connect(budget=Budget(usd=cost.usd_at_most / 3))
        table = answer(TRIALS, low, procedure)
        assert low.tally.usd <= cost.usd_at_most / 3
        missing = table[table["source"] == "missing"]
        assert 0 < len(server.requests) == N - len(missing) < N
        assert missing["reply"].str.contains("cost cap").any()
        assert missing[["p_0", "p_1"]].isna().all(axis=None) and (missing["said"] == -1).all()
        whole = answer(TRIALS, connect(), procedure)
        assert len(server.requests) == N and (whole["source"] == "letter").all()
    kept = table["source"] == "letter"
    pd.testing.assert_frame_equal(whole[kept], table[kept])


def test_the_deadline_counts_for_all_trials_together(connect) -> None:
    """A reply takes 10 s of 45: longer than any round of four, but not than two rounds."""
    with AnthropicServer(sort) as server:
        client = connect(budget=Budget(seconds=45), workers=1)
        client.purse._clock = lambda: 10.0 * len(server.requests)
        table = answer(TRIALS, client, Procedure(mode="own"))
        assert len(server.requests) == 5 == (table["source"] == "letter").sum()
        assert table["reply"].str.contains("time cap: the 45 s are over").sum() == 4
        # Outside, every call has seconds of its own again.
        assert client.ask([next(first_requests(TRIALS, Procedure(seed=3)))])[0].text


@pytest.mark.parametrize("mode", ["human", "own"])
def test_replies_that_name_no_category_are_asked_again_and_then_count_as_chance(connect, mode: str) -> None:
    """The second attempt helps on the first trial of each problem, none on the second trial."""

    def evade(asked: Asked) -> Say:
        if "Nothing has been shown" in asked.prompt and "Write nothing but" not in asked.prompt:
            return Say(f"Either {letters_in(asked.prompt)[0]} or {letters_in(asked.prompt)[1]}.")
        if n_past(asked) == 1:
            return Say("I would rather not.", stop="refusal")
        return Say(sort(asked))

    with AnthropicServer(evade) as server:
        table = answer(TRIALS, connect(), Procedure(mode=mode))
        assert len(server.requests) == N + 4 + 4 * (MOST_ATTEMPTS - 1)
        later = [asked.prompt.splitlines()[2] for asked in server.requests if n_past(asked) > 1]
    assert (table.query("trial == 0")["n_asked"] == 2).all()
    second = table.query("trial == 1")
    assert (second["n_asked"] == MOST_ATTEMPTS).all() and (second["source"] == "none").all()
    assert (second[["p_0", "p_1"]] == 0.5).all(axis=None) and (second["said"] == -1).all()
    assert (table.query("trial != 1")["source"] == "letter").all()
    assert all("you said nothing" in line for line in later) or mode == "human"


def n_past(asked: Asked) -> int:
    """Earlier trials that a question tells of."""
    return len(asked.prompt.partition("\n\n")[0].splitlines()) - 1


def test_a_failed_question_is_missing_and_ends_only_its_own_sequence(connect) -> None:
    def fail(asked: Asked) -> Fail | str:
        third_of_first = Prompter(Procedure(mode="own"), TRIALS, 0).shown[2]
        history = asked.prompt.partition("\n\n")[0].splitlines()
        own = set(letters_in(asked.prompt)) == set(Prompter(Procedure(), TRIALS, 0).letters)
        broken = own and len(history) == 3 and f"Now: {third_of_first}\n" in asked.prompt
        return Fail(400, "broken") if broken else sort(asked)

    with AnthropicServer(fail):
        table = answer(TRIALS, connect(), Procedure(mode="own"))
        assert table.index[table["source"] == "missing"].tolist() == [2, 3, 4, 5]
        assert "broken" in table["reply"][2] and "an earlier trial" in table["reply"][3]
        table = answer(TRIALS, connect(), Procedure(mode="human"))
        assert table.index[table["source"] == "missing"].tolist() == [2]


def test_log_probabilities_where_the_server_gives_them(connect) -> None:
    def say(asked: Asked) -> Say:
        first, second = letters_in(asked.prompt)
        listed = {first: math.log(0.6), "The": math.log(0.1), f" {second}": math.log(0.3)}
        return Say(first, logprobs=listed)

    with OpenAIServer(say) as server:
        table = answer(TRIALS, connect("openai"), Procedure())
        assert all(asked.body["top_logprobs"] == 20 for asked in server.requests)
    assert (table["source"] == "log-probabilities").all() and (table["said"] == 0).all()
    np.testing.assert_allclose(table[["p_0", "p_1"]], [[2 / 3, 1 / 3]] * N)
    with OpenAIServer(sort) as server:
        plain = answer(TRIALS, connect("openai"), Procedure(log_probabilities=False))
        assert not any("logprobs" in asked.body for asked in server.requests)
    assert (plain["source"] == "letter").all()


def test_letters_that_are_not_listed_and_tokens_that_are_none() -> None:
    def of(**listed: float) -> np.ndarray | None:
        return letter_probabilities({token: math.log(p) for token, p in listed.items()}, ("K", "Q", "Z"))

    np.testing.assert_allclose(of(K=0.5, k=0.1, Q=0.2, Z=0.1), np.array([6, 2, 1]) / 9)
    # The two not listed share .08, which is less than the least likely alternative.
    np.testing.assert_allclose(of(K=0.8, The=0.12), np.array([0.8, 0.04, 0.04]) / 0.88)
    np.testing.assert_allclose(of(K=0.7, The=0.02), np.array([0.7, 0.02, 0.02]) / 0.74)
    assert of(The=0.6, K=0.3) is None
    p = of(K=1.0)
    assert 0 < p[1] < 1e-8 and p.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "category"),
    [
        *[
            (text, 1)
            for text in ("Q", " Q.", "**Q**", "q", "Group Q", "It is Q!", "Answer: Q\n", "Q, I think: Q")
        ],
        *[(text, None) for text in ("", "K or Q", "Quite", "W", "the group", "KQ", "3")],
    ],
)
def test_a_category_is_read_if_one_is_named(text: str, category: int | None) -> None:
    assert named_category(text, ("K", "Q")) == category


def test_samples_are_counted_with_one_more_for_everyone(connect) -> None:
    def say(asked: Asked) -> str:
        first, second = letters_in(asked.prompt)
        return (first, second, second, "neither")[asked.body["seed"] % 4]

    procedure = Procedure(n_samples=4, temperature=1.0)
    with OpenAIServer(say) as server:
        table = answer(TRIALS, connect("openai"), procedure)
        # The fourth is asked again with the numbers 7 and 11, which say no more.
        assert len(server.requests) == N * (4 + MOST_ATTEMPTS - 1)
        assert {asked.body["seed"] for asked in server.requests} == {0, 1, 2, 3, 7, 11}
    np.testing.assert_allclose(table[["p_0", "p_1"]], [[2 / 5, 3 / 5]] * N)
    assert (table["source"] == "samples").all() and (table["said"] == 0).all()
    assert estimate(TRIALS, connect("openai"), procedure).n_in_journal == 4 * N


def test_batches_bring_the_same_answers(connect, tmp_path: Path) -> None:
    with AnthropicServer(sort) as server:
        table = answer(TRIALS, connect(), Procedure())
        batched = connect(batch=True, journal=tmp_path / "other.jsonl")
        pd.testing.assert_frame_equal(answer(TRIALS, batched, Procedure()), table)
        assert len(server.batches) == 1


def test_many_questions_are_asked_in_parts(connect, monkeypatch: pytest.MonkeyPatch) -> None:
    with AnthropicServer(sort):
        whole, cost = answer(TRIALS, connect(), Procedure()), estimate(TRIALS, connect(), Procedure(seed=1))
        monkeypatch.setattr("toolkit.models.answering.asking.QUESTIONS_AT_ONCE", 5)
        pd.testing.assert_frame_equal(answer(TRIALS, connect(), Procedure()), whole)
        parts = estimate(TRIALS, connect(), Procedure(seed=1))
    assert (parts.n_requests, parts.prompt_tokens) == (cost.n_requests, cost.prompt_tokens)
    assert parts.usd_at_most == pytest.approx(cost.usd_at_most)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_table_is_read_as_it_was_written(connect, tmp_path: Path, suffix: str) -> None:
    with AnthropicServer(sort):
        table = answer(TRIALS, connect(), Procedure(temperature=None))
    path = tmp_path / f"answers{suffix}"
    write_table(path, table)
    pd.testing.assert_frame_equal(read_answers(path), table, check_dtype=suffix == ".parquet")


def test_tables_that_are_none_say_so(connect, tmp_path: Path) -> None:
    with AnthropicServer(sort):
        table = answer(TRIALS, connect(), Procedure())
    with pytest.raises(DataError, match="no column 'source'.*ask-llm"):
        read_answers(table.drop(columns="source"))
    with pytest.raises(DataError, match="of 2: human, own"):
        read_answers(table.assign(mode=["human", *["own"] * (N - 1)]))
    with pytest.raises(DataError, match=r"row 3: \[0.5, 0.7\] are no probabilities"):
        bad = table.copy()
        bad.loc[2, ["p_0", "p_1"]] = 0.5, 0.7
        read_answers(bad)
    with pytest.raises(DataError, match="does not exist"):
        read_answers(tmp_path / "absent.parquet")
    with pytest.raises(DataError, match="participant p1, problem 0"):
        played(table.query("participant == 'p0'"), TRIALS)


def test_tables_of_one_procedure_are_added(connect) -> None:
    with AnthropicServer(sort):
        first = answer(TRIALS.take([0, 1]), connect(), Procedure())
        second = answer(TRIALS.take([1, 2, 3]), connect(), Procedure())
        whole = answer(TRIALS, connect(), Procedure())
        other = answer(TRIALS.take([0]), connect(), Procedure(seed=1))
    pd.testing.assert_frame_equal(add_answers(first, second), whole)
    with pytest.raises(UsageError, match="seed is 1, but the answers that are there were given with 0"):
        add_answers(whole, other)


def test_a_stalling_server_ends_with_missing_answers(connect) -> None:
    with AnthropicServer(Stall()):
        table = answer(TRIALS.take([3]), connect(attempts=1, timeout_s=0.2), Procedure())
    assert (table["source"] == "missing").all() and table["reply"].str.contains("no reply in 1 attempt").all()


@pytest.mark.slow
def test_a_model_on_this_machine_answers_with_probabilities(connect, tmp_path: Path) -> None:
    """A tiny one that babbles: few of its first tokens are letters, which is reported as it is."""
    pytest.importorskip("transformers")
    import json

    from toolkit.tests.llm.test_local import build

    model = build(tmp_path / "tiny")
    config = tmp_path / "tiny" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"max_position_embeddings": 4000}))
    client = connect("local", model=model, price=None)
    table = answer(TRIALS.take([3]), client, Procedure())
    assert set(table["source"]) <= {"none", "letter", "log-probabilities"}
    replies = client.journal.replies_of(client.model)
    assert all(len(reply.logprobs) >= 2 for reply in replies)
    write_table(tmp_path / "answers.parquet", table)
    assert len(read_answers(tmp_path / "answers.parquet")) == 3

"""A language model as proposer, against a server that misbehaves: nothing is lost, and every error is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolkit.discovery.proposers import LanguageModelProposer
from toolkit.discovery.sandbox import Sandbox
from toolkit.discovery.search import Search, best_of
from toolkit.llm import Budget, Client, get_client
from toolkit.tests.discovery.searches import LEARN, LIKE, LOOK, REPEAT, VALUES, config, described, people
from toolkit.tests.llm.server import AnthropicServer, Fail, Say, Stall

WHOLE = json.dumps({"programs": [LEARN, REPEAT]})


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_CACHE", str(tmp_path_factory.getbasetemp() / "fits"))


@pytest.fixture
def start(tmp_path: Path, workers: Sandbox) -> Callable[..., Search]:
    """Makes a search by a language model in a folder of its own."""

    def make(folder: str = "run", client: dict[str, Any] | None = None, **changes: Any) -> Search:
        settings = {"loop.islands": 1, "loop.rounds": 1, "loop.exchange_every": 0, **changes}

        def ask(search: Search) -> LanguageModelProposer:
            options = {"timeout_s": 2.0, "sleep": lambda _: None, "attempts": 3, **(client or {})}
            made: Client = get_client("anthropic", journal=tmp_path / folder / "asking.jsonl", **options)
            return LanguageModelProposer(made, search.config, search.study, search.scorer)

        return Search(config(**settings), ask, tmp_path / folder, trials=people(), sandbox=workers)

    return make


def outcomes(search: Search) -> list[tuple[str, str]]:
    """Name and reason of every candidate."""
    return [(one.proposal.content.get("name", ""), one.score.reason) for one in search.journal.candidates()]


@pytest.mark.parametrize(
    "reply",
    [
        WHOLE,
        f"Here are two ideas.\n```json\n{WHOLE}\n```\nI hope they help.",
        "```json\n"
        + json.dumps(LEARN)
        + "\n```\nand\n```json\n"
        + json.dumps({"programs": [REPEAT]})
        + "\n```",
        json.dumps([LEARN, REPEAT]),
        [Fail(529), Fail(529), WHOLE],
        [Stall(5.0), WHOLE],
    ],
    ids=["as asked", "in prose", "in two fences", "as a list", "after two 529", "after a stall"],
)
def test_programs_are_found_however_they_are_wrapped_and_however_long_it_takes(
    start: Callable[..., Search], reply: Any
) -> None:
    with AnthropicServer(reply) as server:
        made = start()
        made.run()
        assert outcomes(made) == [("learn", ""), ("repeat", "")]
        assert server.requests[-1].body["output_config"]["format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("I would rather talk about it.", "not JSON with a list 'programs'"),
        (f"```python\n{VALUES}\n```", "not JSON with a list 'programs'"),
        (Say(WHOLE[:200], stop="length"), "cut off before its end"),
        (json.dumps({"programs": [LOOK, LEARN]}), "'choice' is not known yet when predict is called"),
        (
            json.dumps({"programs": [{**LEARN, "code": "import os\n" + VALUES}]}),
            "only functions and numbers can be defined",
        ),
    ],
    ids=["prose", "bare code", "cut off", "peeks", "imports"],
)
def test_what_is_wrong_is_sent_back_once_with_the_exact_error(
    start: Callable[..., Search], reply: Any, said: str
) -> None:
    with AnthropicServer([reply, json.dumps({"programs": [REPEAT]})]) as server:
        made = start()
        made.run()
        assert len(server.requests) == 2 and said in server.prompts[1]
        first, answer, last = server.requests[1].body["messages"]
        assert (first["role"], answer["role"], last["role"]) == ("user", "assistant", "user")
    names = [name for name, reason in outcomes(made) if not reason]
    assert names == (["learn", "repeat"] if "not known yet" in said else ["repeat"])


def test_what_stays_wrong_is_kept_with_its_reason_and_told_in_the_next_round(
    start: Callable[..., Search],
) -> None:
    replies = [json.dumps({"programs": [LOOK]})] * 2 + [WHOLE]
    with AnthropicServer(replies) as server:
        made = start(**{"loop.rounds": 2})
        made.run()
        assert outcomes(made) == [("look at the answer", "contract"), ("learn", ""), ("repeat", "")]
        assert "look at the answer: contract:" in server.prompts[2]
        assert "'choice' is not known yet" in server.prompts[2]


def test_structured_feedback_has_ranking_distances_residuals_and_manual_has_not(
    start: Callable[..., Search],
) -> None:
    other = json.dumps({"programs": [LIKE]})
    with AnthropicServer([WHOLE, other]) as server:
        start(**{"loop.rounds": 2}).run()
        told = server.prompts[1]
    for part in ("1. learn: ", "to the best known model", "- chance: 33.3", "after reward: ", "- rate: "):
        assert part in told, part
    with AnthropicServer([WHOLE, other]) as server:
        start("manual", **{"loop.rounds": 2, "asking.feedback": "manual"}).run()
        told = server.prompts[1]
    assert "explore others:\n- stay\n- steepness, rate" in told and "best known model" not in told


def test_a_language_model_can_judge_first_what_was_tried(start: Callable[..., Search]) -> None:
    with AnthropicServer([WHOLE, "Try asymmetric learning.", json.dumps({"programs": [LIKE]})]) as server:
        start(**{"loop.rounds": 2, "asking.feedback": "llm"}).run()
        assert "Write no program." in server.prompts[1] and "1. learn: " in server.prompts[1]
        assert "What was tried\nTry asymmetric learning." in server.prompts[2]


def test_a_search_that_goes_on_pays_for_nothing_twice(start: Callable[..., Search]) -> None:
    with AnthropicServer([WHOLE, json.dumps({"programs": [LIKE]})]) as server:
        start().run()
        made = start(**{"loop.rounds": 2})
        made.run()
        assert len(server.requests) == 2
        assert best_of(made.journal.candidates())[0].proposal.content["name"] == "learn"


@pytest.mark.parametrize("budget", [Budget(tokens=100), Budget(usd=0.0)], ids=["tokens", "usd"])
def test_behind_a_cap_nothing_is_sent_and_the_search_ends(
    start: Callable[..., Search], budget: Budget
) -> None:
    with AnthropicServer(WHOLE) as server:
        made = start(client={"budget": budget}, **{"loop.rounds": 3})
        assert made.run() == [] and server.requests == []


def test_a_server_that_never_answers_is_a_reason_and_not_the_end(start: Callable[..., Search]) -> None:
    with AnthropicServer(Fail(529)):
        made = start(**{"loop.rounds": 2})
        made.run()
    assert [reason for _, reason in outcomes(made)] == ["no reply", "no reply"]


def test_the_prompt_can_be_seen_in_sections_before_anything_is_sent(start: Callable[..., Search]) -> None:
    with AnthropicServer(WHOLE) as server:
        made = start()
        sections = made.proposer.sections(made.situation(0, 0))
        assert list(sections) == [
            "System", "Task", "People", "What a program is", "Goal", "Rules", "Reply",
        ]  # fmt: skip
        assert "`update`" in sections["What a program is"] and "reward" in sections["What a program is"]
        made.run()
        sent = server.requests[0].body["messages"][0]["content"]
        assert all(text in sent for heading, text in sections.items() if heading != "System")
    assert described("x", VALUES, "rate")["parameters"][0]["upper"] == 1.0

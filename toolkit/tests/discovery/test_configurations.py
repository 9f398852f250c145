"""Every search that comes with the toolkit runs to its report, whoever proposes, without network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toolkit.discovery.grammar import grammar_for, write
from toolkit.discovery.grammar.variation import draw
from toolkit.discovery.proposers import LanguageModelProposer, RecordedProposer
from toolkit.discovery.proposers.base import content_of
from toolkit.discovery.sandbox import Sandbox
from toolkit.discovery.search import (
    Report,
    SearchConfig,
    discover,
    list_configs,
    load_config,
)
from toolkit.discovery.search.journal import SearchJournal
from toolkit.discovery.search.loop import JOURNAL, Search
from toolkit.discovery.search.study import prepare
from toolkit.llm import Client, get_client
from toolkit.tests.discovery import searches
from toolkit.tests.llm.server import AnthropicServer, Fail, OpenAIServer, Say, Stall
from toolkit.tests.strategies import random_trials
from toolkit.trials import Trials

SMALL = {
    "loop.rounds": 1,
    "loop.candidates": 2,
    "loop.islands": 1,
    "loop.exchange_every": 0,
    "budget.seconds": None,
    "splits.prompt": "0:1",
    "splits.evaluation": "0:2",
    "splits.test": "2:",
    **{"fit.starts": 1, "fit.exchange_rounds": 0, "fit.final_starts": 1, "fit.final_exchange_rounds": 0},
}
FAMILIES = {
    "bandits": "bandit",
    "multi_attribute": "multi_attribute",
    "rlwm": "bandit",
    "shepard": "category_learning",
    "two_step": "two_step",
}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    # Fits of baselines are kept between the tests of this file, but not beyond.
    monkeypatch.setenv("TOOLKIT_CACHE", str(tmp_path_factory.getbasetemp() / "fits"))


def people_for(name: str) -> Trials:
    """Three people who choose at random in the task of a search."""
    trials = random_trials(FAMILIES[name], (24, 20, 22), seed=3)
    if name == "rlwm":
        trials.sequences["set_size"] = [3, 6, 3]
    if name == "multi_attribute":
        shape = (*trials.mask.shape, 2, 4)
        trials.arrays["attributes"] = np.random.default_rng(0).integers(0, 2, shape).astype(float)
    return trials


def two_programs(config: SearchConfig, trials: Trials) -> list[dict[str, Any]]:
    """As a language model would write them."""
    task = prepare(config, trials).task
    grammar = grammar_for(task, validities=config.data.validities)
    rng = np.random.default_rng(5)
    sketches = [one for one in (draw(grammar, rng) for _ in range(20)) if one.genes][:2]
    return [content_of(write(grammar, one, task, f"idea {i}")) for i, one in enumerate(sketches)]


def is_whole(reports: list[Report], config: SearchConfig, folder: Path) -> None:
    """One report with chance and every baseline, and all of its files."""
    (found,) = reports
    assert {"chance", *config.baselines} == set(found.table.loc[found.table["kind"] == "baseline", "model"])
    assert np.isfinite(found.table[["evaluation", "test"]].to_numpy()).all()
    for name in ("search.jsonl", "winner.py", "winner.json", "table.csv", "frontier.json"):
        assert (folder / "run_0" / name).stat().st_size > 0, name


def by_language_model(
    folder: Path, provider: str, **options: Any
) -> Callable[[Search], LanguageModelProposer]:
    """Makes proposers that ask a model, which they do not wait long for."""

    def make(search: Search) -> LanguageModelProposer:
        settings = {"timeout_s": 2.0, "sleep": lambda _: None, "attempts": 3, **options}
        client: Client = get_client(provider, journal=folder / "asking.jsonl", **settings)
        return LanguageModelProposer(client, search.config, search.study, search.scorer)

    return make


def test_there_are_people_for_every_search() -> None:
    assert sorted(FAMILIES) == list_configs()


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_by_grammar_and_replayed(name: str, tmp_path: Path, workers: Sandbox) -> None:
    config, people = load_config(name).changed(**SMALL), people_for(name)
    reports = discover(config, tmp_path / "new", trials=people, sandbox=workers)
    is_whole(reports, config, tmp_path / "new")
    recorded = RecordedProposer(tmp_path / "new" / "run_0" / JOURNAL)
    replayed = discover(
        recorded.config, tmp_path / "again", make_proposer=lambda _: recorded, trials=people, sandbox=workers
    )
    is_whole(replayed, config, tmp_path / "again")
    first, second = (SearchJournal(tmp_path / one / "run_0" / JOURNAL) for one in ("new", "again"))
    # Two, and the best of them without each of its mechanisms.
    operators = [one.proposal.origin["operator"] for one in first.candidates()]
    assert operators[:2] == ["draw", "draw"] and set(operators[2:]) <= {"ablate"}
    for one, other in zip(first.candidates(), second.candidates(), strict=True):
        assert one.proposal.content == other.proposal.content and one.score == other.score
    assert reports[0].table.equals(replayed[0].table)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_by_a_server_that_misbehaves(name: str, tmp_path: Path, workers: Sandbox) -> None:
    """Prose, a reply that is cut off, no answer, a server that is overloaded; and two fences, which will do."""
    config, people = load_config(name).changed(**{**SMALL, "loop.rounds": 2}), people_for(name)
    first, second = two_programs(config, people)
    whole = json.dumps({"programs": [first]})
    fences = f"Two ideas.\n```json\n{whole}\n```\nand\n```json\n{json.dumps(second)}\n```"
    replies = [
        "I would rather talk.",
        Fail(529),
        Say(whole[:90], stop="length"),
        Stall(5.0),
        Fail(529),
        fences,
    ]
    with AnthropicServer(replies) as server:
        ask = by_language_model(tmp_path, "anthropic")
        reports = discover(config, tmp_path / "runs", make_proposer=ask, trials=people, sandbox=workers)
        assert len(server.requests) == len(replies)
        assert "not JSON with a list 'programs'" in server.prompts[1]
        assert "cut off before its end" in server.prompts[-1]
    is_whole(reports, config, tmp_path / "runs")
    tried = SearchJournal(tmp_path / "runs" / "run_0" / JOURNAL).candidates()
    assert [one.proposal.content.get("name") for one in tried if one.accepted] == ["idea 0", "idea 1"]
    (fault,) = (one for one in tried if not one.accepted)
    assert fault.round == 0 and "cut off" in fault.score.what


def test_two_step_programs_of_a_server_are_replayed_without_it(tmp_path: Path, workers: Sandbox) -> None:
    config, people = load_config("two_step").changed(**SMALL), people_for("two_step")
    with AnthropicServer(json.dumps({"programs": two_programs(config, people)})):
        ask = by_language_model(tmp_path, "anthropic")
        (found,) = discover(config, tmp_path / "new", make_proposer=ask, trials=people, sandbox=workers)
    recorded = RecordedProposer(tmp_path / "new" / "run_0" / JOURNAL)
    (replayed,) = discover(
        recorded.config, tmp_path / "again", make_proposer=lambda _: recorded, trials=people, sandbox=workers
    )
    assert replayed.table.equals(found.table) and replayed.program == found.program


def test_by_a_server_of_the_other_wire_format(tmp_path: Path, workers: Sandbox) -> None:
    replies = ["Let me think.", json.dumps({"programs": [searches.LEARN, searches.REPEAT]})]
    with OpenAIServer(replies) as server:
        ask = by_language_model(tmp_path, "openai", model="any-model")
        made = Search(
            searches.config(**{"loop.islands": 1, "loop.rounds": 1, "loop.exchange_every": 0}),
            *(ask, tmp_path / "run"),
            trials=searches.people(),
            sandbox=workers,
        )
        made.run()
        assert "not JSON with a list 'programs'" in server.prompts[1]
        assert server.requests[0].body["response_format"]["type"] == "json_schema"
    names = [one.proposal.content["name"] for one in made.journal.candidates() if one.accepted]
    assert names == ["learn", "repeat"]


@pytest.mark.slow
def test_by_a_model_on_this_machine(tmp_path: Path, workers: Sandbox) -> None:
    """A tiny network writes nothing that can be used; that is said, round by round, and ends nothing."""
    pytest.importorskip("transformers")
    from toolkit.tests.llm.test_local import TEMPLATE, build

    model = build(tmp_path / "tiny", template=TEMPLATE)
    ask = by_language_model(tmp_path, "local", model=model, timeout_s=60.0)
    settings = {"loop.islands": 1, "loop.rounds": 2, "loop.exchange_every": 0, "asking.max_tokens": 12}
    made = Search(
        searches.config(**settings), ask, tmp_path / "run", trials=searches.people(), sandbox=workers
    )
    tried = made.run()
    assert len(tried) == 2 and not any(one.accepted for one in tried)
    assert {one.score.reason for one in tried} <= {"contract", "no reply"}

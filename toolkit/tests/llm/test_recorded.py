"""A recording replaces the provider: no key, no network, nothing written."""

from __future__ import annotations

import pytest

from toolkit.errors import DataError, UsageError
from toolkit.llm import Failure, Request
from toolkit.tests.llm.server import AnthropicServer, Say

ASKED = [Request.of(f"question {i}") for i in range(3)]


@pytest.fixture
def recording(connect, journal):
    with AnthropicServer(["yes", Say("I", stop="refusal"), Say("cut", stop="length")]) as server:
        replies = connect(workers=1).ask(ASKED)
    # Whatever is asked from here on finds neither key nor server.
    assert server.url
    journal.chmod(0o444)
    journal.parent.chmod(0o555)
    yield replies
    journal.parent.chmod(0o755)


def test_a_recording_gives_the_same_replies(connect, journal, recording) -> None:
    before = journal.read_bytes()
    client = connect("recorded")
    assert client.ask(ASKED) == recording
    assert journal.read_bytes() == before and len(list(journal.parent.iterdir())) == 1
    tally = client.tally
    assert (tally.from_journal, tally.answered, tally.refused, tally.truncated) == (3, 1, 1, 1)
    assert tally.usd == 0 and client.estimate(ASKED).usd_at_most == 0


def test_what_was_not_recorded_is_a_failure_that_says_what_to_do(connect, recording) -> None:
    outcomes = connect("recorded").ask([ASKED[0], Request.of("question 0", max_tokens=1)])
    assert outcomes[0] == recording[0] and isinstance(outcomes[1], Failure)
    assert f"no reply of '{recording[0].model}'" in outcomes[1].reason
    assert "Ask it with another provider" in outcomes[1].reason


def test_a_recording_of_two_models_needs_a_name(connect, journal) -> None:
    with AnthropicServer(["a", "b"]):
        for model in ("one", "two"):
            connect(model=model).ask(ASKED[:1])
    with pytest.raises(UsageError, match="replies of 2 models.*one, two"):
        connect("recorded")
    assert [connect("recorded", model=name).ask(ASKED[:1])[0].text for name in ("one", "two")] == ["a", "b"]


def test_a_recording_has_to_exist(connect, tmp_path) -> None:
    with pytest.raises(DataError, match="absent.jsonl: there is no such recording"):
        connect("recorded", journal=tmp_path / "absent.jsonl")

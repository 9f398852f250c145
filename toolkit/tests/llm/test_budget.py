"""No cap is ever exceeded, and what does not fit is not sent."""

from __future__ import annotations

import pytest

from toolkit.errors import UsageError
from toolkit.llm import Budget, Failure, Price, Reply, Request, Usage
from toolkit.llm.budget import Cost, Purse
from toolkit.llm.prices import PRICES, price_of, prompt_tokens_at_most
from toolkit.tests.llm.server import AnthropicServer, Drop, OpenAIServer, Say, Stall

DOLLAR_A_TOKEN = Price(1e6, 1e6, read=1, written=1, batch=1)


def questions(n: int, max_tokens: int = 100) -> list[Request]:
    return [Request.of(f"question {i}", max_tokens=max_tokens) for i in range(n)]


AT_MOST = prompt_tokens_at_most(questions(1)[0]) + 100
"""What one of these questions can cost, in tokens and so in dollars."""


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("workers", [1, 2, 8])
def test_the_cap_holds_whatever_the_number_of_workers(connect, workers, batch) -> None:
    """Five dear replies fit; the sixth could fit, or not, and so is not asked."""
    dear = Say(input=AT_MOST - 100, output=100, after=0.02)
    budget = Budget(usd=5.5 * AT_MOST)
    with AnthropicServer(dear) as server:
        client = connect(workers=workers, batch=batch, price=DOLLAR_A_TOKEN, budget=budget)
        outcomes = client.ask(questions(9))
        sent = sum(map(len, server.batches.values())) if batch else len(server.requests)
    assert [type(outcome) for outcome in outcomes] == [Reply] * 5 + [Failure] * 4
    assert sent == 5 and client.tally.usd == pytest.approx(5 * AT_MOST)
    assert "cost cap" in outcomes[5].reason and "Raise Budget(usd=…)" in outcomes[5].reason


def test_cheap_replies_make_room_for_more_questions(connect) -> None:
    with AnthropicServer(Say(input=1, output=1)):
        client = connect(workers=8, price=DOLLAR_A_TOKEN, budget=Budget(usd=1.5 * AT_MOST))
        assert all(isinstance(reply, Reply) for reply in client.ask(questions(20)))
    assert client.tally.usd == 40


def test_starting_again_does_not_fill_the_purse(connect) -> None:
    with AnthropicServer(Say(input=AT_MOST - 100, output=100)) as server:
        options = {"price": DOLLAR_A_TOKEN, "budget": Budget(usd=2.5 * AT_MOST)}
        for _ in range(3):
            outcomes = connect(**options).ask(questions(4))
        assert len(server.requests) == 2
    assert [type(outcome) for outcome in outcomes] == [Reply, Reply, Failure, Failure]


@pytest.mark.parametrize("trouble", [Drop(), Drop(midway=True), Stall()])
def test_attempts_that_may_be_charged_for_are_counted_at_their_most(connect, trouble) -> None:
    with AnthropicServer(trouble) as server:
        client = connect(
            price=DOLLAR_A_TOKEN, budget=Budget(usd=2.5 * AT_MOST), workers=1, attempts=6, timeout_s=0.3
        )
        (outcome,) = client.ask(questions(1))
        assert len(server.requests) == 2
        assert "cost cap" in outcome.reason and "The last attempt" in outcome.reason
        # Also by whoever asks next.
        assert (
            "cost cap"
            in connect(price=DOLLAR_A_TOKEN, budget=client.purse.budget).ask(questions(1))[0].reason
        )
        assert len(server.requests) == 2


def test_tokens_are_capped_without_a_price(connect) -> None:
    with OpenAIServer(Say(input=AT_MOST - 100, output=100)) as server:
        client = connect("openai", model="m", budget=Budget(tokens=2 * AT_MOST + 1))
        outcomes = client.ask(questions(4))
        assert len(server.requests) == 2
    assert "token cap" in outcomes[2].reason and outcomes[0].usd is None


def test_after_the_last_second_nothing_is_sent(connect) -> None:
    with AnthropicServer(Say(after=0.2)) as server:
        client = connect(workers=1, budget=Budget(seconds=0.5))
        outcomes = client.ask(questions(9))
        assert len(server.requests) <= 4
        assert isinstance(outcomes[0], Reply) and "time cap: the 0.5 s are over" in outcomes[-1].reason
        # Every call has its own seconds.
        assert isinstance(client.ask(questions(9))[-3], Reply | Failure) and len(server.requests) > 4


def test_a_cap_needs_a_price(connect) -> None:
    with OpenAIServer():
        with pytest.raises(UsageError, match="price of 'm' is not known.*price=Price.*--price"):
            connect("openai", model="m", budget=Budget(usd=1))
        connect("openai", model="m", budget=Budget(usd=1), price=Price(1, 1))
    with pytest.raises(UsageError, match="usd=-1"):
        Budget(usd=-1)


def test_prices_by_hand() -> None:
    sonnet = PRICES["claude-sonnet-4-5"]
    usage = Usage(input=1_000_000, output=200_000, read=500_000, written=100_000)
    assert sonnet.of(usage) == pytest.approx(3 + 3.0 + 0.15 + 0.375)
    assert sonnet.of(usage, batch=True) == pytest.approx(sonnet.of(usage) / 2)
    haiku = PRICES["claude-haiku-5-5"]
    assert haiku.of(Usage(100_000, 10_000)) == pytest.approx(0.01 + 0.005)
    assert haiku.of(Usage(100_001, 10_000)) == pytest.approx(5 * (0.0100001 + 0.005))
    assert price_of("claude-sonnet-4-5-20250929") is sonnet and price_of("unheard-of") is None


def test_the_purse_gives_back_what_was_not_needed() -> None:
    purse = Purse(Budget(usd=10, tokens=100))
    purse.begin(Cost(4, 0))
    assert purse.promise(Cost(5, 50)) is None
    assert "cost cap" in purse.promise(Cost(2, 1)) and "token cap" in purse.promise(Cost(1, 51))
    purse.settle(Cost(5, 50), Cost(1, 10))
    assert purse.spent == Cost(5, 10) and purse.promise(Cost(5, 90)) is None


def test_calls_may_share_one_deadline() -> None:
    now = [100.0]
    purse = Purse(Budget(seconds=10), clock=lambda: now[0])
    with purse.one_deadline():
        purse.begin(Cost())
        now[0] = 107.0
        purse.begin(Cost(1, 1))
        assert purse.seconds_left() == 3
        now[0] = 111.0
        purse.begin(Cost(1, 1))
        assert "time cap: the 10 s are over" in purse.promise(Cost())
    purse.begin(Cost())
    assert purse.seconds_left() == 10 and purse.promise(Cost()) is None

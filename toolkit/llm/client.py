"""The client: asks a model many questions, keeps every reply, stays within the budget."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import UsageError, did_you_mean
from toolkit.llm.batches import BatchAsking
from toolkit.llm.budget import Budget, Cost, Estimate, Purse, time_is_up
from toolkit.llm.journal import Journal
from toolkit.llm.messages import Failure, Reply, Request, Usage
from toolkit.llm.prices import Price, prompt_tokens_at_most, prompt_tokens_likely
from toolkit.llm.providers.base import BatchProvider, Provider
from toolkit.llm.retrying import Patience, Rejected, Result, Transient
from toolkit.llm.secrets import without_secret
from toolkit.llm.tally import Tally
from toolkit.progress import track
from toolkit.texts import encodable

if TYPE_CHECKING:
    from toolkit.llm.providers.base import Answer

_HOME_OF = {
    "anthropic": "toolkit.llm.providers.anthropic:Anthropic",
    "openai": "toolkit.llm.providers.openai:OpenAI",
    "local": "toolkit.llm.providers.local:Local",
    "recorded": "toolkit.llm.providers.recorded:Recorded",
}


def list_providers() -> list[str]:
    """Names of all providers."""
    return list(_HOME_OF)


def get_client(
    provider: str,
    *,
    journal: str | Path,
    model: str | None = None,
    budget: Budget | None = None,
    base_url: str | None = None,
    workers: int = 4,
    batch: bool = False,
    attempts: int = 6,
    timeout_s: float = 120.0,
    price: Price | None = None,
    sleep: Callable[[float], object] | None = None,
) -> Client:
    """A client of a provider.

    Parameters
    ----------
    provider
        One of :func:`list_providers`: ``anthropic``, ``openai`` (and everything that speaks its
        language), ``local`` (Hugging Face weights), ``recorded`` (replays a journal, needs no key).
    journal
        File that keeps every reply; a question that is in it is not asked again.
    model
        None takes the provider's usual one, or the only one of a recording.
    base_url
        Address of another server; else the provider's environment variable.
    workers
        Questions on their way at the same time.
    batch
        Hand the questions in together: half the price, replies within a day.
    attempts
        For each question, the first one included.
    timeout_s
        Time for each attempt.
    price
        For models that the table of prices does not know.
    sleep
        How to wait between attempts; None sleeps, and wakes up when asking is interrupted.
    """
    if provider not in _HOME_OF:
        raise UsageError(f"there is no provider '{provider}'.", fix=did_you_mean(provider, _HOME_OF))
    kept = Journal(journal, read_only=provider == "recorded")
    if provider == "recorded":
        model = model or _only_model(kept)
    module, _, attribute = _HOME_OF[provider].partition(":")
    source: Provider = getattr(importlib.import_module(module), attribute)(model, base_url)
    return Client(
        source,
        kept,
        budget or Budget(),
        workers=workers,
        batch=batch,
        attempts=attempts,
        timeout_s=timeout_s,
        price=price,
        sleep=sleep,
    )


def _only_model(journal: Journal) -> str:
    if len(journal.models) != 1:
        known = ", ".join(journal.models) or "none"
        raise UsageError(
            f"the recording has replies of {len(journal.models)} models.",
            where=str(journal.path),
            fix=f"Say which one by model=…: {known}.",
        )
    return journal.models[0]


class Client:
    """Asks one model; made by :func:`get_client`.

    Attributes
    ----------
    model
        Name under which questions are kept.
    forces_schema
        Whether requests may have a schema that replies have to obey.
    tally
        Counts of everything asked so far.
    """

    def __init__(
        self,
        provider: Provider,
        journal: Journal,
        budget: Budget,
        *,
        workers: int = 4,
        batch: bool = False,
        attempts: int = 6,
        timeout_s: float = 120.0,
        price: Price | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        for name, value in {"workers": workers, "attempts": attempts, "timeout_s": timeout_s}.items():
            if not value > 0:
                raise UsageError(f"{name}={value} does not work.", fix="Give a number above 0.")
        self.model, self.price = provider.model, price or provider.price
        self.forces_schema: bool = getattr(provider, "forces_schema", True)
        if batch and not isinstance(provider, BatchProvider):
            raise UsageError(f"'{self.model}' cannot be asked in batches here.", fix="Leave batch=True out.")
        if budget.usd is not None and self.price is None:
            raise UsageError(
                f"the price of '{self.model}' is not known, so {budget.usd:g} USD cannot be kept.",
                fix="Give it in USD for a million tokens: price=Price(input=…, output=…), or --price on the command line.",
            )
        self.provider, self.journal, self._batch = provider, journal, batch
        journal.secret = provider.secret
        self._workers, self._timeout_s = workers, timeout_s
        self.purse = Purse(budget)
        self._stopped = threading.Event()
        self._sleep = sleep or self._stopped.wait
        self._patience = Patience(attempts, self._sleep, self.purse.seconds_left)
        self.attempts = attempts
        self.tally = Tally()

    def estimate(self, requests: Sequence[Request]) -> Estimate:
        """What asking would cost; sends nothing."""
        self.journal.refresh()
        wanted = {request.key(self.model): request for request in requests}
        new = [request for key, request in wanted.items() if key not in self.journal]
        paid = [reply.usd for reply in self.journal.replies_of(self.model) if reply.usd is not None]
        return Estimate(
            n_requests=len(wanted),
            n_in_journal=len(wanted) - len(new),
            prompt_tokens=sum(map(prompt_tokens_likely, new)),
            usd_at_most=None if self.price is None else sum(self.at_most(request).usd for request in new),
            usd_likely=len(new) * sum(paid) / len(paid) if paid else None,
        )

    def ask(
        self,
        requests: Sequence[Request],
        what: str = "asking",
        *,
        tell: Callable[[int, int], object] | None = None,
    ) -> list[Reply | Failure]:
        """A reply or a failure for every request, in the same order.

        What is in the journal is taken from there. Every new reply is in the journal before the next
        question goes out, so after an interruption asking again continues.

        Parameters
        ----------
        tell
            Called after every outcome with how many of the new questions are done, and how many there are;
            what it raises ends the asking. Without it a progress bar is shown.
        """
        self.journal.refresh()
        self.purse.begin(self.journal.spent)
        self._stopped.clear()
        keys = [request.key(self.model) for request in requests]
        outcomes: dict[str, Reply | Failure] = {key: self.journal[key] for key in keys if key in self.journal}
        for reply in outcomes.values():
            self.tally.add(reply, from_journal=True)
        new = {key: request for key, request in zip(keys, requests, strict=True) if key not in outcomes}
        with closing(self._outcomes(new)) as arriving:
            shown = arriving if tell else track(arriving, what, total=len(new))
            for n_done, outcome in enumerate(shown, start=1):
                self.tally.add(outcome)
                outcomes[outcome.key] = outcome
                if tell:
                    tell(n_done, len(new))
        return [outcomes[key] for key in keys]

    def at_most(self, request: Request) -> Cost:
        """What a question can cost."""
        usd = self.price.at_most(request, batch=self._batch) if self.price else 0.0
        return Cost(usd, prompt_tokens_at_most(request) + request.max_tokens)

    def _outcomes(self, new: Mapping[str, Request]) -> Iterator[Reply | Failure]:
        provider = self.provider
        if not isinstance(provider, BatchProvider):
            return self._one_by_one(new)
        if self._batch:
            return BatchAsking(self, provider, new, self._sleep).outcomes()
        waiting = [batch for batch, keys in self.journal.open_batches.items() if keys & new.keys()]
        if waiting:
            raise UsageError(
                f"some of these questions were handed in already, in batch {', '.join(waiting)}.",
                where=str(self.journal.path),
                fix="Ask with batch=True to fetch the replies; asking one by one would pay them twice.",
            )
        return self._one_by_one(new)

    def _one_by_one(self, new: Mapping[str, Request]) -> Iterator[Reply | Failure]:
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="asking")
        running: set[Future[Reply | Failure]] = set()
        try:
            for key, request in new.items():
                cost = self.at_most(request)
                # A question may only look too dear while others hold more than they will need.
                while running and (len(running) == self._workers or self.purse.obstacle(cost)):
                    finished, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in finished)
                obstacle = self.purse.promise(cost)
                if obstacle:
                    yield self.failure(key, obstacle)
                else:
                    running.add(pool.submit(self._answer, key, request, cost))
            while running:
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in finished)
        finally:
            # Replies on their way are paid for: they are waited for and kept.
            self._stopped.set()
            pool.shutdown(cancel_futures=True)

    def _answer(self, key: str, request: Request, cost: Cost) -> Reply | Failure:
        """One question until it is answered or given up; settles what was promised for it."""
        promised, paid = cost, Cost()

        def attempt() -> Answer:
            if self._stopped.is_set():
                raise Rejected("asking was interrupted.")
            return self.provider.ask(request, self.time_for_attempt())

        def note(trouble: Transient, follows: bool) -> None:
            nonlocal promised
            self.tally.add_trouble(retried=follows, garbled=trouble.garbled)
            if trouble.perhaps_paid:
                self.journal.add_lost(key, trouble.reason, cost)
                self.purse.settle(promised, cost)
                obstacle = self.purse.promise(cost) if follows else None
                promised = cost if follows and not obstacle else Cost()
                if obstacle:
                    raise Rejected(f"{obstacle} The last attempt: {trouble.reason}")

        try:
            reply, paid = self.keep(key, request, self.patiently(attempt, note))
            return reply
        except Rejected as rejection:
            return self.failure(key, rejection.reason)
        finally:
            self.purse.settle(promised, paid)

    def patiently(self, attempt: Callable[[], Result], note: Callable[[Transient, bool], None]) -> Result:
        """Make attempts; whatever goes wrong is told without the key of the provider."""
        try:
            return self._patience.get(attempt, note)
        except Rejected as rejection:
            raise Rejected(self._clean(rejection.reason)) from None
        except UsageError as error:
            raise UsageError(self._clean(error.what), where=error.where, fix=error.fix) from None

    def time_for_attempt(self) -> float:
        """Seconds that an attempt may take."""
        left = self.purse.seconds_left()
        if left <= 0:
            raise Rejected(time_is_up(self.purse.budget))
        return min(self._timeout_s, left)

    def keep(self, key: str, request: Request, answer: Answer) -> tuple[Reply, Cost]:
        """Put an answer into the journal; the reply and what it cost."""
        usage = answer.usage or Usage(prompt_tokens_at_most(request), request.max_tokens)
        usd = None if self.price is None else self.price.of(usage, batch=self._batch)
        reply = Reply(
            key=key,
            model=answer.model,
            text=self._clean(answer.text),
            stop=answer.stop,
            usage=usage,
            usd=usd,
            logprobs=answer.logprobs,
        )
        self.journal.add_reply(request, reply, model=self.model, stop_reason=answer.stop_reason)
        return reply, Cost(usd or 0.0, usage.input + usage.output + usage.read + usage.written)

    def failure(self, key: str, reason: str) -> Failure:
        """A failure whose reason may quote the provider."""
        return Failure(key, self._clean(reason))

    def _clean(self, text: str) -> str:
        return without_secret(encodable(text), self.provider.secret)

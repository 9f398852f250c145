"""Questions handed in together: submitted once, waited for across interruptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from toolkit.errors import UsageError
from toolkit.llm.budget import Cost
from toolkit.llm.messages import Failure, Reply, Request
from toolkit.llm.retrying import Rejected, Transient

if TYPE_CHECKING:
    from toolkit.llm.client import Client
    from toolkit.llm.providers.base import Answer, BatchProvider

LARGEST_BATCH = 10_000
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0


class BatchAsking:
    """Asks questions through the batches of a provider.

    The name of a batch is in the journal before its results are waited for: whoever asks again after an
    interruption waits for the same batch.

    Parameters
    ----------
    requests
        Questions by key; those that are in a batch of the journal already are not handed in again.
    """

    def __init__(
        self,
        client: Client,
        provider: BatchProvider,
        requests: Mapping[str, Request],
        sleep: Callable[[float], object],
    ) -> None:
        self._client, self._provider, self._left, self._sleep = client, provider, dict(requests), sleep
        self._journal, self._purse = client.journal, client.purse
        self._promised: dict[str, Cost] = {}
        self._last_reason: dict[str, str] = {}

    def outcomes(self) -> Iterator[Reply | Failure]:
        """A reply or a failure for every question, batch by batch."""
        for number in range(1, self._client.attempts + 1):
            yield from self._hand_in()
            for batch, keys in self._journal.open_batches.items():
                if keys & self._left.keys():
                    yield from self._collect(batch, keys & self._left.keys())
            if not self._left:
                return
            if number < self._client.attempts:
                for _ in self._left:
                    self._client.tally.add_trouble(retried=True, garbled=False)
        for key in list(self._left):
            yield self._give_up(key, f"no reply in {number} attempts; the last one: {self._last_reason[key]}")

    def _hand_in(self) -> Iterator[Failure]:
        """Submit what is in no batch yet and fits the budget; yields what could not be submitted."""
        in_batches = set().union(*self._journal.open_batches.values())
        fitting: dict[str, Request] = {}
        for key, request in list(self._left.items()):
            cost = self._client.at_most(request)
            if key in in_batches:
                self._purse.owe(cost)
            elif obstacle := self._purse.promise(cost):
                yield self._give_up(key, obstacle)
                continue
            else:
                fitting[key] = request
            self._promised[key] = cost
        remaining = iter(fitting.items())
        while part := dict(islice(remaining, LARGEST_BATCH)):
            yield from self._submit(part)

    def _submit(self, part: Mapping[str, Request]) -> Iterator[Failure]:
        def submit() -> str:
            return self._provider.submit(part, self._client.time_for_attempt())

        def note(trouble: Transient, follows: bool) -> None:
            if trouble.perhaps_paid:
                # A second batch would be paid a second time.
                raise Rejected(
                    f"{trouble.reason} Whether the batch was accepted is not known: look at the provider's "
                    "list of batches before asking again."
                )
            self._note(trouble, follows)

        try:
            self._journal.add_batch(self._client.patiently(submit, note), part)
        except Rejected as rejection:
            for key in part:
                yield self._give_up(key, rejection.reason)

    def _collect(self, batch: str, keys: set[str]) -> Iterator[Reply | Failure]:
        """Wait for a batch and fetch its results; questions worth another attempt stay left."""
        arrived: list[tuple[str, Answer | Exception]] = []

        def fetch() -> None:
            arrived[:] = [
                (key, result)
                for key, result in self._provider.results(batch, self._client.time_for_attempt())
                if key in keys
            ]
            if absent := len(keys) - len(arrived):
                raise Transient(f"{absent} results of batch {batch} are missing.", garbled=True)

        try:
            self._wait_for(batch)
            self._client.patiently(fetch, self._note)
        except Rejected as rejection:
            # The batch stays open in the journal, so its results can still be fetched.
            yield from (self._give_up(key, rejection.reason) for key in keys)
            return
        except UsageError as error:
            fix = f"{error.fix} If batch {batch} is gone for good, remove its line from {self._journal.path}."
            raise UsageError(error.what, where=error.where, fix=fix) from None
        yield from self._take_in(batch, arrived)

    def _take_in(
        self, batch: str, arrived: list[tuple[str, Answer | Exception]]
    ) -> Iterator[Reply | Failure]:
        unanswered = [key for key, result in arrived if isinstance(result, Exception)]
        if unanswered:
            self._journal.add_unanswered(batch, unanswered)
        for key, result in arrived:
            if isinstance(result, Transient):
                self._purse.settle(self._promised.pop(key), Cost())
                self._last_reason[key] = result.reason
            elif isinstance(result, Exception):
                yield self._give_up(key, str(result))
            else:
                reply, paid = self._client.keep(key, self._left.pop(key), result)
                self._purse.settle(self._promised.pop(key), paid)
                yield reply

    def _wait_for(self, batch: str) -> None:
        pause = FIRST_PAUSE
        while not self._client.patiently(
            lambda: self._provider.is_over(batch, self._client.time_for_attempt()), self._note
        ):
            self._sleep(min(pause, max(0.0, self._purse.seconds_left())))
            pause = min(LONGEST_PAUSE, pause * 1.5)

    def _note(self, trouble: Transient, follows: bool) -> None:
        self._client.tally.add_trouble(retried=follows, garbled=trouble.garbled)

    def _give_up(self, key: str, reason: str) -> Failure:
        del self._left[key]
        self._purse.settle(self._promised.pop(key, Cost()), Cost())
        return self._client.failure(key, reason)

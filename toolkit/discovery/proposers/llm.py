"""The proposer that asks a language model, and lets it correct what is wrong with its reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.discovery.proposers.base import Proposal, Proposer, Situation
from toolkit.discovery.proposers.replies import fault_of, read_programs
from toolkit.discovery.rejection import Rejected
from toolkit.discovery.search.config import SearchConfig
from toolkit.discovery.search.feedback import JUDGE, manual, structured
from toolkit.discovery.search.prompts import SCHEMA, prompt_sections, prompt_text
from toolkit.discovery.search.scoring import Scorer
from toolkit.discovery.search.study import Study
from toolkit.llm import Client, Failure, Reply, Request

SYSTEM = (
    "You are a cognitive scientist who builds computational models of learning and decision making. You state "
    "an idea about the mind, and write it as a short program that can be fitted to single people."
)

_CAPS = ("cost cap", "token cap", "time cap")
"""How failures begin after which asking on is pointless."""


class LanguageModelProposer(Proposer):
    """Asks a language model for programs, in one question an island and round.

    Everything that is sent and comes back is in the client's journal, so that a search that goes on pays for
    nothing twice. A reply that cannot be read, and programs that break the contract, are sent back with the
    exact error as often as the settings allow.

    Parameters
    ----------
    scorer
        Of the search, for residuals in structured feedback.
    """

    name = "llm"

    def __init__(self, client: Client, config: SearchConfig, study: Study, scorer: Scorer) -> None:
        self.client, self.config, self.study, self.scorer = client, config, study, scorer

    def propose(self, situation: Situation) -> list[Proposal]:
        """The programs of one reply, with what is wrong with those that cannot be used."""
        request = self.request(situation, self.feedback(situation))
        reply = self._ask(request)
        if isinstance(reply, Failure):
            # What is spent is spent: behind a cap nothing more comes, and the search ends.
            over = reply.reason.startswith(_CAPS)
            return [] if over else [Proposal(origin=self._origin(), fault=("no reply", reply.reason))]
        return self._read(situation, request, reply)

    def sections(self, situation: Situation, feedback: str = "") -> dict[str, str]:
        """The prompt by sections, the system's first."""
        return {
            "System": self.config.asking.system or SYSTEM,
            **prompt_sections(self.config, self.study, situation, feedback),
        }

    def request(self, situation: Situation, feedback: str = "") -> Request:
        """The question as it is sent."""
        sections = self.sections(situation, feedback)
        system = sections.pop("System")
        return self._request(((("user", prompt_text(sections))),), system, situation, SCHEMA)

    def feedback(self, situation: Situation) -> str:
        """What is told about earlier candidates; asks the model for its judgement in the mode "llm"."""
        if not situation.history or self.config.asking.feedback == "none":
            return ""
        if self.config.asking.feedback == "manual":
            return manual(situation)
        facts = structured(situation, self.scorer)
        if self.config.asking.feedback == "structured":
            return facts
        question = prompt_text({"Task": self.config.description, "Tried": facts, "Question": JUDGE})
        judged = self._ask(self._request((("user", question),), SYSTEM, situation, None))
        return judged.text if isinstance(judged, Reply) else facts

    # -- replies ------------------------------------------------------------------------------

    def _read(self, situation: Situation, request: Request, reply: Reply) -> list[Proposal]:
        proposals, errors = self._proposals(reply)
        for _ in range(self.config.asking.repairs):
            if not errors:
                break
            good = [one for one in proposals if one.fault is None]
            again = self._repaired(situation, request, reply, errors)
            if again is None:
                break
            request, reply = again
            corrected, errors = self._proposals(reply)
            proposals = [*good, *corrected]
        return proposals[: situation.n]

    def _proposals(self, reply: Reply) -> tuple[list[Proposal], list[str]]:
        """The programs of a reply, and sentences on what is wrong."""
        try:
            contents = read_programs(reply)
        except Rejected as error:
            return [Proposal(origin=self._origin(), fault=(error.reason, str(error)))], [str(error)]
        proposals, errors = [], []
        for content in contents:
            fault = fault_of(content, self.study.task)
            if fault is None:
                proposals.append(Proposal(content, self._origin()))
                continue
            errors.append(f"{content.get('name', 'a program without a name')}: {fault}")
            proposals.append(Proposal(content, self._origin(), (fault.reason, str(fault))))
        return proposals, errors

    def _repaired(
        self, situation: Situation, request: Request, reply: Reply, errors: list[str]
    ) -> tuple[Request, Reply] | None:
        """The question with its reply and what is wrong with it, and the new reply."""
        told = "\n".join(f"- {error}" for error in errors)
        text = f"This cannot be used:\n{told}\nCorrect it: reply with JSON of the same form, with only these programs."
        turns = (*request.messages, ("assistant", reply.text or "(nothing)"), ("user", text))
        again = self._request(turns, request.system, situation, SCHEMA)
        answer = self._ask(again)
        return None if isinstance(answer, Failure) else (again, answer)

    # -- asking -------------------------------------------------------------------------------

    def _request(
        self, turns: Any, system: str, situation: Situation, schema: Mapping[str, Any] | None
    ) -> Request:
        asking = self.config.asking
        return Request(
            messages=turns,
            system=system,
            max_tokens=asking.max_tokens,
            temperature=asking.temperature,
            # Islands that know the same still get replies of their own.
            sample=situation.seed % 2**31,
            # Where it cannot be forced, the prompt's example has to do.
            schema=schema if self.client.forces_schema else None,
        )

    def _ask(self, request: Request) -> Reply | Failure:
        (reply,) = self.client.ask([request], f"asking {self.client.model}")
        return reply

    def _origin(self) -> dict[str, Any]:
        return {"operator": "asked", "parents": [], "model": self.client.model}

"""Who thinks of programs: a grammar of mechanisms, a language model, or a search that is replayed."""

from __future__ import annotations

from toolkit.lazy import lazily

_HOME_OF = {
    "Candidate": "base",
    "GrammarProposer": "grammar",
    "LanguageModelProposer": "llm",
    "Proposal": "base",
    "Proposer": "base",
    "RecordedProposer": "recorded",
    "Situation": "base",
}

__getattr__, __dir__, __all__ = lazily(__name__, _HOME_OF)

"""The search for programs: settings, people, scores, journal, rounds, and the report."""

from __future__ import annotations

from toolkit.lazy import lazily

_HOME_OF = {
    "FinishedSearch": "reading",
    "Report": "reporting",
    "Search": "loop",
    "SearchConfig": "config",
    "best_of": "population",
    "compare_runs": "progress",
    "discover": "running",
    "find_searches": "reading",
    "frontier": "population",
    "grammar_proposer": "running",
    "lineage": "population",
    "list_configs": "config",
    "load_config": "config",
    "progress_of": "progress",
    "read_search": "reading",
    "report": "reporting",
    "table_of": "population",
}

# Settings are read without the sandbox and everything that it takes.
__getattr__, __dir__, __all__ = lazily(__name__, _HOME_OF)

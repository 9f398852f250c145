"""In-context learners as classifiers, beside tuned competitors on tables of the world."""

from __future__ import annotations

import importlib
from typing import Any

_HOME_OF = {
    "ExemplarClassifier": "exemplars",
    "InContextClassifier": "classifier",
    "PROPERTIES": "explaining",
    "Protocol": "protocols",
    "Ranking": "statistics",
    "Results": "running",
    "Table": "tables",
    "bank_tables": "tables",
    "benchmark_tables": "tables",
    "choose_features": "choice",
    "choose_options": "choice",
    "compare_with": "statistics",
    "compare_with_published": "earlier",
    "describe_tables": "tables",
    "explain_leads": "explaining",
    "fair": "protocols",
    "leads": "explaining",
    "list_classifiers": "competitors",
    "make_classifier": "competitors",
    "predict_together": "classifier",
    "prepare_sets": "protocols",
    "problem_properties": "explaining",
    "published": "protocols",
    "rank_models": "statistics",
    "run_protocol": "running",
    "sklearn_pairs": "tables",
    "sklearn_tables": "tables",
}

__all__ = list(_HOME_OF)


def __getattr__(name: str) -> Any:
    # Torch and scikit-learn take longer to import than everything else together.
    if name in _HOME_OF:
        return getattr(importlib.import_module(f"toolkit.benchmark.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module 'toolkit.benchmark' has no attribute '{name}'")

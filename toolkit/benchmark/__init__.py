"""In-context learners as classifiers, beside tuned competitors on tables of the world."""

from __future__ import annotations

from toolkit.lazy import lazily

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

# Torch and scikit-learn take longer to import than everything else together.
__getattr__, __dir__, __all__ = lazily(__name__, _HOME_OF)

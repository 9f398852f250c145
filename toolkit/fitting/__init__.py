"""Fits of models to people: estimates, held-out likelihoods, comparison, and what fits can recover."""

from __future__ import annotations

from toolkit.lazy import lazily

_HOME_OF = {
    "Comparison": "comparison",
    "Confusion": "confusion",
    "CrossValidation": "cross_validation",
    "Fit": "fitting",
    "Hierarchical": "hierarchical",
    "PredictiveCheck": "predictive_checks",
    "Recovery": "recovery",
    "Standings": "standings",
    "check_choices": "predictive_checks",
    "compare": "comparison",
    "compare_groups": "criteria",
    "confuse": "confusion",
    "cross_validate": "cross_validation",
    "describing": "confusion",
    "describe_choices": "predictive_checks",
    "earlier_fits": "published",
    "estimate_frequencies": "bayesian_selection",
    "exceedance_probabilities": "bayesian_selection",
    "explain_conditions": "gathering",
    "false_positive_rate": "asymmetry",
    "find_standings": "gathering",
    "fit": "fitting",
    "fit_hierarchical": "hierarchical",
    "fit_published": "published",
    "gather": "gathering",
    "normalised_bias": "asymmetry",
    "posterior_draws": "exchange",
    "predict_correct": "predictions",
    "published_table": "published",
    "rank_by_criterion": "criteria",
    "read_standings": "gathering",
    "recover": "recovery",
    "to_arviz": "exchange",
    "with_payoffs": "predictive_checks",
}

# Torch takes longer to import than everything else together.
__getattr__, __dir__, __all__ = lazily(__name__, _HOME_OF)

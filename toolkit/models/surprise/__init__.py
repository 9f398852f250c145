"""Learners in a changing world: exact Bayes, and rules that learn the more, the more surprising an observation is."""

from __future__ import annotations

from toolkit.lazy import lazily

_HOME_OF = {"RULES": "predictors", "predict_stream": "predictors", "tune_rule": "predictors"}

__getattr__, __dir__, __all__ = lazily(__name__, _HOME_OF)

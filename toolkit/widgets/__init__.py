"""Dashboards for JupyterLab: figures of ``toolkit.viz`` with controls beside them."""

from __future__ import annotations

from toolkit.lazy import lazily

_HOME_OF = {
    "BanditLab": "bandit_lab",
    "BeTheParticipant": "participant",
    "DiscoveryBoard": "discovery_board",
    "LearnerPlayground": "learner_playground",
    "ModelComparison": "model_comparison",
    "ProblemBrowser": "problem_browser",
}

# A dashboard imports what it needs and no more.
__getattr__, __dir__, __all__ = lazily(__name__, _HOME_OF)

"""Figures: one look, one colour an agent, and the files figures are kept in."""

from __future__ import annotations

import importlib
from typing import Any

_HOME_OF = {
    "agent_style": "toolkit.viz.agents",
    "benchmark_table": "toolkit.viz.benchmark",
    "curve_misfit": "toolkit.viz.learning",
    "export_figures": "toolkit.viz.export",
    "feature_table": "toolkit.viz.problems",
    "find_browser": "toolkit.viz.export",
    "in_words": "toolkit.viz.generalisation",
    "learning_curve": "toolkit.viz.learning",
    "learning_curves": "toolkit.viz.learning",
    "plot_after_change": "toolkit.viz.updating",
    "plot_bias": "toolkit.viz.updating",
    "plot_boundaries": "toolkit.viz.boundaries",
    "plot_calibration": "toolkit.viz.benchmark",
    "plot_choices": "toolkit.viz.updating",
    "plot_comparison": "toolkit.viz.comparison",
    "plot_confusion": "toolkit.viz.recovery",
    "plot_context_sizes": "toolkit.viz.benchmark",
    "plot_criteria": "toolkit.viz.criteria",
    "plot_differences": "toolkit.viz.discovery",
    "plot_distances": "toolkit.viz.sources",
    "plot_explanations": "toolkit.viz.benchmark",
    "plot_found_again": "toolkit.viz.discovery",
    "plot_groups": "toolkit.viz.criteria",
    "plot_imagined": "toolkit.viz.imagined",
    "plot_item_shares": "toolkit.viz.generalisation",
    "plot_leads": "toolkit.viz.benchmark",
    "plot_learnability": "toolkit.viz.sources",
    "plot_learners": "toolkit.viz.training",
    "plot_learning_curve": "toolkit.viz.learning",
    "plot_learning_panels": "toolkit.viz.learning",
    "plot_lineage": "toolkit.viz.discovery",
    "plot_overview": "toolkit.viz.overview",
    "plot_participants": "toolkit.viz.comparison",
    "plot_problem": "toolkit.viz.problems",
    "plot_rates": "toolkit.viz.updating",
    "plot_ranks": "toolkit.viz.benchmark",
    "plot_recovery": "toolkit.viz.recovery",
    "plot_repetitions": "toolkit.viz.discovery",
    "plot_scope": "toolkit.viz.scope",
    "plot_segments": "toolkit.viz.generalisation",
    "plot_sensitivity": "toolkit.viz.training",
    "plot_speed": "toolkit.viz.scope",
    "plot_statistics": "toolkit.viz.sources",
    "plot_tasks": "toolkit.viz.benchmark",
    "plot_training": "toolkit.viz.training",
    "plot_transfer": "toolkit.viz.training",
    "plot_trials": "toolkit.viz.trial_by_trial",
    "plot_type_errors": "toolkit.viz.generalisation",
    "plot_type_order": "toolkit.viz.generalisation",
    "plot_visits": "toolkit.viz.bandits",
    "publish_figures": "toolkit.viz.files",
    "read_figure": "toolkit.viz.files",
    "show_table": "toolkit.viz.tables",
    "source_style": "toolkit.viz.sources",
    "setup": "toolkit.viz.theme",
    "titled": "toolkit.viz.theme",
    "write_figure": "toolkit.viz.files",
}

__all__ = list(_HOME_OF)


def __getattr__(name: str) -> Any:
    # Plotly and the rest are imported by the function that needs them, so that the doctor stays quick.
    if name not in _HOME_OF:
        raise AttributeError(f"module 'toolkit.viz' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__

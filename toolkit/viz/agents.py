"""How every agent looks: one name, colour, dash and marker in all figures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import product
from typing import Any

BLACK = "#000000"
GREY = "#767676"
ORANGE, SKY, GREEN, BLUE, VERMILION, PURPLE = (
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
OKABE_ITO = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
"""Okabe and Ito's colours without black, which is people's, and yellow, which paper swallows."""

SPARSE, DASHDOTDOT, SHORT, UNEVEN = "2px,7px", "9px,3px,2px,3px,2px,3px", "4px,3px", "14px,3px,4px,3px"
DASHES = (
    "solid", "dash", "dot", "dashdot", "longdash", "longdashdot", SPARSE, DASHDOTDOT, SHORT, UNEVEN,
)  # fmt: skip
SYMBOLS = ("square", "diamond", "triangle-up", "triangle-down", "cross", "x", "star", "hexagon", "pentagon")


@dataclass(frozen=True)
class AgentStyle:
    """Look of one agent; dash and marker tell it apart where colours are not printed."""

    label: str
    colour: str
    dash: str
    symbol: str

    def line(self, width: float = 2.0) -> dict[str, Any]:
        """Plotly's properties of a line."""
        return {"color": self.colour, "dash": self.dash, "width": width}

    def marker(self, size: float = 7.0) -> dict[str, Any]:
        """Plotly's properties of markers."""
        return {"color": self.colour, "symbol": self.symbol, "size": size}


_KNOWN = {
    "people": AgentStyle("People", BLACK, "solid", "circle"),
    # Meta-learned agents
    "ermi": AgentStyle("ERMI", VERMILION, "solid", "square"),
    "mi": AgentStyle("MI", BLUE, "dash", "diamond"),
    "pfn": AgentStyle("PFN", SKY, "dashdot", "triangle-up"),
    "live": AgentStyle("Live learner", ORANGE, "dash", "star"),
    "metalearner": AgentStyle("Meta-learner", VERMILION, "dash", "pentagon"),
    "metarl": AgentStyle("Meta-RL", VERMILION, "dot", "star"),
    # Models of category learning
    "gcm": AgentStyle("Exemplars (GCM)", GREEN, "solid", "triangle-down"),
    "prototype": AgentStyle("Prototypes", ORANGE, "longdash", "hexagon"),
    "rmc": AgentStyle("Rational clusters (RMC)", PURPLE, "solid", "cross"),
    "rule": AgentStyle("Rule", ORANGE, "dot", "x"),
    "rule_with_exceptions": AgentStyle("Rule plus exceptions", ORANGE, "dashdot", "pentagon"),
    "rulex": AgentStyle("RULEX", GREEN, "dot", "pentagon"),
    "rational": AgentStyle("Rational model", BLUE, "dashdot", "hexagon"),
    "alcove": AgentStyle("ALCOVE", BLUE, "solid", "star"),
    "sustain": AgentStyle("SUSTAIN", PURPLE, "dash", "square"),
    "bayesian_logistic_regression": AgentStyle("Bayesian logistic regression", SKY, "solid", "diamond"),
    "logistic_regression": AgentStyle("Logistic regression", GREY, "solid", "diamond"),
    "nearest_neighbours": AgentStyle("Nearest neighbours", GREEN, "dashdot", "x"),
    # Learners from reward
    "rescorla_wagner": AgentStyle("Rescorla–Wagner", BLUE, "longdash", "triangle-up"),
    "rescorla_wagner_signed": AgentStyle("Rescorla–Wagner, ±", ORANGE, "solid", "triangle-down"),
    "rescorla_wagner_confirmation": AgentStyle("Rescorla–Wagner, confirming", GREEN, "dash", "diamond"),
    "rescorla_wagner_chosen": AgentStyle("Rescorla–Wagner, chosen ±", GREEN, "longdashdot", "triangle-up"),
    "rescorla_wagner_forced": AgentStyle("Rescorla–Wagner, forced", PURPLE, SPARSE, "pentagon"),
    "rescorla_wagner_forced_signed": AgentStyle("Rescorla–Wagner, forced ±", PURPLE, SHORT, "x"),
    "rescorla_wagner_perseveration": AgentStyle("Rescorla–Wagner, sticky", SKY, "longdash", "cross"),
    "rescorla_wagner_signed_perseveration": AgentStyle(
        "Rescorla–Wagner, ± and sticky", ORANGE, DASHDOTDOT, "cross"
    ),
    "perseveration": AgentStyle("Perseveration alone", SKY, SPARSE, "x"),
    "pearce_hall": AgentStyle("Pearce–Hall", GREEN, SPARSE, "star"),
    "kalman": AgentStyle("Kalman filter", BLUE, SHORT, "square"),
    "ideal_bandit": AgentStyle("Ideal learner", BLUE, "longdashdot", "pentagon"),
    "thompson_bandit": AgentStyle("Ideal learner, Thompson", BLUE, SPARSE, "cross"),
    "exact_bayes": AgentStyle("Exact Bayes with changes", VERMILION, "longdash", "diamond"),
    "message_passing": AgentStyle("Message passing", VERMILION, SPARSE, "x"),
    "resampled_messages": AgentStyle("Resampled messages", VERMILION, SHORT, "triangle-down"),
    "20_particles": AgentStyle("20 particles", GREEN, UNEVEN, "hexagon"),
    "1_particle": AgentStyle("1 particle", GREEN, SHORT, "cross"),
    "var_smile": AgentStyle("VarSMiLe", PURPLE, "longdash", "triangle-up"),
    "smile": AgentStyle("SMiLe", PURPLE, DASHDOTDOT, "diamond"),
    "nassar_2010": AgentStyle("Nassar 2010", ORANGE, SHORT, "square"),
    "nassar_2012": AgentStyle("Nassar 2012", ORANGE, UNEVEN, "diamond"),
    "leaky_mean": AgentStyle("Leaky mean", SKY, SHORT, "hexagon"),
    "hybrid": AgentStyle("Model-based and model-free", PURPLE, "dashdot", "hexagon"),
    # Simple, spoken and written agents
    "win_stay_lose_shift": AgentStyle("Win-stay lose-shift", SKY, "dash", "square"),
    "random": AgentStyle("Random", GREY, "dot", "x"),
    "llm": AgentStyle("LLM", PURPLE, "dot", "star"),
    "scripted_player": AgentStyle("Scripted player (no LLM)", GREY, "longdashdot", "hexagon"),
    "gecco": AgentStyle("Found by an LLM (GeCCo)", VERMILION, "longdashdot", "hexagon"),
    "program": AgentStyle("Program written by an LLM", VERMILION, "dashdot", "cross"),
    # Classifiers of the benchmark
    "xgboost": AgentStyle("XGBoost", GREEN, "longdash", "square"),
    "svm": AgentStyle("Support vectors", BLUE, "dot", "triangle-down"),
    "random_forest": AgentStyle("Random forest", PURPLE, "longdashdot", "triangle-down"),
    "naive_bayes": AgentStyle("Naive Bayes", ORANGE, "longdashdot", "triangle-up"),
    "tabpfn": AgentStyle("TabPFN", SKY, "dot", "star"),
    "ermi_single": AgentStyle("ERMI, one reading", VERMILION, UNEVEN, "triangle-up"),
    "logistic_regression_untuned": AgentStyle("Logistic regression, untuned", GREY, "dash", "triangle-up"),
    "svm_untuned": AgentStyle("Support vectors, untuned", GREY, "dashdot", "triangle-down"),
    "xgboost_untuned": AgentStyle("XGBoost, untuned", GREY, "longdash", "square"),
}

_OTHER_NAMES = {
    "human": "people",
    "humans": "people",
    "participants": "people",
    "rational_clusters": "rmc",
    "exemplar": "gcm",
    "wsls": "win_stay_lose_shift",
    "rw": "rescorla_wagner",
    "surprise": "var_smile",
    "claude": "llm",
}


def agent_style(name: str) -> AgentStyle:
    """Label, colour, dash and marker of an agent; a name of your own gets stable ones.

    >>> agent_style("people").colour
    '#000000'
    >>> agent_style("my model") == agent_style("my_model")
    True
    """
    key = "_".join(name.lower().replace("-", " ").split())
    key = _OTHER_NAMES.get(key, key)
    return _KNOWN.get(key) or _made_up(key)


def known_agents() -> list[str]:
    """Names of the agents whose look was chosen by hand."""
    return list(_KNOWN)


def _made_up(key: str) -> AgentStyle:
    taken = {(style.colour, style.dash) for style in _KNOWN.values()}
    free = [look for look in product(OKABE_ITO, DASHES) if look not in taken]
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    colour, dash = free[number % len(free)]
    return AgentStyle(key.replace("_", " "), colour, dash, SYMBOLS[number % len(SYMBOLS)])

"""What is told about earlier candidates: names, or scores, residuals and every error."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.discovery.proposers.base import Candidate, Situation
from toolkit.discovery.search.scoring import Scorer
from toolkit.discovery.signatures import repetitions, summarise
from toolkit.errors import ToolkitError

N_RANKED = 10

JUDGE = (
    "Above is what was tried so far to explain how people choose in this task. In at most ten sentences, say "
    "what the next programs should try: which ideas helped, which did not, what is missing. Write no program."
)
"""What a language model is asked for in the mode "llm"."""


def manual(situation: Situation) -> str:
    """The best program, and which sets of parameters were tried."""
    ranked = situation.ranked
    if not ranked:
        return _errors(situation.history)
    tried = sorted(
        {", ".join(one["name"] for one in candidate.proposal.content["parameters"]) for candidate in ranked}
    )
    return "\n".join(
        [
            "The best program so far:",
            str(ranked[0].proposal.content["code"]).strip(),
            "These sets of parameters were tried; explore others:",
            *(f"- {names or 'none'}" for names in tried),
        ]
    )


def structured(situation: Situation, scorer: Scorer) -> str:
    """Ranking, distances to baselines, residuals of the best program, and every error."""
    parts = [_baselines(situation), _ranking(situation), _best(situation, scorer), _errors(situation.history)]
    return "\n\n".join(part for part in parts if part)


def _baselines(situation: Situation) -> str:
    lines = [
        f"- {name}: {value:.1f}" for name, value in sorted(situation.baselines.items(), key=lambda i: i[1])
    ]
    return "\n".join(["Mean criterion of known models (lower is better):", *lines])


def _ranking(situation: Situation) -> str:
    known = [value for name, value in situation.baselines.items() if name != "chance"]
    target = min(known or situation.baselines.values(), default=float("nan"))
    lines = [
        f"{place}. {one.proposal.content['name']}: {one.score.mean:.1f} "
        f"({one.score.mean - target:+.1f} to the best known model), {one.score.n_parameters} parameters. "
        f"{one.proposal.content.get('idea', '')}"
        for place, one in enumerate(situation.ranked[:N_RANKED], 1)
    ]
    return "\n".join(["Programs tried so far, best first:", *lines]) if lines else ""


def _best(situation: Situation, scorer: Scorer) -> str:
    """The best program, its estimates, and where its predictions are off."""
    if not situation.ranked:
        return ""
    best = situation.ranked[0]
    estimates = best.score.estimates or {}
    lines = ["The best program:", str(best.proposal.content["code"]).strip(), "Its estimates, mean ± spread:"]
    lines += [f"- {name}: {mean:.2f} ± {spread:.2f}" for name, (mean, spread) in estimates.items()]
    return "\n".join([*lines, *residuals(best, scorer)])


def residuals(candidate: Candidate, scorer: Scorer) -> list[str]:
    """How often people repeat a choice after what, and how often the program says they do."""
    try:
        program = candidate.proposal.program(scorer.task)
        if not program.parameters:
            return []
        predicted = program.model(scorer.sandbox).predict(scorer.fit(program).theta, scorer.trials)
    except ToolkitError:
        return []  # It was scored, so this is about the machine, and feedback can do without.
    table = repetitions(scorer.trials, predicted)
    if table.empty:
        return []
    summary = summarise(table)
    conditions = [name for name in summary if name not in ("repeats", "expected", "error")]
    lines = ["Repetitions of the last choice, observed and predicted:"]
    for _, row in summary.iterrows():
        what = ", ".join(str(row[name]) for name in conditions)
        lines.append(f"- after {what}: {row['repeats']:.3f}, {row['expected']:.3f}")
    return lines


def _errors(history: Sequence[Candidate]) -> str:
    lines = [
        f"- {one.proposal.content.get('name', one.name)}: {one.score.reason}: {one.score.what}"
        for one in history
        if not one.accepted
    ]
    return "\n".join(["These could not be used; do not repeat their faults:", *lines]) if lines else ""

"""A small fit of a few models to simulated people, made on the spot for want of a finished run."""

from __future__ import annotations

from collections.abc import Callable

from toolkit import fitting
from toolkit.fitting import Fit, Standings, people
from toolkit.progress import track
from toolkit.seeds import Seeds
from toolkit.viz import agent_style, learning_curves

AGENTS = ("gcm", "prototype", "win_stay_lose_shift", "random")
"""All but the last made choices of some of the people."""
STUDY, EVERY, N_STARTS = "badham2017", 6, 2
TITLE = "Simulated people, fitted here and now"

CODE = f"""\
from toolkit import fitting, viz
from toolkit.fitting import people
from toolkit.seeds import Seeds

agents = {AGENTS!r}
trials = people.simulate_people("{STUDY}", Seeds({{seed}})).where(simulated_by=agents[:3])
trials = trials.where(participant=trials.participants[::{EVERY}])
fits = {{{{name: fitting.fit(name, trials, n_starts={N_STARTS}) for name in agents}}}}
expected = {{{{name: fitting.predict_correct(found, trials, by_itself=True) for name, found in fits.items()}}}}
curves = viz.learning_curves(trials, expected)
standings = fitting.gather(fits, trials, curves=curves, title="{TITLE}")"""
"""Lines that do the same, but for the seed."""

_known: dict[int, Standings] = {}


def fit_here(seed: int = 0, tell: Callable[[str, int], None] | None = None) -> Standings:
    """Standings of four models with twelve simulated people; fitted once, then remembered.

    Parameters
    ----------
    tell
        Called with every model before it is fitted, and how many are done; without it a progress bar is shown.
    """
    if seed not in _known:
        _known[seed] = _fitted(seed, tell)
    return _known[seed]


def _fitted(seed: int, tell: Callable[[str, int], None] | None) -> Standings:
    trials = people.simulate_people(STUDY, Seeds(seed)).where(simulated_by=AGENTS[:3])
    trials = trials.where(participant=trials.participants[::EVERY])
    fits: dict[str, Fit] = {}
    for name in AGENTS if tell else track(AGENTS, "fitting models to simulated people"):
        if tell:
            tell(agent_style(name).label, len(fits))
        fits[name] = fitting.fit(name, trials, n_starts=N_STARTS, progress=False)
    expected = {name: fitting.predict_correct(found, trials, by_itself=True) for name, found in fits.items()}
    return fitting.gather(fits, trials, curves=learning_curves(trials, expected), title=TITLE)

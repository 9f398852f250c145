"""Discovery of models: programs of unknown origin, checked, locked in, and fitted like any other model.

A candidate goes this way; at every step :class:`Rejected` says in a word and a sentence why it goes no further::

    task = Task.of(trials)                      # what is told, and when: task.known_to("predict")
    program = Program.from_json(content, task)  # or Program(name, text, parameters, task); its key() is its identity
    model = program.model(sandbox)              # checks the text; a toolkit model: fit, predict, simulate, compare
    probe(model, trials)                        # whether what it returns is a likelihood
    fitted = fit_program(model, trials, seconds=60)  # a Fit, from the cache where it has been made before
    recheck(model, fitted, trials)              # a second opinion, for a winner
    program.register()                          # from here on in get_model, fitting, comparison, dashboards

``LegacyProgram`` takes functions that return a negative log-likelihood. ``model.engine.why_interpreted`` says why a
program is not compiled. One ``Sandbox(n_workers, limits=Limits(...))`` serves many threads; without one, all share
:func:`default_sandbox`. ``describe_layers`` says what stands between a candidate and this machine.
"""

from __future__ import annotations

from toolkit.lazy import lazily

_HOME_OF = {
    "LegacyProgram": "legacy",
    "Limits": "sandbox",
    "Program": "program",
    "Rejected": "rejection",
    "Sandbox": "sandbox",
    "Task": "task",
    "default_sandbox": "sandbox",
    "describe_layers": "sandbox",
    "fit_program": "caching",
    "probe": "probes",
    "recheck": "checking",
}

# A worker imports a part of this package and must not import the others.
__getattr__, __dir__, __all__ = lazily(__name__, _HOME_OF)

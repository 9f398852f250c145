"""The grammar: every sketch is a program that keeps the contract, and varies by seed alone."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.discovery.grammar import Grammar, Sketch, grammar_for, write
from toolkit.discovery.grammar.mechanisms import NONE
from toolkit.discovery.grammar.variation import complete, cross, draw, mutate
from toolkit.discovery.task import Task
from toolkit.errors import UsageError
from toolkit.tests.discovery.programs import inside, interpreted
from toolkit.tests.strategies import random_trials
from toolkit.trials import Trials

FAMILIES = ("two_step", "bandit", "multi_attribute", "category_learning")


def grammar_of(family: str) -> tuple[Grammar, Task, Trials]:
    trials = random_trials(family, (12, 9), seed=1)
    about = ()
    if family == "bandit":
        trials.sequences["set_size"] = [2, 3]
        about = ("set_size",)
    task = Task.of(trials, about=about)
    return grammar_for(task, validities=(0.9, 0.8, 0.7)[: task.sizes.get("n_features", 0)]), task, trials


@pytest.mark.parametrize("family", FAMILIES)
def test_every_mechanism_makes_a_program_that_keeps_the_contract_and_compiles(family: str) -> None:
    grammar, task, _ = grammar_of(family)
    rng = np.random.default_rng(0)
    for kind in grammar.kinds:
        for mechanism in kind.mechanisms:
            sketch = grammar.sketch(complete(grammar, {kind.name: mechanism.name}, kind.name, rng))
            program = write(grammar, sketch, task, "made")
            contract = program.contract()
            used = {name for names in contract.arguments.values() for name in names}
            assert {one.name for one in program.parameters} <= used
            assert program.model().engine.why_interpreted == "", (kind.name, mechanism.name)
            assert mechanism.idea in program.idea or kind.name not in sketch.by_kind


@pytest.mark.parametrize("family", FAMILIES)
def test_sketches_are_the_same_compiled_and_interpreted(family: str, workers) -> None:
    grammar, task, trials = grammar_of(family)
    sequence = np.arange(len(trials))
    for seed in range(3):
        sketch = draw(grammar, np.random.default_rng(seed))
        if not sketch.genes:
            continue
        model = write(grammar, sketch, task, "made").model(workers)
        theta, tape = inside(model, len(trials)), model.tape(trials)
        total, gradient = model.engine.gradient(theta, sequence, tape)
        assert not model.engine.compiled.compiles, "the toolkit's own compiler left it to numba"
        by_python = interpreted(model).engine.gradient(theta, sequence, tape)
        np.testing.assert_allclose(total, by_python[0], rtol=1e-12)
        np.testing.assert_allclose(gradient, by_python[1], rtol=1e-5, atol=1e-5)
        p = model.predict_all(theta[trials.participant_index], trials)
        real = p.sum(-1) > 0
        assert np.isfinite(p).all() and np.allclose(p.sum(-1)[real], 1)


def test_what_nothing_uses_and_what_lacks_its_needs_is_left_out() -> None:
    grammar = grammar_of("two_step")[0]
    assert grammar.sketch({"outcome values": "one rate"}) == Sketch()
    assert grammar.sketch({"planning": "with known transitions"}) == Sketch()
    both = grammar.sketch({"outcome values": "one rate", "planning": "with known transitions"})
    assert both.by_kind == {"planning": "with known transitions", "outcome values": "one rate"}
    forgets = grammar.sketch({"outcome values": "one rate", "forgetting": "to nothing"})
    assert forgets == Sketch()


def test_mutations_change_one_mechanism_and_what_it_needs_or_is_needed_by() -> None:
    grammar = grammar_of("two_step")[0]
    rng = np.random.default_rng(3)
    sketch = draw(grammar, rng)
    seen = set()
    for _ in range(200):
        changed = mutate(grammar, sketch, rng)
        before, after = sketch.by_kind, changed.by_kind
        seen |= {kind for kind in before.keys() | after.keys() if before.get(kind) != after.get(kind)}
        sketch = changed
    assert seen == {kind.name for kind in grammar.kinds}


def test_children_have_the_mechanisms_of_their_parents() -> None:
    grammar = grammar_of("two_step")[0]
    rng = np.random.default_rng(5)
    one = grammar.sketch({"habit": "repeat", "heuristic": "win-stay lose-shift", "bias": "of first choices"})
    other = grammar.sketch({"habit": "trace", "second habit": "repeat there", "lapses": "at random"})
    children = {cross(grammar, one, other, rng) for _ in range(50)}
    assert len(children) > 5
    for child in children:
        for kind, name in child.genes:
            assert name in (one.by_kind.get(kind), other.by_kind.get(kind))


def test_the_same_seed_gives_the_same_sketches() -> None:
    grammar = grammar_of("bandit")[0]

    def some(seed: int) -> list[Sketch]:
        rng = np.random.default_rng(seed)
        return [mutate(grammar, draw(grammar, rng), rng) for _ in range(10)]

    assert some(1) == some(1) != some(2)


def test_features_tell_sketches_apart() -> None:
    grammar = grammar_of("bandit")[0]
    features = grammar.features(grammar.sketch({"values": "by sign", "habit": "repeat"}))
    assert features.sum() == 2 and not grammar.features(Sketch()).any()
    assert len(features) == sum(len(kind.mechanisms) for kind in grammar.kinds)


def test_unknown_names_and_families_are_refused_with_advice() -> None:
    grammar = grammar_of("two_step")[0]
    with pytest.raises(UsageError, match="planning"):
        grammar.sketch({"plannin": NONE, "planing": "x"})
    with pytest.raises(UsageError, match="with known transitions"):
        grammar.sketch({"planning": "with known transition"})
    with pytest.raises(UsageError, match="no grammar of mechanisms for free"):
        grammar_for(Task.of(random_trials("free", (4,))))

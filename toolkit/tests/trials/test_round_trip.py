"""Trials <-> table <-> file keep everything."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.tests.strategies import trials_of
from toolkit.trials import SCHEMAS, Trials, concat

any_trials = st.sampled_from(sorted(SCHEMAS)).flatmap(
    lambda family: st.booleans().flatmap(lambda labelled: trials_of(family, with_labels=labelled))
)


@given(any_trials)
@settings(deadline=None, max_examples=60)
def test_table_and_back(trials: Trials) -> None:
    again = Trials.from_table(
        trials.to_table(),
        trials.schema,
        about=["age"],
        extra=["response_time"],
        labels=trials.labels,
        n_options=trials.n_options,
    )
    assert again.equals(trials)


@given(any_trials, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=30)
def test_order_of_rows_does_not_matter_if_trials_are_numbered(trials: Trials, random) -> None:
    table = trials.to_table()
    rows = list(range(len(table)))
    random.shuffle(rows)
    options = {
        "about": ["age"],
        "extra": ["response_time"],
        "labels": trials.labels,
        "n_options": trials.n_options,
    }
    again = Trials.from_table(table.iloc[rows], trials.schema, **options).to_table()
    keys = ["participant", "problem", "trial"]
    assert again.sort_values(keys, ignore_index=True).equals(table.sort_values(keys, ignore_index=True))


@given(any_trials)
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_file_and_back(tmp_path_factory: pytest.TempPathFactory, trials: Trials) -> None:
    path = tmp_path_factory.mktemp("trials") / "mine.safetensors"
    trials.save(path)
    assert Trials.load(path).equals(trials)


@given(any_trials)
@settings(deadline=None, max_examples=30)
def test_parts_joined_again_are_the_whole(trials: Trials) -> None:
    parts = [trials.take([row]) for row in range(len(trials))]
    assert concat(parts).equals(trials)
    assert trials.padded(trials.n_trials + 3).take(range(len(trials))).equals(trials)

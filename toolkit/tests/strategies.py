"""Hypothesis strategies that draw Trials of every family."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from toolkit.trials import SCHEMAS, Field, Trials

SIZES = {"feature": 2, "option": 2}


@st.composite
def trials_of(draw: st.DrawFn, family: str, *, with_labels: bool = False) -> Trials:
    """Trials of one family with sequences of unequal length, missed choices and extra columns."""
    n_participants, n_problems = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    n_sequences = n_participants * n_problems
    lengths = draw(st.lists(st.integers(1, 6), min_size=n_sequences, max_size=n_sequences))
    return random_trials(
        family, lengths, n_problems, draw(st.integers(0, 2**32 - 1)), with_labels=with_labels
    )


def random_trials(
    family: str,
    lengths: Sequence[int] = (6, 3),
    n_problems: int = 1,
    seed: int = 0,
    *,
    with_labels: bool = False,
) -> Trials:
    """Trials of one family with sequences of these lengths, ``n_problems`` a participant."""
    rng = np.random.default_rng(seed)
    shape = (len(lengths), max(lengths))
    mask = np.arange(shape[1]) < np.array(lengths)[:, None]
    arrays = {field.name: _array(rng, field, shape) for field in SCHEMAS[family].fields}
    arrays["response_time"] = rng.uniform(0.2, 3, shape)
    number = np.arange(len(lengths))
    sequences = pd.DataFrame(
        {
            "participant": [f"p{i}" for i in number // n_problems],
            "problem": number % n_problems,
            "condition": rng.choice(["I", "II"], len(lengths)),
            "age": rng.integers(18, 80, len(lengths)),
        }
    )
    labels = {"choice": ("left", "right")} if with_labels else {}
    return Trials(SCHEMAS[family], arrays, mask, sequences, labels, n_options=2)


def _array(rng: np.random.Generator, field: Field, shape: tuple[int, int]) -> np.ndarray:
    shape = (*shape, *(SIZES[axis] for axis in field.axes))
    if field.kind == "flag":
        return rng.random(shape) < 0.3
    if field.kind == "code":
        return rng.integers(-1 if field.may_miss else 0, 2, shape)
    numbers = rng.normal(size=shape)
    return np.where(rng.random(shape) < 0.2, np.nan, numbers) if field.may_miss else numbers

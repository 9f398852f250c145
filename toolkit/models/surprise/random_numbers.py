"""Random numbers inside compiled functions, by the generator of Park and Miller."""

from __future__ import annotations


def advance(state):
    """Move the state, (1,), to the next of its 2,147,483,646 values."""
    # Products stay below 2 ** 53, so that numbers hold them exactly.
    product = 48271.0 * state[0]
    state[0] = product - 2147483647.0 * float(int(product / 2147483647.0))


def uniform(state):
    """The state as a number between 0 and 1."""
    return state[0] / 2147483647.0

"""What is known of a variable of a function that is compiled."""

from __future__ import annotations

from dataclasses import dataclass

Parameters = frozenset[int]
"""Positions in theta."""

NONE: Parameters = frozenset()


@dataclass(frozen=True)
class Variable:
    """What is known of a variable, wherever in the function it is assigned.

    Attributes
    ----------
    n_dimensions
        0 is a single number.
    depends_on
        The parameters that its value, or any of its elements, can depend on.
    whole_numbers
        Whether it is an array that can only hold whole numbers.
    read_only
        Whether it is an array that must not be changed: the data.
    """

    n_dimensions: int = 0
    depends_on: Parameters = NONE
    whole_numbers: bool = False
    read_only: bool = False


NUMBER = Variable()

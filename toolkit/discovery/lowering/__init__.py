"""From a text that keeps the contract to one function over a sequence that the compiler takes."""

from toolkit.discovery.lowering.learning import NotLowered, lower
from toolkit.discovery.lowering.whole import may_divide_by_nothing

__all__ = ["NotLowered", "lower", "may_divide_by_nothing"]

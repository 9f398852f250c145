"""From a text that keeps the contract to one function over a sequence that the compiler takes."""

from toolkit.discovery.lowering.learning import NotLowered, lower

__all__ = ["NotLowered", "lower"]

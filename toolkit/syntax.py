"""Python text to syntax trees, from one thread at a time."""

from __future__ import annotations

import ast
from threading import Lock

# CPython (3.11 for one) counts the depth of the tree it makes once for all threads, and fails when two make one.
_ONE_AT_A_TIME = Lock()


def parse_module(text: str) -> ast.Module:
    """The syntax tree of statements."""
    with _ONE_AT_A_TIME:
        return ast.parse(text)


def parse_expression(text: str) -> ast.expr:
    """The syntax tree of one expression.

    >>> ast.unparse(parse_expression("1+x"))
    '1 + x'
    """
    with _ONE_AT_A_TIME:
        return ast.parse(text, mode="eval").body

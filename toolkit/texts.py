"""Words for numbers of things; and text that strangers wrote, so that it can be kept in a file and shown on a terminal."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """So many of something.

    >>> counted(1, "point"), counted(1200, "point"), counted(2, "search", "searches")
    ('1 point', '1,200 points', '2 searches')
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def encodable(text: str) -> str:
    """The same text, with question marks for halves of surrogate pairs, which JSON can hold and no file can.

    >>> encodable("half of a pair: \\ud83d")
    'half of a pair: ?'
    """
    return text.encode("utf-8", "replace").decode()


def visible(text: str) -> str:
    """A line in which nothing is invisible: what does not print, and could steer a terminal, is spelled out.

    >>> visible("red \\x1b[31m, and so on\\n")
    'red \\\\x1b[31m, and so on\\\\n'
    """
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)

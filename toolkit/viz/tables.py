"""Tables as notebooks show them: whole sentences, words to the left, numbers to the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from toolkit.io import sha256_of_bytes

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler


def show_table(table: pd.DataFrame, **formats: Any) -> Styler:
    """A table to be shown as it is, without its index; True and False become yes and no.

    Parameters
    ----------
    formats
        How to write a column's values: a format string such as "{:.2f}", or a function.
    """
    flags = {name: _yes_or_no for name in table if pd.api.types.is_bool_dtype(table[name])}
    styler = table.style.hide().format({**flags, **formats})
    words = [name for name in table if name in flags or not pd.api.types.is_numeric_dtype(table[name])]
    styler = styler.set_properties(subset=words, **{"text-align": "left", "vertical-align": "top"})
    heads = [
        {"selector": f"th.col{position}", "props": "text-align: left"}
        for position, name in enumerate(table)
        if name in words
    ]
    # A random identifier would make every execution of a notebook differ.
    return styler.set_table_styles(heads).set_uuid(sha256_of_bytes(table.to_json().encode())[:8])


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"

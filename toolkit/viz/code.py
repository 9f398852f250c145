"""Programs of strangers as text on a page: two side by side, a table of them, and why some were rejected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from toolkit.texts import visible

if TYPE_CHECKING:
    from toolkit.discovery.proposers.base import Candidate
    from toolkit.discovery.search import FinishedSearch

MOST_LINES, MOST_LETTERS = 400, 300
"""Of a program, and of one of its lines; what is longer is cut, and the page says so."""
_FONT = "font-family: monospace; font-size: 12px; line-height: 1.35"
_CELL = f"{_FONT}; white-space: pre-wrap; overflow-wrap: anywhere; text-align: left; vertical-align: top; padding: 0 6px"
_SIDES = {" ": "", "−": "background: #FBE3D3", "+": "background: #D7E9F4", "~": "background: #FFF4CC"}
_CHANGED = "background: #F0C850; color: inherit"
_TOKENS = re.compile(r"\w+|\s+|.", re.DOTALL)

Row = tuple[str, str, str]
"""How a line changed (" " not at all, "−" only left, "+" only right, "~" in part), and both sides as HTML."""


def side_by_side(left: Candidate, right: Candidate) -> str:
    """Two programs as HTML, line beside line, with what differs marked by a sign and a shade.

    Programs are untrusted: they are shown as text, whatever is in them, and never run.
    """
    rows = "".join(
        f"<tr><td style='{_CELL}; width: 12px'>{sign}</td>"
        f"<td style='{_CELL}; {_SIDES[sign] if sign != '+' else ''}'>{one}</td>"
        f"<td style='{_CELL}; {_SIDES[sign] if sign != '−' else ''}'>{other}</td></tr>"
        for sign, one, other in compare_lines(_code(left), _code(right))
    )
    heads = "".join(
        f"<th style='text-align: left; vertical-align: top; line-height: 1.35; padding: 2px 6px 8px'>{_heading(*one)}</th>"
        for one in (("A", left), ("B", right))
    )
    return (
        "<table class='toolkit-programs' style='table-layout: fixed; width: 100%; border-collapse: collapse'>"
        f"<tr><th style='width: 24px'></th>{heads}</tr>{rows}</table>"
    )


def compare_lines(left: Sequence[str], right: Sequence[str]) -> Iterator[Row]:
    """Lines of two texts beside each other."""
    for kind, i, j, k, m in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from ((" ", printable(one), printable(one)) for one in left[i:j])
            continue
        n_both = min(j - i, m - k)
        for one, other in zip(left[i : i + n_both], right[k : k + n_both], strict=True):
            yield ("~", *_compare_words(one, other))
        yield from (("−", printable(one), "") for one in left[i + n_both : j])
        yield from (("+", "", printable(other)) for other in right[k + n_both : m])


def _compare_words(left: str, right: str) -> tuple[str, str]:
    one, other = _TOKENS.findall(left), _TOKENS.findall(right)
    sides = ["", ""]
    for kind, i, j, k, m in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        for side, words in enumerate((one[i:j], other[k:m])):
            text = printable("".join(words))
            marked = kind != "equal" and text
            sides[side] += f"<mark style='{_CHANGED}'>{text}</mark>" if marked else text
    return sides[0], sides[1]


def printable(text: str) -> str:
    """A line as HTML that shows exactly what is in it: no tag of its own works, and nothing invisible stays so.

    >>> printable("<b>")
    '&lt;b&gt;'
    """
    cut = text if len(text) <= MOST_LETTERS else text[:MOST_LETTERS] + f" … {len(text) - MOST_LETTERS} more"
    return escape(visible(cut))


def _code(candidate: Candidate) -> list[str]:
    text = str(candidate.proposal.content.get("code", "")).strip("\n")
    lines = text.expandtabs(4).split("\n")
    if len(lines) > MOST_LINES:
        return [*lines[:MOST_LINES], f"… {len(lines) - MOST_LINES} more lines"]
    return lines


def _heading(letter: str, candidate: Candidate) -> str:
    content = candidate.proposal.content
    name, idea = printable(str(content.get("name", "no program"))), printable(str(content.get("idea", "")))
    score = candidate.score
    said = (
        f"BIC {score.mean:.1f}, {score.n_parameters} parameters"
        if score.mean is not None
        else f"rejected ({printable(score.reason)}): {printable(score.what)}"
    )
    told = content.get("parameters")
    parameters = "<br>".join(map(_parameter, told if isinstance(told, list) else ()))
    return (
        f"{letter}: {printable(candidate.name)} · {name}"
        f"<br><span style='font-weight: normal'>{said}<br>{idea}<br>{parameters}</span>"
    )


def _parameter(told: Any) -> str:
    """A parameter as a stranger described it, whatever that is."""
    if not isinstance(told, Mapping):
        return printable(str(told))
    prior = f", prior {told['prior']}" if told.get("prior") else ""
    said = f": {told['meaning']}" if told.get("meaning") else ""
    return printable(f"{told.get('name')} from {told.get('lower')} to {told.get('upper')}{prior}{said}")


def programs_table(search: FinishedSearch, *, most: int = 10) -> str:
    """The best programs and the baselines as HTML, by BIC of evaluation participants.

    Parameters
    ----------
    most
        Programs that are listed.
    """
    scored = search.table.dropna(subset=["mean"]).sort_values("mean", kind="stable")
    rows = scored.head(most)[["name", "program", "n_parameters", "mean", "operator", "parents"]].to_dict(
        "records"
    )
    parameters = {name: one.n_parameters for name, one in search.journal.baselines.items()}
    for name, mean in search.baselines.items():
        rows.append(
            {"name": "", "program": name.replace("_", " "), "n_parameters": parameters[name], "mean": mean}
        )
    tested = {} if search.tested.empty else search.tested.set_index("model")["test"].to_dict()
    best = float(scored["mean"].min()) if len(scored) else float("nan")
    listed = [
        {
            "": row["name"],
            "program": row["program"],
            "parameters": str(row["n_parameters"]),
            "BIC": f"{row['mean']:.1f}",
            "beyond the best": f"{row['mean'] - best:.1f}",
            **({"BIC on test": _on_test(row, tested)} if tested else {}),
            "made by": _made_by(row),
        }
        for row in sorted(rows, key=lambda row: row["mean"])
    ]
    return _html_table(listed, f"The best {min(most, len(scored))} of {len(scored)} programs, and baselines")


def _on_test(row: dict[str, Any], tested: dict[str, float]) -> str:
    """From the report on test participants, where only the winner and baselines are."""
    name = row["program"]
    found = next((tested[one] for one in (name, name.replace(" ", "_")) if one in tested), None)
    return "" if found is None else f"{found:.1f}"


def _made_by(row: dict[str, Any]) -> str:
    if not row["name"]:
        return "baseline"
    return f"{row['operator']} of {row['parents']}" if row["parents"] else str(row["operator"])


def rejected_table(search: FinishedSearch) -> str:
    """Every rejected candidate and the reason as HTML; a sentence where there is none."""
    rejected = search.table[search.table["mean"].isna()]
    if rejected.empty:
        return "<p>No program was rejected.</p>"
    columns = {"name": "", "program": "program", "reason": "reason", "what": "in a sentence"}
    listed = rejected[list(columns)].rename(columns=columns).to_dict("records")
    return _html_table(listed, f"{len(rejected)} of {len(search.table)} programs were rejected")


def _html_table(rows: list[dict[str, Any]], caption: str) -> str:
    table = pd.DataFrame(rows)
    cell = "style='text-align: left; vertical-align: top; padding: 1px 8px 1px 0'"
    head = "".join(f"<th {cell}>{escape(column)}</th>" for column in table)
    body = "".join(
        "<tr>" + "".join(f"<td {cell}>{printable(str(value))}</td>" for value in row) + "</tr>"
        for row in table.itertuples(index=False)
    )
    title = f"<caption style='text-align: left; font-weight: bold'>{escape(caption)}</caption>"
    return f"<table style='line-height: 1.3'>{title}<tr>{head}</tr>{body}</table>"

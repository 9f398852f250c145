"""Programs of strangers on a page: whatever is in them is shown, and nothing of it works."""

from __future__ import annotations

import pytest

from toolkit.discovery.proposers.base import Candidate, Proposal
from toolkit.discovery.search.scoring import Score
from toolkit.viz.code import MOST_LETTERS, MOST_LINES, compare_lines, printable, side_by_side

EVIL = "<script>alert(1)</script>"
PARAMETERS = [{"name": "rate", "lower": 0, "upper": 1, "prior": "beta(2, 2)", "meaning": "how fast"}, 5, None]


def candidate(code: str, name: str = "one", **score: object) -> Candidate:
    content = {"name": name, "idea": f"An idea {EVIL}", "code": code, "parameters": PARAMETERS}
    return Candidate("r00.i0.c0", 0, 0, Proposal(content), Score(**{"mean": 12.34, **score}))


def test_tags_in_programs_names_and_reasons_are_text() -> None:
    left = candidate(f"# {EVIL}\nreturn '</td></table>'", name=EVIL)
    right = candidate("", name="two", mean=None, reason="error", what=f"boom {EVIL}")
    page = side_by_side(left, right)
    assert "<script" not in page and page.count("</table>") == 1
    assert page.count("&lt;script&gt;") == 5
    assert "rate from 0 to 1, prior beta(2, 2): how fast<br>5<br>None" in page
    assert "rejected (error): boom" in page and "BIC 12.3" in page


def test_what_cannot_be_seen_is_written_out() -> None:
    assert printable("a\u202eb\x00\u200b") == "a\\u202eb\\x00\\u200b"
    assert printable("é π →") == "é π →"


@pytest.mark.parametrize(
    ("left", "right", "signs"),
    [("a\nb", "a\nb", "  "), ("a\nb", "a", " −"), ("a", "a\nb", " +"), ("a\nx = 1", "a\nx = 2\ny", " ~+")],
)
def test_lines_are_marked_by_how_they_differ(left: str, right: str, signs: str) -> None:
    rows = list(compare_lines(left.split("\n"), right.split("\n")))
    assert "".join(sign for sign, *_ in rows) == signs


def test_only_the_words_that_differ_are_marked() -> None:
    ((_, left, right),) = compare_lines(["rate * x"], ["rate * <y>"])
    assert left.startswith("rate * <mark") and left.count("<mark") == 1
    assert "&lt;" in right and "<y>" not in right


def test_endless_programs_are_cut_and_the_page_says_so() -> None:
    long = candidate("\n".join(["x" * 10 * MOST_LETTERS] * 10 * MOST_LINES))
    page = side_by_side(long, candidate("x"))
    assert f"{9 * MOST_LINES} more lines" in page and f"{9 * MOST_LETTERS} more" in page
    assert len(page) < 3 * MOST_LINES * MOST_LETTERS


def test_a_proposal_without_a_program_is_shown_as_none() -> None:
    nothing = Candidate(
        "r00.i0.c1", 0, 0, Proposal(fault=("contract", "no JSON")), Score(None, reason="contract")
    )
    assert "no program" in side_by_side(nothing, candidate("x"))

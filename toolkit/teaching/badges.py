"""Badges that open a lesson on Colab or Binder, made from one list and one address."""

from __future__ import annotations

from pathlib import Path

from toolkit import io
from toolkit.errors import DataError
from toolkit.teaching.hosting import Host
from toolkit.teaching.lessons import workshop_dir

BEGIN, END = "<!-- badges -->", "<!-- end of badges -->"

_BADGES = {
    "Colab": (
        "https://colab.research.google.com/assets/colab-badge.svg",
        "https://colab.research.google.com/github/{host.repository}/blob/{host.branch}/{file}",
    ),
    "Binder": (
        "https://mybinder.org/badge_logo.svg",
        "https://mybinder.org/v2/gh/{host.repository}/{host.branch}?urlpath=lab/tree/{file}",
    ),
}


def badges_of(lesson: str, host: Host) -> str:
    """Markdown of a lesson's badges."""
    return " ".join(
        f"[![Open in {service}]({image})]({link.format(host=host, file=f'{lesson}.ipynb')})"
        for service, (image, link) in _BADGES.items()
    )


def badge_table(host: Host) -> str:
    """What stands between the marks in the workshop's README."""
    lessons = [path.stem for path in sorted(workshop_dir().glob("[0-9]*.ipynb"))]
    lines = [f"| {lesson} | {badges_of(lesson, host)} |" for lesson in lessons]
    return "\n".join(["| lesson | open the student version |", "| --- | --- |", *lines])


def write_badges(host: Host) -> Path:
    """Renew the badges in the workshop's README."""
    path = workshop_dir() / "README.md"
    text = path.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise DataError(f"badges go between '{BEGIN}' and '{END}'.", where=str(path), fix="Add both, once.")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    io.write_text(path, f"{before}{BEGIN}\n{badge_table(host)}\n{END}{after}")
    return path

"""Badges that open a lesson on Colab or Binder, made from one list and one address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from toolkit import io
from toolkit.errors import DataError
from toolkit.paths import project_root
from toolkit.teaching.lessons import workshop_dir

STUDENT_BRANCH = "workshop-students"
"""Branch that holds the student versions at its root; sources with solutions are never linked to."""

BEGIN, END = "<!-- badges -->", "<!-- end of badges -->"
_NO_REPOSITORY = (
    "No badges yet: `[project.urls]` of `pyproject.toml` names no GitHub repository as `Repository`."
)

_BADGES = {
    "Colab": (
        "https://colab.research.google.com/assets/colab-badge.svg",
        "https://colab.research.google.com/github/{repository}/blob/{branch}/{file}",
    ),
    "Binder": (
        "https://mybinder.org/badge_logo.svg",
        "https://mybinder.org/v2/gh/{repository}/{branch}?urlpath=lab/tree/{file}",
    ),
}


def find_repository(project: Path | None = None) -> str | None:
    """OWNER/NAME of the GitHub repository that pyproject.toml names, or None."""
    path = (project or project_root()) / "pyproject.toml"
    if not path.is_file():
        return None
    urls = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {}).get("urls", {})
    address = urls.get("Repository", "")
    found = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?", address)
    if address and found is None:
        raise DataError(
            f"the repository '{address}' is not one of GitHub.",
            where=f"{path}, project.urls.Repository",
            fix="Write https://github.com/OWNER/NAME.",
        )
    return found[1] if found else None


def badges_of(lesson: str, project: Path | None = None) -> str:
    """Markdown of a lesson's badges; "" where no repository is named."""
    repository = find_repository(project)
    if repository is None:
        return ""
    place = {"repository": repository, "branch": STUDENT_BRANCH, "file": f"{lesson}.ipynb"}
    return " ".join(
        f"[![Open in {service}]({image})]({link.format(**place)})"
        for service, (image, link) in _BADGES.items()
    )


def badge_table(project: Path | None = None) -> str:
    """What stands between the marks in the workshop's README."""
    folder = (project / "notebooks" / "workshop") if project else workshop_dir()
    rows = {path.stem: badges_of(path.stem, project) for path in sorted(folder.glob("[0-9]*.ipynb"))}
    if not all(rows.values()):
        return _NO_REPOSITORY
    lines = [f"| {lesson} | {badges} |" for lesson, badges in rows.items()]
    return "\n".join(["| lesson | open the student version |", "| --- | --- |", *lines])


def write_badges(project: Path | None = None) -> Path:
    """Renew the badges in the workshop's README."""
    path = ((project / "notebooks" / "workshop") if project else workshop_dir()) / "README.md"
    text = path.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise DataError(f"badges go between '{BEGIN}' and '{END}'.", where=str(path), fix="Add both, once.")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    io.write_text(path, f"{before}{BEGIN}\n{badge_table(project)}\n{END}{after}")
    return path

"""Who hosts a course: the GitHub repository, its branch for students, and what Colab and Binder install from it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

from toolkit.errors import DataError, UsageError
from toolkit.paths import project_root
from toolkit.pipeline.provenance import describe_git, find_remote, is_pushed

STUDENT_BRANCH = "workshop-students"
"""Branch that holds the student versions at its root; sources with solutions are never linked to."""

LESSONS_NEED = (
    "nbformat",
    "numba",
    "numpy",
    "pandas",
    "plotly",
    "psutil",
    "pydantic",
    "scipy",
    "threadpoolctl",
    "torch",
    "tqdm",
)
"""Dependencies that the lessons use. All of the toolkit's would replace the kernel and the Jupyter that Colab and Binder
themselves run on, which may not start again after that."""

_GITHUB = re.compile(
    r"(?:https://(?:[^@/\s]+@)?github\.com/|git@github\.com:|ssh://git@github\.com/)?"
    r"(?P<repository>[A-Za-z0-9-]+/[\w.-]+?)(?:\.git)?/?"
)
_CPU_TORCH = "https://download.pytorch.org/whl/cpu"
_BINDER_PYTHON = "python-3.11\n"
_SET_UP = """\
# Colab lacks the toolkit, so this installs it there; where it is installed nothing happens.
import importlib.util

if importlib.util.find_spec("toolkit") is None:
    %pip install -q {needs}
    %pip install -q --no-deps "{toolkit}"
"""
_POST_BUILD = """\
#!/bin/sh
# The lessons need none of the toolkit's other dependencies; requirements.txt has those that they do.
python -m pip install --no-cache-dir --no-deps "{toolkit}"
"""


@dataclass(frozen=True)
class Host:
    """Where a course is on GitHub.

    Attributes
    ----------
    repository
        OWNER/NAME.
    branch
        Branch with the student versions at its root.
    commit
        Of the toolkit that is installed; "" for the newest of the default branch.
    """

    repository: str
    branch: str = STUDENT_BRANCH
    commit: str = ""

    @property
    def warnings(self) -> list[str]:
        """What keeps the links from working as the checkout does."""
        found = []
        if self.commit and not is_pushed():
            found.append(
                f"Commit {self.commit[:9]}, which Colab and Binder install, is on no remote branch yet: push it."
            )
        if describe_git().get("dirty"):
            found.append(
                "Colab and Binder install what is committed; this checkout has changes that are not."
            )
        return found

    @property
    def toolkit(self) -> str:
        """What pip installs the toolkit from."""
        return f"git+https://github.com/{self.repository}" + (f"@{self.commit}" if self.commit else "")


def find_host(repository: str | None = None, branch: str = STUDENT_BRANCH) -> Host | None:
    """The host that is named, or the one that the project belongs to; None where neither is known.

    Parameters
    ----------
    repository
        OWNER/NAME or an address on GitHub. Otherwise it is the one that pyproject.toml names as
        ``[project.urls] Repository``, otherwise the checkout's ``origin`` if that is on GitHub.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][\w.-]*", branch):
        raise UsageError(
            f"'{branch}' cannot be the branch of the student versions.",
            where="--branch",
            fix="Links to Colab and Binder take letters, digits, '-', '_' and '.', for instance "
            f"{STUDENT_BRANCH}.",
        )
    found = _named(repository) if repository is not None else _of_project() or _of_origin()
    return Host(found, branch, describe_git().get("commit", "")) if found else None


def set_up_source(host: Host) -> str:
    """Source of the cell that installs the toolkit where it is absent, which is what Colab needs."""
    needs = " ".join(f'"{need}"' for need in _needs())
    return _SET_UP.format(needs=needs, toolkit=host.toolkit).rstrip()


def binder_files(host: Host) -> dict[str, str]:
    """Files by which Binder makes a machine for the student versions, by their path beside these."""
    pinned = project_root() / "constraints.txt"
    lines = [f"--extra-index-url {_CPU_TORCH}", *_needs()]
    files = {
        ".binder/runtime.txt": _BINDER_PYTHON,
        ".binder/postBuild": _POST_BUILD.format(toolkit=host.toolkit),
    }
    if pinned.is_file():
        lines.insert(1, "-c constraints.txt")
        files[".binder/constraints.txt"] = pinned.read_text(encoding="utf-8")
    return files | {".binder/requirements.txt": "\n".join(lines) + "\n"}


def _named(repository: str) -> str:
    found = _GITHUB.fullmatch(repository)
    if found is None:
        raise UsageError(
            f"'{repository}' is not a repository on GitHub.",
            where="--repository",
            fix="Write OWNER/NAME, or its address https://github.com/OWNER/NAME.",
        )
    return found["repository"]


def _of_project() -> str | None:
    address = _project().get("urls", {}).get("Repository", "")
    if not address:
        return None
    found = _GITHUB.fullmatch(address)
    if found is None or not address.startswith("https://"):
        raise DataError(
            f"the repository '{address}' is not one of GitHub.",
            where=f"{project_root() / 'pyproject.toml'}, project.urls.Repository",
            fix="Write https://github.com/OWNER/NAME.",
        )
    return found["repository"]


def _of_origin() -> str | None:
    address = find_remote("origin")
    found = _GITHUB.fullmatch(address) if "github.com" in address else None
    return found["repository"] if found else None


def _project() -> dict[str, Any]:
    path = project_root() / "pyproject.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")).get("project", {}) if path.is_file() else {}


def _needs() -> list[str]:
    """What the lessons need, with the versions that the project allows."""
    ranges = {re.split(r"[<>=!~\[; ]", entry)[0]: entry for entry in _project().get("dependencies", ())}
    return [ranges.get(name, name) for name in LESSONS_NEED]

"""The rules of the house that a tool can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import toolkit

FORBIDDEN = {
    r"\bimport pickle\b|\bfrom pickle\b|\bjoblib\.load\b": "pickle executes what it reads",
    r"(?<![\w.])eval\(": "eval",
    r"\byaml\.(load|full_load|unsafe_load)\(": "yaml.safe_load only",
    r"allow_pickle=True": "arrays are read without pickle",
    r"\btorch\.load\(": "checkpoints are safetensors",
    r"/home/|/Users/|/root/|/tmp/": "absolute path",
}

ENGINES = {
    "anthropic": {"llm"},
    "httpx": {"llm"},
    "transformers": {"llm"},
    "openml": {"data", "benchmark"},
    "xgboost": {"benchmark"},
    "pooch": {"data"},
    "papermill": {"pipeline"},
    "nbconvert": {"pipeline"},
    "snakemake": {"pipeline"},
    "ipywidgets": {"widgets"},
}
"""Folders that may import a tool; everywhere else it must be possible to do without it."""


def sources(checkout: Path) -> list[Path]:
    return [path for path in (checkout / "toolkit").rglob("*.py") if "tests" not in path.parts]


def run(checkout: Path, *command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", [("check",), ("format", "--check")])
def test_ruff(checkout: Path, command: tuple[str, ...]) -> None:
    run(checkout, "ruff", *command, "toolkit", "notebooks")


def test_imports_go_downwards_only(checkout: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=checkout, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_engines_stay_in_their_rooms(checkout: Path) -> None:
    found = []
    for path in sources(checkout):
        room = path.relative_to(checkout / "toolkit").parts[0]
        found += [
            f"{path.name} imports {name}" for name in imported(path) if room not in ENGINES.get(name, {room})
        ]
    assert not found


def imported(path: Path) -> set[str]:
    """Top-level names of all packages a module imports, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_nothing_forbidden_in_the_sources(checkout: Path, pattern: str) -> None:
    found = [
        f"{path.relative_to(checkout)}:{number}: {line.strip()}"
        for path in sources(checkout)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert not found, f"{FORBIDDEN[pattern]}: {found}"


def test_no_module_outgrows_its_idea(checkout: Path) -> None:
    lengths = {
        str(path.relative_to(checkout)): len(path.read_text().splitlines()) for path in sources(checkout)
    }
    assert not {path: length for path, length in lengths.items() if length > 400}


def test_importing_the_toolkit_is_quick_and_leaves_torch_alone() -> None:
    script = (
        "import time; started = time.perf_counter(); import toolkit; "
        "import sys; assert 'torch' not in sys.modules; print(time.perf_counter() - started)"
    )
    seconds = [float(subprocess.check_output([sys.executable, "-c", script])) for _ in range(3)]
    assert min(seconds) < 1
    script = "import sys, toolkit; toolkit.Trials, toolkit.start_section; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_every_public_name_resolves() -> None:
    for name in toolkit.__all__:
        assert getattr(toolkit, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = toolkit.nothing


def test_one_version_everywhere(checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((checkout / "CITATION.cff").read_text())
    assert toolkit.__version__ == project["version"] == citation["version"]


def test_constraints_pin_every_dependency(checkout: Path) -> None:
    pinned = {
        line.partition("==")[0]
        for line in (checkout / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    assert declared(checkout) - {"xgboost"} <= pinned
    assert "torch==2.13.0" in (checkout / "constraints.txt").read_text().splitlines()


def test_the_conda_environment_has_every_dependency_with_a_comment(checkout: Path) -> None:
    text = (checkout / "environment.yml").read_text()
    listed = {
        re.split(r"[<>=]", entry)[0].replace("_", "-")
        for entry in yaml.safe_load(text)["dependencies"]
        if isinstance(entry, str)
    }
    other_names = {"pytorch-gpu": "torch", "snakemake-minimal": "snakemake", "python-kaleido": "kaleido"}
    listed = {other_names.get(name, name) for name in listed}
    needed = declared(checkout) - declared(checkout, "dev") - {"xgboost-cpu"}
    assert needed <= listed
    uncommented = [
        line for line in text.splitlines() if re.match(r"  - [a-z_-]+>=", line) and "#" not in line
    ]
    assert uncommented == ["  - python>=3.11,<3.14"]


def declared(checkout: Path, extra: str | None = None) -> set[str]:
    """Names of the dependencies, of one extra or of everything."""
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    entries = (
        extras[extra]
        if extra
        else [*project["dependencies"], *(e for group in extras.values() for e in group)]
    )
    return {re.split(r"[<>=; ]", entry)[0] for entry in entries}


def test_notebooks_are_stripped(checkout: Path) -> None:
    notebooks = sorted((checkout / "notebooks").rglob("*.ipynb"))
    extra = "metadata.papermill cell.metadata.papermill"
    for notebook in notebooks:
        if ".ipynb_checkpoints" not in notebook.parts:
            run(checkout, "nbstripout", "--verify", "--keep-id", "--extra-keys", extra, str(notebook))


def test_hooks_strip_and_lint(checkout: Path) -> None:
    hooks = yaml.safe_load((checkout / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert {"ruff-check", "ruff-format", "nbstripout"} <= {hook["id"] for hook in hooks}
    for hook in hooks:
        program = checkout / hook["entry"].split()[0]
        assert hook["language"] == "system"
        assert Path(sys.executable).with_name(program.name).exists(), f"{program.name} is not installed"

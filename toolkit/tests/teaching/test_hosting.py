"""A course on GitHub: every link of its badges leads to what is there, and what is there brings the toolkit."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from IPython.core.inputtransformer2 import TransformerManager
from packaging.requirements import Requirement

from toolkit.cli import main
from toolkit.errors import DataError, UsageError
from toolkit.teaching import build, find_lessons
from toolkit.teaching.badges import BEGIN, END, badge_table, write_badges
from toolkit.teaching.hosting import LESSONS_NEED, Host, binder_files, find_host, set_up_source

COLAB = re.compile(
    r"https://colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)/blob/([\w.-]+)/([^)\"\s]+)"
)
BINDER = re.compile(r"https://mybinder\.org/v2/gh/([\w.-]+/[\w.-]+)/([\w.-]+)\?urlpath=lab/tree/([^)\"\s]+)")
HERE_ALREADY = {"ipykernel", "ipywidgets", "jupyter-client"}
"""Dependencies that Colab and Binder run on, in versions of their own."""


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout.strip()


@pytest.fixture
def project(home: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own, as far as a course needs it, in git; its settings are nobody's."""
    for name, value in {"GLOBAL": str(home / "no"), "SYSTEM": str(home / "no")}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Lab")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "lab@example.org")
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(checkout / name, home / name)
    shutil.copytree(checkout / "notebooks" / "workshop", home / "notebooks" / "workshop")
    git(home, "init", "--quiet", "--initial-branch", "main")
    git(home, "add", "--all")
    git(home, "commit", "--quiet", "--message", "All")
    return home


@pytest.fixture
def github(project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What git takes for https://github.com/lab/course."""
    bare = tmp_path_factory.mktemp("github")
    git(bare, "init", "--quiet", "--bare", "--initial-branch", "main")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{bare.as_uri()}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/lab/course")
    return bare


def follow_the_guide(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Type what the instructor's guide says about publishing a course, word by word."""
    guide = (project / "notebooks" / "workshop" / "README.md").read_text()
    (block,) = [code for code in re.findall(r"```bash\n(.*?)```", guide, re.S) if "git push" in code]
    monkeypatch.chdir(project)
    for line in block.replace("OWNER/NAME", "lab/course").strip().splitlines():
        command, *arguments = shlex.split(line)
        if command == "git":
            git(project, *arguments)
        else:
            result = CliRunner().invoke(main, arguments)
            assert command == "toolkit" and result.exit_code == 0, result.output
            assert result.stderr in (
                "",
                "Badges lead to the branch workshop-students of github.com/lab/course.\n",
            )


def test_all_that_a_badge_relies_on_is_on_github_after_the_guides_commands(
    project: Path, github: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(project, "remote", "add", "origin", "https://github.com/lab/course")
    follow_the_guide(project, monkeypatch)
    files = git(github, "ls-tree", "-r", "--name-only", "workshop-students").splitlines()
    lessons = [name for name in files if name.endswith(".ipynb")]
    assert [f"{lesson.name}.ipynb" for lesson in find_lessons()] == lessons
    texts = [git(github, "show", f"workshop-students:{name}") for name in lessons]
    texts.append(git(github, "show", "main:notebooks/workshop/README.md"))
    for links in (COLAB, BINDER):
        found = [link for text in texts for link in links.findall(text)]
        assert len(found) == 2 * len(lessons)
        for repository, branch, file in found:
            assert repository == "lab/course"
            git(github, "cat-file", "-e", f"{branch}:{file}")
            assert "Common mistake: " not in git(github, "show", f"{branch}:{file}")
    installed = re.findall(r"git\+https://github\.com/lab/course@(\w{40})", "".join(texts))
    installed += re.findall(r"@(\w{40})", git(github, "show", "workshop-students:.binder/postBuild"))
    assert len(installed) == len(lessons) + 1 and set(installed) == {git(github, "rev-parse", "main")}
    git(github, "cat-file", "-e", f"{installed[0]}:pyproject.toml")
    assert {f".binder/{name}" for name in ("runtime.txt", "requirements.txt", "constraints.txt")} < {*files}


def test_binder_gets_versions_that_work_together(project: Path) -> None:
    files = binder_files(Host("lab/course"))
    options = [line for line in files[".binder/requirements.txt"].splitlines() if line.startswith("-")]
    needs = [line for line in files[".binder/requirements.txt"].splitlines() if not line.startswith("-")]
    assert options == ["--extra-index-url https://download.pytorch.org/whl/cpu", "-c constraints.txt"]
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", files[".binder/constraints.txt"], re.M))
    for need in map(Requirement, needs):
        assert need.specifier and need.specifier.contains(pins[need.name])
    declared = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    assert set(needs) <= set(declared["dependencies"]) and len(needs) == len(LESSONS_NEED)
    (version,) = re.findall(r"^python-(3\.\d+)$", files[".binder/runtime.txt"])
    assert Requirement(f"python{declared['requires-python']}").specifier.contains(version)
    subprocess.run(["sh", "-n"], input=files[".binder/postBuild"], text=True, check=True)


def test_the_set_up_cell_installs_where_the_toolkit_is_missing_and_does_nothing_here(project: Path) -> None:
    source = set_up_source(Host("lab/course", commit="abc"))
    code = TransformerManager().transform_cell(source)
    exec(code, {})  # Outside of IPython a %pip that is reached would be a NameError.
    (guarded,) = [node for node in ast.parse(code).body if isinstance(node, ast.If)]
    assert ast.unparse(guarded.test) == "importlib.util.find_spec('toolkit') is None"
    needed, own = [line.strip() for line in source.splitlines() if line.strip().startswith("%pip")]
    assert all(f'"{name}>=' in needed for name in LESSONS_NEED)
    assert own == '%pip install -q --no-deps "git+https://github.com/lab/course@abc"'


def test_lessons_import_nothing_else(checkout: Path) -> None:
    declared = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]["dependencies"]
    absent = {Requirement(entry).name for entry in declared} - {*LESSONS_NEED, *HERE_ALREADY}
    owners = importlib.metadata.packages_distributions()
    hidden = [module for module, names in owners.items() if absent & {name.lower() for name in names}]
    lessons = sorted((checkout / "notebooks" / "workshop").glob("[0-9]*.ipynb"))
    cells = [
        next(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code")
        for path in lessons
    ]
    script = (
        "import json, sys\nhidden, cells = json.load(sys.stdin)\n"
        "sys.modules.update(dict.fromkeys(hidden))\nfor cell in cells:\n    exec(cell, {})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps([hidden, cells]), capture_output=True, text=True
    )
    assert {"click", "yaml", "sklearn"} <= set(hidden)
    assert done.returncode == 0, done.stderr


# -- which repository --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/lab/course",
        "https://github.com/lab/course.git",
        "https://someone:secret@github.com/lab/course.git",
        "git@github.com:lab/course.git",
        "ssh://git@github.com/lab/course",
    ],
)
def test_a_fork_hosts_its_own_course(project: Path, address: str) -> None:
    git(project, "remote", "add", "origin", address)
    assert find_host() == Host("lab/course", "workshop-students", git(project, "rev-parse", "HEAD"))


def test_who_is_named_comes_before_the_project_and_this_before_the_remote(project: Path) -> None:
    assert find_host() is None
    git(project, "remote", "add", "origin", "https://gitlab.com/remote/course")
    assert find_host() is None
    git(project, "remote", "set-url", "origin", "https://github.com/remote/course")
    with (project / "pyproject.toml").open("a") as file:
        file.write('\n[project.urls]\nRepository = "https://github.com/project/course"\n')
    assert find_host().repository == "project/course"
    named = find_host("https://github.com/named/course", "spring")
    assert (named.repository, named.branch) == ("named/course", "spring")


def test_an_address_or_a_branch_that_links_cannot_have_is_named(project: Path) -> None:
    for repository in ("course", "https://gitlab.com/lab/course", "lab/course/tree/main", ""):
        with pytest.raises(UsageError, match=r"--repository: .*OWNER/NAME"):
            find_host(repository)
    for branch in ("workshop/students", "", "a b"):
        with pytest.raises(UsageError, match=r"--branch: .*workshop-students"):
            find_host("lab/course", branch)
    with (project / "pyproject.toml").open("a") as file:
        file.write('\n[project.urls]\nRepository = "https://example.org/x"\n')
    with pytest.raises(DataError, match=r"example\.org.*OWNER/NAME"):
        find_host()


def test_what_keeps_links_from_working_is_said(project: Path, github: Path) -> None:
    host = find_host("lab/course")
    (unpushed,) = host.warnings
    assert unpushed.startswith(f"Commit {host.commit[:9]}") and "push it" in unpushed
    git(project, "remote", "add", "origin", "https://github.com/lab/course")
    git(project, "push", "--quiet", "origin", "main")
    assert not host.warnings
    (project / "constraints.txt").write_text("numpy==1.0\n")
    assert any("changes that are not" in warning for warning in host.warnings)


def test_without_a_host_nothing_is_promised(project: Path, tmp_path: Path) -> None:
    built = build(find_lessons(), tmp_path / "course")
    assert {path.suffix for path in built} == {".ipynb"}
    assert "mybinder" not in built[0].read_text() and "%pip" not in built[0].read_text()
    result = CliRunner().invoke(main, ["workshop", "badges"])
    assert result.exit_code == 2 and "--repository OWNER/NAME" in result.output


def test_badges_in_the_guide_are_renewed_in_their_place(project: Path) -> None:
    guide = project / "notebooks" / "workshop" / "README.md"
    guide.write_text(f"# W\n{BEGIN}\nold\n{END}\nrest\n")
    text = write_badges(Host("lab/course")).read_text()
    assert text.startswith(f"# W\n{BEGIN}\n| lesson") and text.endswith(f"{END}\nrest\n")
    assert "old" not in text and write_badges(Host("lab/course")).read_text() == text
    guide.write_text("# W\n")
    with pytest.raises(DataError, match="Add both, once"):
        write_badges(Host("lab/course"))


def test_the_guide_shows_badges_of_one_host_for_all_lessons_or_none(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever repository a fork wrote into its guide; no remote of this machine matters."""
    monkeypatch.setenv("TOOLKIT_HOME", str(checkout))
    text = (checkout / "notebooks" / "workshop" / "README.md").read_text()
    shown = text.split(f"{BEGIN}\n")[1].split(f"\n{END}")[0]
    links = COLAB.findall(shown)
    assert shown == badge_table(Host(*links[0][:2])) if links else "http" not in shown

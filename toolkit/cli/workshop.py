"""`toolkit workshop`: student versions of the exercises, and the proof that they work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.errors import SectionError, UsageError

if TYPE_CHECKING:
    from toolkit.teaching.checking import Checked, Tried
    from toolkit.teaching.hosting import Host

_ONLY = click.option("--only", multiple=True, metavar="LESSON", help="A lesson, such as 1 or its whole name.")
_REPOSITORY = click.option(
    "--repository",
    metavar="OWNER/NAME",
    help="On GitHub, where the course is published; otherwise the one in pyproject.toml, otherwise origin.",
)
_BRANCH = click.option("--branch", help="Branch of the student versions; workshop-students without it.")


@click.group()
def workshop() -> None:
    """A half-day course in five lessons: make student versions, check the exercises.

    Example: toolkit workshop build --out course
    """


@workshop.command()
@_ONLY
@click.option("--out", type=click.Path(path_type=Path), help="Folder; papermill_runs/workshop without it.")
@click.option("--fresh", is_flag=True, help="Replace notebooks that are there and may have been worked in.")
@_REPOSITORY
@_BRANCH
def build(
    only: tuple[str, ...], out: Path | None, fresh: bool, repository: str | None, branch: str | None
) -> None:
    """Write the student versions: stubs instead of solutions, self-checks kept, outputs stripped.

    Where a repository on GitHub is known, they have badges and a cell that installs the toolkit on Colab,
    and the folder has what Binder needs; it is then what goes on the branch of the student versions.

    Example: toolkit workshop build --out course --repository lab/course
    """
    from toolkit.teaching import build as build_lessons
    from toolkit.teaching import find_lessons

    host = _host(repository, branch)
    for path in build_lessons(find_lessons(only), out, host=host, fresh=fresh):
        click.echo(path)
    if host:
        click.echo(f"Badges lead to the branch {host.branch} of github.com/{host.repository}.", err=True)
        for warning in host.warnings:
            click.echo(warning, err=True)


@workshop.command()
@_ONLY
def check(only: tuple[str, ...]) -> None:
    """Prove that every exercise works: the self-check fails on the stub and on common mistakes, and passes
    with the solution.

    Example: toolkit workshop check --only 1
    """
    from toolkit.teaching import check_lesson, find_lessons

    lessons = find_lessons(only)
    click.echo(f"{'lesson':26} {'exercise':>8}  {'stub':9} {'mistakes':11} {'solution':9} {'seconds':>7}")
    done = []
    for lesson in lessons:
        checked = check_lesson(lesson, _tell)
        _tell_whole(checked)
        done.append(checked)
    total = sum(one.processor_seconds for one in done)
    click.echo(
        f"{len(done)} of {len(lessons)} lessons, {total:.0f} processor seconds, "
        f"at most {max(one.peak_memory_mb for one in done):.0f} MB at once."
    )
    if broken := [one.lesson for one in done if not one.works]:
        raise SectionError(
            f"{len(broken)} of {len(done)} lessons do not work: {', '.join(broken)}.", where="workshop"
        )


@workshop.command()
@_REPOSITORY
@_BRANCH
def badges(repository: str | None, branch: str | None) -> None:
    """Renew the Colab and Binder badges in the instructor's guide.

    Example: toolkit workshop badges --repository lab/course
    """
    from toolkit.teaching.badges import write_badges

    host = _host(repository, branch)
    if host is None:
        raise UsageError(
            "neither pyproject.toml nor the checkout's origin names a repository on GitHub.",
            where="workshop badges",
            fix="Name one: --repository OWNER/NAME.",
        )
    click.echo(write_badges(host))


def _host(repository: str | None, branch: str | None) -> Host | None:
    from toolkit.teaching.hosting import STUDENT_BRANCH, find_host

    return find_host(repository, STUDENT_BRANCH if branch is None else branch)


def _tell(tried: Tried) -> None:
    state = "passes" if not tried.problems else "see below"
    click.echo(
        f"{tried.lesson:26} {tried.exercise:8}  {'fails' if tried.hint else '?':9} "
        f"{f'{tried.n_caught} of {tried.n_mistakes}':11} {state:9} {tried.seconds:7.1f}"
    )
    for problem in tried.problems:
        click.echo(f"    {problem}")


def _tell_whole(checked: Checked) -> None:
    for problem in checked.problems:
        click.echo(f"    {checked.lesson}: {problem}.")
    click.echo(
        f"{checked.lesson:26} {'works' if checked.works else 'FAILS':>8}  {checked.seconds:.0f} s, "
        f"{checked.processor_seconds:.0f} processor seconds, {checked.peak_memory_mb:.0f} MB"
    )

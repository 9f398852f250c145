"""`toolkit workshop`: student versions of the exercises, and the proof that they work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.errors import SectionError

if TYPE_CHECKING:
    from toolkit.teaching.checking import Checked, Tried

_ONLY = click.option("--only", multiple=True, metavar="LESSON", help="A lesson, such as 1 or its whole name.")


@click.group()
def workshop() -> None:
    """A half-day course in five lessons: make student versions, check the exercises.

    Example: toolkit workshop build --out course
    """


@workshop.command()
@_ONLY
@click.option("--out", type=click.Path(path_type=Path), help="Folder; papermill_runs/workshop without it.")
@click.option("--fresh", is_flag=True, help="Replace notebooks that are there and may have been worked in.")
def build(only: tuple[str, ...], out: Path | None, fresh: bool) -> None:
    """Write the student versions: stubs instead of solutions, self-checks kept, outputs stripped.

    Example: toolkit workshop build --out course
    """
    from toolkit.teaching import build as build_lessons
    from toolkit.teaching import find_lessons

    for path in build_lessons(find_lessons(only), out, fresh=fresh):
        click.echo(path)


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
def badges() -> None:
    """Renew the Colab and Binder badges in the instructor's guide from the address in pyproject.toml.

    Example: toolkit workshop badges
    """
    from toolkit.teaching.badges import write_badges

    click.echo(write_badges())


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

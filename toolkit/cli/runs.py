"""`toolkit run`, `toolkit run-section` and `toolkit status`."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.errors import InterruptedRunError, SectionError, UsageError

if TYPE_CHECKING:
    from toolkit.pipeline.driver import Result
    from toolkit.pipeline.planning import Step
    from toolkit.pipeline.runs import Run
    from toolkit.pipeline.workflow import Engine

PROFILE_CHOICES = ("smoke", "workshop", "paper")


@click.command()
@click.option("--profile", type=click.Choice(PROFILE_CHOICES), default="workshop", show_default=True)
@click.option("--only", multiple=True, metavar="SECTION", help="A section, such as 03, with what it needs.")
@click.option(
    "-p", "--set", "settings", multiple=True, metavar="[SECTION.]NAME=VALUE", help="Set a parameter."
)
@click.option("--jobs", type=click.IntRange(min=1), help="How many sections at once.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--fresh", is_flag=True, help="Begin a new run instead of continuing the last one.")
@click.option("--gpus", type=click.IntRange(min=0), help="GPUs to use; all of this machine by default.")
@click.option(
    "--executor", default="local", show_default=True, help="local, or slurm: a folder in notebooks/profiles."
)
@click.option("--slurm-partition", metavar="NAME", help="Partition to submit to.")
@click.option("--slurm-account", metavar="NAME", help="Account to submit with.")
@click.option("--pipeline", type=click.Path(path_type=Path), help="Another pipeline file.")
def run(
    profile: str,
    only: tuple[str, ...],
    settings: tuple[str, ...],
    jobs: int | None,
    dry_run: bool,
    fresh: bool,
    gpus: int | None,
    executor: str,
    slurm_partition: str | None,
    slurm_account: str | None,
    pipeline: Path | None,
) -> None:
    """Run the notebooks in order; what has succeeded and is still fresh is not repeated.

    Stop it with Ctrl-C at any time: the same command continues.

    Example: toolkit run --profile workshop --only 00 --set problem=3
    """
    from toolkit.paths import notebooks_dir
    from toolkit.pipeline import driver, planning, workflow
    from toolkit.pipeline.parameters import parse_settings
    from toolkit.pipeline.plan import PIPELINE_NAME, load_pipeline
    from toolkit.pipeline.runs import open_run

    plan = load_pipeline(pipeline or notebooks_dir() / PIPELINE_NAME)
    wanted = [plan.find(name) for name in only] or plan.names
    overrides = parse_settings(list(settings), plan, plan.with_needs(wanted))
    asked = open_run(plan.path, profile, overrides, fresh=fresh)
    engine = _engine(executor, jobs, gpus, slurm_partition, slurm_account)
    workflow.check_executor(engine)
    steps = planning.make_plan(asked, plan, wanted)
    if executor == "local":
        planning.check_gpus(steps, asked, engine.gpus)
    if dry_run:
        _tell_plan(asked, steps, engine)
        click.echo("Nothing was run (--dry-run).")
        return
    with driver.opened(asked) as interrupted:
        for name in interrupted:
            click.echo(f"{name}: an earlier attempt was killed; it is made again.")
        steps = planning.make_plan(asked, plan, wanted)
        _tell_plan(asked, steps, engine)
        if all(step.fresh for step in steps):
            return
        results = driver.run_sections(asked, steps, engine, click.echo)
    _tell_results(asked, results)
    if (error := driver.error_of(asked, results)) is not None:
        raise error


@click.command()
@click.argument("section")
@click.option("--run", "run_id", required=True, metavar="RUN", help="Name of the run's folder.")
def run_section(section: str, run_id: str) -> None:
    """Run one section of a run that `toolkit run` has begun; it does so itself, one rule a section.

    Example: toolkit run-section 00_start_here --run 20261121-141503-0a1b2c3d
    """
    from toolkit.pipeline.runlog import LOG_NAME
    from toolkit.pipeline.runs import read_run
    from toolkit.pipeline.section import run_section as execute_section

    asked = read_run(run_id)
    manifest = execute_section(asked, section)
    if manifest.status == "succeeded":
        click.echo(f"{section}: succeeded in {manifest.seconds:.1f} s")
        return
    kind = SectionError if manifest.status == "failed" else InterruptedRunError
    log = asked.section_folder(section) / LOG_NAME
    fix = manifest.advice + (f" Its log: {log}" if log.is_file() else "")
    raise kind(manifest.reason, where=f"section {section} {manifest.status}", fix=fix)


@click.command()
@click.argument("run_id", required=False)
@click.option("--follow", is_flag=True, help="Show the log and refresh until the run has ended.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--all", "everything", is_flag=True, help="Show every run, not only the newest five.")
def status(run_id: str | None, follow: bool, as_json: bool, everything: bool) -> None:
    """Show runs and their sections: how they ended, and where the running ones are.

    Example: toolkit status --follow
    """
    from toolkit.pipeline.runs import list_runs, read_run
    from toolkit.pipeline.status import read_status, status_lines

    runs = [read_run(run_id)] if run_id else list_runs()
    if follow:
        _follow(runs)
        return
    shown = runs if everything or as_json else runs[:5]
    statuses = [read_status(run) for run in shown]
    if as_json:
        click.echo(json.dumps([status.as_json() for status in statuses], ensure_ascii=False, indent=1))
        return
    if not statuses:
        click.echo("No runs yet. Begin with: toolkit run")
    for state in statuses:
        click.echo("\n".join(status_lines(state)))


def _follow(runs: list[Run]) -> None:
    from toolkit.pipeline.status import LogTail, read_status, status_lines

    if not runs:
        raise UsageError("there are no runs.", fix="Begin with: toolkit run")
    followed = next((run for run in runs if read_status(run).running), runs[0])
    tail, said, said_at = LogTail(followed), "", 0.0
    while True:
        state = read_status(followed)
        for line in tail.new_lines():
            click.echo(line)
        text = "\n".join(status_lines(state))
        # On a terminal the position is repeated every few seconds, in a file only when it changes much.
        if not state.running or (time.time() - said_at > (2 if sys.stdout.isatty() else 5) and text != said):
            click.echo(text)
            said, said_at = text, time.time()
        if not state.running:
            return
        time.sleep(0.5)


def _engine(
    executor: str, jobs: int | None, gpus: int | None, partition: str | None, account: str | None
) -> Engine:
    import psutil

    from toolkit.pipeline.provenance import list_gpus
    from toolkit.pipeline.workflow import Engine

    if executor != "local":
        return Engine(executor, jobs, partition=partition, account=account)
    return Engine(
        jobs=jobs or min(2, psutil.cpu_count() or 1),
        gpus=len(list_gpus()) if gpus is None else gpus,
        mem_mb=psutil.virtual_memory().total // 2**20,
    )


def _tell_plan(asked: Run, steps: list[Step], engine: Engine) -> None:
    from toolkit.pipeline.driver import format_seconds

    click.echo(f"Run {asked.run_id}, profile {asked.profile}, executor {engine.executor}")
    for step in steps:
        needs = step.section.resources
        asks = f"{needs.gpu} GPU, {needs.mem_mb} MB"
        took = f"last time {format_seconds(step.last_seconds)}" if step.last_seconds else "not timed yet"
        state = "fresh" if step.fresh else "to run"
        why = "" if step.fresh else f"  ({step.why})"
        click.echo(f"  {step.section.name:24} {state:7} {took:22} {asks}{why}")
    if all(step.fresh for step in steps):
        click.echo(f"Everything is fresh; nothing to do. Results: {asked.folder}")


def _tell_results(asked: Run, results: list[Result]) -> None:
    from toolkit.pipeline.driver import format_seconds

    click.echo("")
    for result in results:
        took = format_seconds(result.seconds) if result.seconds is not None else ""
        reason = f"  ({result.reason})" if result.ending in ("fresh", "not run") and result.reason else ""
        click.echo(f"  {result.section:24} {result.ending:12} {took}{reason}".rstrip())
    click.echo(f"Results: {asked.folder}")
    if any(result.ending in ("succeeded", "fresh") for result in results):
        # Whoever used `make run` in a new clone has no `toolkit` in the path.
        command = "toolkit report --open" if shutil.which("toolkit") else "make report"
        click.echo(f"Look at them: {command}")

"""`toolkit write-tasks`: category-learning problems from a language model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.cli.asking import asking_options, client_from, confirm_sending, in_usd
from toolkit.errors import Fault, InterruptedRunError, UsageError

if TYPE_CHECKING:
    from toolkit.llm import Client, Estimate, Request
    from toolkit.tasks.writing.harvest import Harvest
    from toolkit.tasks.writing.stages import Folder, Settings

SECONDS_FOR_A_REPLY = 600.0
"""Long lists take minutes to write."""


@click.command("write-tasks")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for everything written.")
@click.option(
    "--mode",
    type=click.Choice(["points", "distributions"]),
    default="points",
    show_default=True,
    help="Labels, then points for each; or means, spreads and correlations in the format of the bank.",
)
@click.option(
    "--stage",
    type=click.Choice(["both", "labels", "data"]),
    default="both",
    show_default=True,
    help="In mode points; data takes labels.jsonl of the folder, which may be your own.",
)
@click.option("--problems", default=50, show_default=True, help="How many to ask for.")
@click.option("--features", type=int, help="In each problem; 4, or 6 in mode distributions.")
@click.option("--categories", default=2, show_default=True, help="In each problem.")
@click.option("--points", default=100, show_default=True, help="To ask for in each problem.")
@click.option("--least-points", type=int, help="Valid points that a problem needs; half of --points.")
@click.option(
    "--domain", "domains", multiple=True, help="Field of life, can be repeated; else those of the bank."
)
@asking_options(["anthropic", "openai", "local"])
def write_tasks(**options: Any) -> None:
    """Let a language model write category-learning problems, and keep those that can be used.

    Shows what it costs at most before anything is sent. Every reply is kept in journal.jsonl of the
    folder, so after an interruption the same command continues and pays for nothing twice; a larger
    --problems adds to what is there. A strict parser gives a reason for every row and problem that it
    rejects: yields.csv counts them, rejections.csv lists them.

    Mode points writes labels.jsonl and problems.jsonl (get_source("written", tables=PATH) draws from
    it), mode distributions writes bank.jsonl (get_source("bank", problems=load_bank(PATH))).

    Example: toolkit write-tasks --problems 50 --max-usd 2 --out data/mine
    """
    from toolkit.tasks.writing.stages import Folder, n_failed, planned_requests
    from toolkit.tasks.writing.stages import write_tasks as write

    folder, stage = Folder(options["out"]), options["stage"]
    client = client_from(options, folder.journal, timeout_s=SECONDS_FOR_A_REPLY)
    settings = _settings(client.model, options)
    planned = planned_requests(settings, folder, stage)
    if options["dry_run"]:
        _show_prompts(planned)
    estimates = {name: client.estimate(requests) for name, requests in planned.items()}
    _show_estimates(estimates)
    if options["dry_run"]:
        click.echo("Nothing was sent.")
        return
    is_new = any(estimate.n_requests > estimate.n_in_journal for estimate in estimates.values())
    if is_new:
        confirm_sending(client, options)
    harvests = write(client, settings, folder, stage)
    _show_harvests(harvests, client, folder)
    if n_unanswered := sum(map(n_failed, harvests)):
        others = (
            "" if len(harvests) == len(planned) else "; --stage data goes on with the labels that are here"
        )
        raise InterruptedRunError(
            f"{n_unanswered} requests were not answered; rejections.csv says why.",
            where=str(folder.path),
            fix=f"The same command asks them again{others}.",
        )


def _settings(model: str, options: dict[str, Any]) -> Settings:
    from pydantic import ValidationError

    from toolkit.data import load_bank
    from toolkit.tasks.writing.stages import Settings

    by_distributions = options["mode"] == "distributions"
    least = options["least_points"]
    try:
        return Settings(
            provider=options["provider"],
            model=model,
            mode=options["mode"],
            n_problems=options["problems"],
            n_features=options["features"] or (6 if by_distributions else 4),
            n_categories=options["categories"],
            n_points=options["points"],
            least_points=max(2, options["points"] // 2) if least is None else least,
            domains=options["domains"] or tuple(dict.fromkeys(problem.domain for problem in load_bank())),
        )
    except ValidationError as error:
        fault = Fault.of(error)
        raise UsageError(f"{fault.what}.", where=fault.place) from None


def _show_prompts(planned: dict[str, list[Request]]) -> None:
    """The first question of every stage."""
    for stage, requests in planned.items():
        (_, text), *_ = requests[0].messages
        click.echo(click.style(f"{stage}, instructions", bold=True) + f"\n{requests[0].system}")
        click.echo(click.style(f"{stage}, first of {len(requests)} questions", bold=True) + f"\n{text}\n")


def _show_estimates(estimates: dict[str, Estimate]) -> None:
    """A line a stage."""
    for stage, estimate in estimates.items():
        click.echo(
            f"{stage}: {estimate.n_requests} requests, {estimate.n_in_journal} answered already; "
            f"{estimate.prompt_tokens:,} tokens of prompts, at most {in_usd(estimate.usd_at_most)}."
        )


def _show_harvests(harvests: list[Harvest], client: Client, folder: Folder) -> None:
    from toolkit.tasks.writing.harvest import yield_table

    click.echo(yield_table(harvests).to_string(index=False))
    tally = client.tally
    click.echo(f"Spent now: {tally.usd:.2f} USD, {tally.retries} retries. In {folder.path} are:")
    for path in sorted(folder.path.iterdir()):
        click.echo(f"  {path.name}")

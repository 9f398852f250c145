"""`toolkit discover`: search for programs that explain people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.cli.asking import asking_options, client_from, confirm_sending, in_usd
from toolkit.errors import UsageError
from toolkit.progress import say
from toolkit.texts import visible

if TYPE_CHECKING:
    from toolkit.discovery.proposers import Candidate, Proposer
    from toolkit.discovery.search import Report, Search, SearchConfig

ASKING = "asking.jsonl"
"""Replies of a language model, in the folder of a run."""

SECONDS_FOR_A_REPLY = 600.0
"""Models that think take minutes."""


@click.command()
@click.option(
    "--config", "name", default="two_step", show_default=True, help="A search by name, or a YAML file."
)
@click.option(
    "--proposer",
    "kind",
    type=click.Choice(["grammar", "llm", "recorded"]),
    default="grammar",
    show_default=True,
    help="Who thinks of programs; grammar needs neither network nor key.",
)
@click.option("--recording", type=click.Path(path_type=Path), help="search.jsonl that recorded replays.")
@click.option("--seed", type=int, help="Root of all random streams; else that of the search.")
@click.option("--rounds", type=click.IntRange(min=1), help="Instead of those of the search.")
@click.option("--seconds", type=float, help="Cap on the time of the search, before the report.")
@click.option(
    "--processor-seconds",
    type=float,
    help="A cap in seconds of all cores together instead; ten minutes of two are 1,200.",
)
@click.option("--runs", type=click.IntRange(min=1), help="Independent searches.")
@click.option(
    "--progress", is_flag=True, help="Say which programs led after what time, on people held back as well."
)
@click.option(
    "--planted",
    type=click.IntRange(1, 6),
    help="Search for so many programs planted in simulated people instead, and say how many are found again.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder; else discovery/NAME-PROPOSER-SEED among runs."
)
@click.option(
    "--cores", type=click.IntRange(min=1), help="Programs that are tried at the same time; else all."
)
@click.option(
    "--show-prompt", is_flag=True, help="Show the first prompt by sections, send nothing; needs no key."
)
@click.option("--list", "only_list", is_flag=True, help="List the searches that come with the toolkit.")
@asking_options(["anthropic", "openai", "local", "recorded"])
def discover(name: str, kind: str, only_list: bool, **options: Any) -> None:
    """Search for programs that explain people, and report the best one on people who were held back.

    Everything that happens is kept in search.jsonl; after an interruption the same command goes on. The
    winner is chosen on evaluation participants, checked again in a fresh process, and compared with chance
    and models of the literature on test participants.

    Example: toolkit discover --config two_step --proposer grammar --seed 0

    Example: toolkit discover --runs 5 --processor-seconds 1200 --progress

    Example: toolkit discover --planted 6 --runs 3
    """
    from toolkit.discovery.search import list_configs

    if only_list:
        for known in list_configs():
            click.echo(known)
        return
    if options["planted"] is not None:
        _find_again(options)
        return
    config = _config(name, kind, options)
    folder = options["out"] or _folder(config, kind)
    if options["show_prompt"] or options["dry_run"]:
        _show_prompt(config)
        return
    _run(config, kind, folder, options)


def _run(config: SearchConfig, kind: str, folder: Path, options: dict[str, Any]) -> None:
    from toolkit.discovery.sandbox import Limits, Sandbox
    from toolkit.discovery.search.progress import compare_runs
    from toolkit.discovery.search.running import discover as search_and_report

    def make_proposer(search: Search) -> Proposer:
        if config.runs > 1:  # Candidates of all runs have the same names.
            say(click.style(f"{search.folder.name}, seed {search.config.seed}", bold=True))
        return _proposer(kind, search, options)

    with Sandbox(options["cores"], limits=Limits(seconds=config.fit.seconds_a_request)) as sandbox:
        reports = search_and_report(
            config,
            folder,
            make_proposer=make_proposer,
            sandbox=sandbox,
            tell=_tell,
            progress=options["progress"],
        )
    for number, found in enumerate(reports):
        if len(reports) > 1:
            click.echo(click.style(f"\nrun_{number}", bold=True))
        _show(found)
    if options["progress"]:
        click.echo(compare_runs(folder).to_string(index=False, float_format="{:.2f}".format))
    click.echo(f"In {folder} are search.jsonl, winner.py, table.csv and frontier.json of every run.")


def _config(name: str, kind: str, options: dict[str, Any]) -> SearchConfig:
    from toolkit.discovery.search import load_config

    if kind == "recorded":
        from toolkit.discovery.proposers import RecordedProposer

        if options["recording"] is None:
            raise UsageError("nothing says what is to be replayed.", fix="Give --recording search.jsonl.")
        return RecordedProposer(options["recording"]).config
    return _changed(load_config(name), options)


def _changed(config: SearchConfig, options: dict[str, Any]) -> SearchConfig:
    changes = {
        "seed": options["seed"],
        "loop.rounds": options["rounds"],
        "budget.seconds": options["seconds"],
        "budget.processor_seconds": options["processor_seconds"],
        "runs": options["runs"],
    }
    if options["processor_seconds"] is not None:
        config = config.changed(**{"budget.seconds": None})
    return config.changed(**{key: value for key, value in changes.items() if value is not None})


def _find_again(options: dict[str, Any]) -> None:
    """Searches for planted programs, in as many groups of people as there are runs."""
    from toolkit.discovery.planted import PLANTED, PLANTED_SEARCH, find_again, rate_of
    from toolkit.discovery.sandbox import Limits, Sandbox
    from toolkit.io import write_table

    config = _changed(PLANTED_SEARCH, {**options, "runs": None})
    folder = options["out"] or _folder(config, "grammar")
    hidden = dict(list(PLANTED.items())[: options["planted"]])
    with Sandbox(options["cores"], limits=Limits(seconds=config.fit.seconds_a_request)) as sandbox:
        table = find_again(config, hidden, folder, sandbox, options["runs"] or 1)
    write_table(folder / "planted.csv", table)
    click.echo(table.to_string(index=False, float_format="{:.3f}".format))
    click.echo(f"{rate_of(table)} The table is planted.csv in {folder}.")


def _folder(config: SearchConfig, kind: str) -> Path:
    from toolkit.paths import runs_dir

    return runs_dir() / "discovery" / f"{config.name}-{kind}-{config.seed}"


def _proposer(kind: str, search: Search, options: dict[str, Any]) -> Proposer:
    if kind == "recorded":
        from toolkit.discovery.proposers import RecordedProposer

        return RecordedProposer(options["recording"])
    if kind == "grammar":
        from toolkit.discovery.search.running import grammar_proposer

        return grammar_proposer(search)
    from toolkit.discovery.proposers import LanguageModelProposer

    budget = search.config.budget
    client = client_from(
        options,
        search.folder / ASKING,
        seconds=budget.seconds,
        tokens=budget.tokens,
        timeout_s=SECONDS_FOR_A_REPLY,
    )
    proposer = LanguageModelProposer(client, search.config, search.study, search.scorer)
    _confirm(proposer, search, options)
    return proposer


def _confirm(proposer: Any, search: Search, options: dict[str, Any]) -> None:
    loop = search.config.loop
    first = proposer.client.estimate([proposer.request(search.situation(0, 0))])
    click.echo(
        f"{loop.rounds * loop.islands} questions and as many repairs at most; the first one has about "
        f"{first.prompt_tokens:,} tokens and costs at most {in_usd(first.usd_at_most)}."
    )
    confirm_sending(proposer.client, options)


def _show_prompt(config: SearchConfig) -> None:
    from toolkit.discovery.proposers import Situation
    from toolkit.discovery.proposers.llm import SYSTEM
    from toolkit.discovery.search.prompts import prompt_sections
    from toolkit.discovery.search.study import prepare

    situation = Situation(0, 0, config.loop.candidates, (), {}, config.seed)
    sections = {
        "System": config.asking.system or SYSTEM,
        **prompt_sections(config, prepare(config), situation),
    }
    for heading, text in sections.items():
        click.echo(click.style(f"{heading} ({len(text):,} characters)", bold=True) + f"\n{text}\n")


def _tell(candidate: Candidate) -> None:
    """One line a candidate."""
    score = candidate.score
    name = candidate.proposal.content.get("name", "no program")
    result = f"{score.mean:9.2f}" if score.mean is not None else f"{score.reason}: {score.what}"
    say(visible(f"{candidate.name}  {result}  {name}"))


def _show(found: Report) -> None:
    from toolkit.discovery.priors import describe_parameter

    table = found.table.assign(model=found.table["model"].map(visible))
    click.echo(table.to_string(index=False, float_format="{:.2f}".format))
    for warning in found.warnings:
        click.echo(click.style("Warning: ", fg="yellow") + warning)
    click.echo(f"{click.style('Winner', bold=True)} {found.winner.name}: {visible(found.program.idea)}")
    for parameter in found.program.parameters:
        click.echo(f"  {visible(describe_parameter(parameter))}")
    click.echo("\n".join(map(visible, found.program.text.strip().split("\n"))))

"""`toolkit play-bandits`: a language model plays a two-armed task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.cli.asking import asking_options, client_from, confirm_sending, in_usd, show_question
from toolkit.errors import InterruptedRunError, UsageError

if TYPE_CHECKING:
    from toolkit.models.playing import Game, Rules
    from toolkit.trials import Trials


@click.command("play-bandits")
@click.argument("task", type=click.Choice(["partial", "full", "agency"]))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of choices and replies.")
@click.option("--participants", default=10, show_default=True, type=click.IntRange(min=1), help="How often.")
@click.option("--sessions", type=click.IntRange(min=1), help="Of each; as many as people had by default.")
@click.option("--temperature", type=float, default=0.0, show_default=True, help="Of replies.")
@click.option("--no-temperature", is_flag=True, help="Tell it none, since some models refuse to be told.")
@click.option(
    "--log-probabilities/--no-log-probabilities", default=True, show_default=True, help="Of the two letters."
)
@click.option("--seed", default=0, show_default=True, help="Decides bandits, letters and their order.")
@asking_options(["anthropic", "openai", "local", "recorded"])
@click.option("--max-minutes", type=float, help="Stop asking after so long; the same command continues.")
def play_bandits(task: str, **options: Any) -> None:
    """Let a language model play a task of two machines, as people did.

    On every visit it sees the story, all earlier visits of the same block and two letters, and says one. Visits
    that people were forced on are told as somebody else's. Shows the cost before anything is sent. Every reply is
    kept in journal.jsonl of the folder, so after an interruption the same command continues and pays for nothing
    twice. Choices go to trials.safetensors, to be fitted like anybody's, and answers to answers.parquet.

    Example: toolkit play-bandits partial --participants 2 --out data/mine --dry-run
    """
    from toolkit.io import write_table
    from toolkit.models.playing import estimate, play

    if options["batch"]:
        raise UsageError("each visit waits for the one before, which a batch cannot.", where="--batch")
    design, rules = _design(task, options), _rules(options)
    minutes = options["max_minutes"]
    seconds = None if minutes is None else 60 * minutes
    client = client_from(options, options["out"] / "journal.jsonl", seconds=seconds)
    if options["dry_run"]:
        _show_prompt(design, rules)
    cost = estimate(design, client, rules)
    click.echo(
        f"{cost.n_requests:,} choices in {len(design)} sequences, {cost.n_in_journal:,} answered already; "
        f"{cost.prompt_tokens:,} tokens of prompts, at most {in_usd(cost.usd_at_most)} if every reply names a machine."
    )
    if options["dry_run"]:
        click.echo("Nothing was sent.")
        return
    if cost.n_requests > cost.n_in_journal and options["provider"] != "recorded":
        confirm_sending(client, options)
    game = play(design, client, rules)
    game.trials.save(options["out"] / "trials.safetensors")
    write_table(options["out"] / "answers.parquet", game.answers)
    _show_game(game, options["out"])


def _design(task: Any, options: dict[str, Any]) -> Trials:
    from toolkit.experiments.bandits import get_task
    from toolkit.seeds import Seeds

    rng = Seeds(options["seed"]).numpy("bandits")
    return get_task(task).draw(options["participants"], rng=rng, n_sessions=options["sessions"])


def _rules(options: dict[str, Any]) -> Rules:
    from toolkit.models.playing import Rules

    return Rules(
        seed=options["seed"],
        temperature=None if options["no_temperature"] else options["temperature"],
        log_probabilities=options["log_probabilities"],
    )


def _show_prompt(design: Trials, rules: Rules) -> None:
    """A question of the first sequence."""
    from toolkit.models.playing import first_requests

    show_question(first_requests(design.take([0]), rules))


def _show_game(game: Game, folder: Path) -> None:
    missing = game.answers[game.answers["source"] == "missing"]
    if len(missing):
        raise InterruptedRunError(
            f"{len(missing)} of {len(game.answers)} choices are not made; the first: {missing['reply'].iloc[0]}",
            where=str(folder),
            fix="The same command asks them again.",
        )
    n_none = int((game.answers["source"] == "none").sum())
    right = game.trials.correct
    share = right[right >= 0].mean()
    click.echo(
        f"{folder}: {len(game.answers):,} choices, {share:.0%} of the better machine where one is better; "
        f"{n_none:,} replies named no machine."
    )

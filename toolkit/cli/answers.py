"""`toolkit ask-llm`: what a language model answers on the trials that people had."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.cli.asking import asking_options, client_from, confirm_sending, in_usd, show_question
from toolkit.errors import InterruptedRunError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.llm import Client, Estimate
    from toolkit.models.answering import Procedure
    from toolkit.trials import Trials


@click.command("ask-llm")
@click.argument("data_set")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of answers and replies.")
@click.option(
    "--mode",
    type=click.Choice(["human", "own", "labels"]),
    default="human",
    show_default=True,
    help="What it is told of earlier trials: people's choices, its own, or the right category alone.",
)
@click.option("--participants", type=click.IntRange(min=1), help="Only so many, in order; else all.")
@click.option("--condition", multiple=True, help="Only problems of this condition, can be repeated.")
@click.option("--samples", default=1, show_default=True, help="Replies for each trial.")
@click.option("--temperature", type=float, help="Of replies; 0 by default.")
@click.option("--no-temperature", is_flag=True, help="Tell it none, since some models refuse to be told.")
@click.option(
    "--log-probabilities/--no-log-probabilities",
    default=True,
    show_default=True,
    help="Ask how likely each letter is, with one sample; providers that do not know give the reply alone.",
)
@click.option("--seed", default=0, show_default=True, help="Decides the letters that name categories.")
@asking_options(["anthropic", "openai", "local", "recorded"])
@click.option("--max-minutes", type=float, help="Stop asking after so long; the same command continues.")
def ask_llm(data_set: str, **options: Any) -> None:
    """Let a language model answer the trials of a data set, of a file of Trials.save(), or of a design.

    On every trial it sees the cover story, all earlier trials of the same problem and what is shown now, and
    says a letter. Shows the cost before anything is sent. Every reply is kept in journal.jsonl of the
    folder, so after an interruption the same command continues and pays for nothing twice. The answers go
    to answers.parquet, for get_model("llm", answers=PATH); other participants add to them. Of the designs shepard,
    five_four, levering and smith_minda notebook 04 takes the answers that lie in data/answers/DESIGN.

    Example: toolkit ask-llm badham2017 --participants 5 --mode human --out data/mine --dry-run
    """
    from toolkit.io import write_table
    from toolkit.models.answering import add_answers, answer, estimate, read_answers

    if options["batch"] and options["mode"] == "own":
        raise UsageError(
            "in mode own each trial waits for the one before, which a batch cannot.", where="--batch"
        )
    trials, procedure = _trials(data_set, options), _procedure(data_set, options)
    minutes = options["max_minutes"]
    journal = options["out"] / "journal.jsonl"
    client = client_from(options, journal, seconds=None if minutes is None else 60 * minutes)
    if options["dry_run"]:
        _show_prompt(trials, procedure)
    cost = estimate(trials, client, procedure)
    _show_cost(cost, trials)
    if options["dry_run"]:
        click.echo("Nothing was sent.")
        return
    if cost.n_requests > cost.n_in_journal and options["provider"] != "recorded":
        confirm_sending(client, options)
    path = options["out"] / "answers.parquet"
    answers = answer(trials, client, procedure)
    write_table(path, add_answers(read_answers(path), answers) if path.is_file() else answers)
    _show_answers(answers, client, path)
    missing = answers[answers["source"] == "missing"]
    if len(missing):
        raise InterruptedRunError(
            f"{len(missing)} of {len(answers)} trials are not answered; the first: {missing['reply'].iloc[0]}",
            where=str(path),
            fix="The same command asks them again.",
        )


def _trials(data_set: str, options: dict[str, Any]) -> Trials:
    from toolkit.data.loaders import load_data
    from toolkit.models.answering.designs import design_to_answer, list_designs_to_answer
    from toolkit.trials import Trials

    if data_set in list_designs_to_answer():
        if options["mode"] == "human":
            raise UsageError(
                f"'{data_set}' is a design, so there are no people's choices to tell.",
                where="--mode",
                fix="--mode own, so that the model learns by its own choices.",
            )
        trials = design_to_answer(data_set)
    else:
        trials = Trials.load(data_set) if data_set.endswith(".safetensors") else load_data(data_set)
    if options["condition"]:
        trials = trials.where(condition=options["condition"])
    if options["participants"]:
        trials = trials.where(participant=trials.participants[: options["participants"]])
    return trials


def _procedure(data_set: str, options: dict[str, Any]) -> Procedure:
    from toolkit.models.answering import Procedure, story_of

    temperature = options["temperature"]
    if options["no_temperature"] and temperature is not None:
        raise UsageError("--temperature and --no-temperature exclude each other.")
    return Procedure(
        story=story_of(data_set),
        mode=options["mode"],
        seed=options["seed"],
        n_samples=options["samples"],
        temperature=None if options["no_temperature"] else temperature or 0.0,
        log_probabilities=options["log_probabilities"],
    )


def _show_prompt(trials: Trials, procedure: Procedure) -> None:
    """A question of the first problem."""
    from toolkit.models.answering import first_requests

    show_question(first_requests(trials.take([0]), procedure))


def _show_cost(cost: Estimate, trials: Trials) -> None:
    click.echo(
        f"{int(trials.mask.sum()):,} trials of {len(trials)} problems: {cost.n_requests:,} requests, "
        f"{cost.n_in_journal:,} answered already; {cost.prompt_tokens:,} tokens of prompts, at most {in_usd(cost.usd_at_most)} "
        "if every reply names a category."
    )


def _show_answers(answers: pd.DataFrame, client: Client, path: Path) -> None:
    answered = answers[answers["said"] >= 0]
    told, chosen = answered[answered["category"] >= 0], answered[answered["choice"] >= 0]
    n_none = int((answers["source"] == "none").sum())
    click.echo(
        f"{path}: {len(answered):,} answers; {_share(told, 'category')} right, "
        f"{_share(chosen, 'choice')} as people chose. {n_none:,} trials had no reply that names a category "
        f"and count as chance."
    )
    click.echo(f"Spent now: {client.tally.usd:.2f} USD, {client.tally.retries} retries.")


def _share(answers: pd.DataFrame, column: str) -> str:
    return f"{(answers['said'] == answers[column]).mean():.0%}" if len(answers) else "none"

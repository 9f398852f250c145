"""Options of commands that ask a language model, and the client that they make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.errors import InterruptedRunError

if TYPE_CHECKING:
    from toolkit.llm import Client, Request

_PROVIDERS = {
    "anthropic": "",
    "openai": "openai is everything that speaks its language; ",
    "local": "local a folder of Hugging Face weights; ",
    "recorded": "recorded replays the folder's journal; ",
}


def asking_options(providers: Sequence[str]) -> Callable[[Callable], Callable]:
    """Options that say whom to ask, at what price, and whether to send anything."""
    about = "".join(_PROVIDERS[name] for name in providers).rstrip("; ")
    options = [
        click.option(
            "--provider",
            type=click.Choice(providers),
            default=providers[0],
            show_default=True,
            help=f"{about}.",
        ),
        click.option("--model", help="Name or folder; anthropic has a usual one."),
        click.option("--base-url", help="Address of another server."),
        click.option(
            "--max-usd", default=10.0, show_default=True, help="Cap on all replies in the folder together."
        ),
        click.option(
            "--price",
            type=float,
            nargs=2,
            help="USD for a million tokens of prompts and of replies, if not known.",
        ),
        click.option(
            "--batch", is_flag=True, help="Hand questions in together: half the price, within a day."
        ),
        click.option(
            "--workers", default=4, show_default=True, help="Questions on their way at the same time."
        ),
        click.option(
            "--dry-run", is_flag=True, help="Show prompts and the cost, send nothing; needs no key."
        ),
        click.option("--yes", is_flag=True, help="Do not ask before sending."),
    ]

    def add(command: Callable) -> Callable:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def client_from(
    options: dict[str, Any],
    journal: Path,
    *,
    seconds: float | None = None,
    tokens: int | None = None,
    **settings: Any,
) -> Client:
    """The client that :func:`asking_options` describe.

    Parameters
    ----------
    seconds, tokens
        After which nothing more is asked.
    settings
        More of :func:`toolkit.llm.get_client`.
    """
    from toolkit.llm import Budget, Price, get_client

    budget = Budget() if options["dry_run"] else Budget(options["max_usd"], tokens, seconds)
    return get_client(
        options["provider"],
        journal=journal,
        model=options["model"],
        budget=budget,
        base_url=options["base_url"],
        workers=options["workers"],
        batch=options["batch"],
        price=Price(*options["price"]) if options["price"] else None,
        **settings,
    )


def show_question(requests: Iterable[Request]) -> None:
    """What a model is told, and its fourth question, or its last."""
    *_, request = islice(requests, 4)
    ((_, text),) = request.messages
    click.echo(click.style("Instructions", bold=True) + f"\n{request.system}")
    click.echo(click.style("A question", bold=True) + f"\n{text}\n")


def confirm_sending(client: Client, options: dict[str, Any]) -> None:
    """Ask whether to send, unless that was answered with ``--yes``; raise unless the answer is yes."""
    if not (options["yes"] or _agrees(f"Ask {client.model}, for at most {options['max_usd']:g} USD?")):
        raise InterruptedRunError(
            "nothing was sent, since the question was not answered with yes.", fix="Answer y, or give --yes."
        )
    # A reply that finds no place here would have to be paid for again.
    client.journal.path.parent.mkdir(parents=True, exist_ok=True)
    client.journal.path.touch()


def _agrees(question: str) -> bool:
    try:
        return click.confirm(question)
    except click.Abort:  # Nobody is there to answer, or Ctrl-C was the answer.
        click.echo()
        return False


def in_usd(amount: float | None) -> str:
    """An amount, or that it is not known."""
    return "an unknown price" if amount is None else f"{amount:.2f} USD"

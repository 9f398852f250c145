"""`toolkit train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.errors import UsageError

if TYPE_CHECKING:
    from toolkit.training import ModelCard, TrainingConfig


@click.command()
@click.option("--prior", metavar="NAME", help="Where problems come from: ecological, linear, mlp, rational.")
@click.option("--profile", metavar="NAME", help="smoke, workshop (default), shipped or paper.")
@click.option("--out", type=click.Path(path_type=Path), help="Checkpoint to write, NAME.safetensors.")
@click.option("--seeds", type=click.IntRange(min=1), help="Train so many in turn and keep the best.")
@click.option("--steps", type=click.IntRange(min=1), help="Steps instead of the profile's.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads; 1 unless the machine is idle.")
@click.option("--mix", multiple=True, metavar="SOURCE=WEIGHT", help="Weight of a source in the prior.")
@click.option("--device", metavar="NAME", help="cpu or cuda; the GPU where there is one by default.")
@click.option("--fresh", is_flag=True, help="Begin again instead of continuing.")
@click.option("--evaluate/--no-evaluate", default=True, help="Test it at the end; takes about 20 s.")
@click.option("--reproduce", metavar="CARD", help="Train again what a card describes and compare the losses.")
def train(
    prior: str | None,
    profile: str | None,
    out: Path | None,
    seeds: int | None,
    steps: int | None,
    threads: int | None,
    mix: tuple[str, ...],
    device: str | None,
    fresh: bool,
    evaluate: bool,
    reproduce: str | None,
) -> None:
    """Train a meta-learner on fresh problems; what was interrupted goes on where it stopped.

    The checkpoint and its card go to papermill_runs/training unless --out says otherwise.

    Example: toolkit train --prior ecological --profile workshop --mix written=0
    """
    options = {"device": device, "fresh": fresh, "report": click.echo}
    if reproduce is not None:
        if any((prior, profile, seeds, steps, threads, mix)):
            raise UsageError(
                "--reproduce takes everything from the card.", fix="Leave out the other options."
            )
        _reproduce(reproduce, out, options)
        return
    if prior is None:
        raise UsageError("say which prior to train on.", fix="For instance: toolkit train --prior linear")
    _train(_config(prior, profile or "workshop", seeds, steps, threads, mix), out, evaluate, options)


def _config(
    prior: str, profile: str, seeds: int | None, steps: int | None, threads: int | None, mix: tuple[str, ...]
) -> TrainingConfig:
    from toolkit.training import get_config

    changes = {"steps": steps, "threads": threads, "seeds": seeds and tuple(range(seeds))}
    config = get_config(
        prior, profile, **{name: value for name, value in changes.items() if value is not None}
    )
    return config.mixed(dict(map(_weight, mix))) if mix else config


def _weight(setting: str) -> tuple[str, float]:
    source, _, weight = setting.partition("=")
    try:
        return source, float(weight)
    except ValueError:
        raise UsageError(f"'{setting}' is no weight.", where="--mix", fix="For instance written=0.") from None


def _train(config: TrainingConfig, out: Path | None, evaluate: bool, options: dict[str, Any]) -> None:
    from toolkit.pipeline.provenance import describe_git, describe_machine
    from toolkit.training import evaluate_on_all_priors, save_checkpoint
    from toolkit.training.loop import default_out
    from toolkit.training.loop import train as train_network

    out = out or default_out(config)
    provenance = {"git": describe_git(), "machine": describe_machine()}
    network, card = train_network(config, out, provenance=provenance, **options)
    if evaluate and not card.evaluation:
        table = evaluate_on_all_priors(card.name, network)
        card = card.model_copy(update={"evaluation": table.to_dict("records")})
        card = save_checkpoint(out, network, card)
    _tell(card)
    click.echo(f"Checkpoint: {out}")


def _tell(card: ModelCard) -> None:
    click.echo(
        f"{card.name}: {card.n_parameters:,} parameters, seed {card.seed}, "
        f"best of {card.steps} steps at {card.best_step}, {card.seconds / 60:.1f} min"
    )
    if not card.evaluation:
        return
    click.echo(f"{'tested on':12} {'learner':30} {'trials':>8} {'accuracy':>9} {'log loss':>9}")
    for row in card.evaluation:
        trials = f"{row['first']}-{row['last']}"
        click.echo(
            f"{row['tested_on']:12} {row['learner']:30} {trials:>8} "
            f"{row['accuracy']:9.3f} {row['log_loss']:9.3f}"
        )


def _reproduce(name: str, out: Path | None, options: dict[str, Any]) -> None:
    from toolkit.training import read_card
    from toolkit.training.reproduction import reproduce as train_again

    found = train_again(read_card(name), out, **options)
    if found.identical:
        click.echo(f"All {found.validations} validations agree to the last bit.")
        return
    click.echo(
        f"The validation losses differ by {found.largest_difference:.2g} at most, "
        f"over {found.validations} validations."
    )
    for package, (then, now) in found.software.items():
        click.echo(f"  {package}: {then} then, {now} now")

"""Checkpoints, cards, whole trainings and what is reported of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression

from toolkit.cli import main
from toolkit.errors import DataError, UsageError
from toolkit.io import load_arrays, read_header, save_arrays
from toolkit.models.attention import Capacity
from toolkit.models.metalearner import MetaLearnerNetwork, NetworkConfig
from toolkit.seeds import Seeds
from toolkit.tasks.problems import Problems
from toolkit.training import (
    TrainingConfig,
    compare,
    evaluate,
    list_checkpoints,
    load_checkpoint,
    logistic_regression,
    read_card,
    standard_problems,
    train,
)
from toolkit.training.checkpoints import card_path, checkpoint_dir
from toolkit.training.reproduction import reproduce


@pytest.fixture
def trained(tiny: TrainingConfig, tmp_path: Path) -> Path:
    out = tmp_path / "mine.safetensors"
    train(tiny, out, device="cpu")
    return out


def test_what_is_loaded_answers_as_what_was_trained(tiny: TrainingConfig, tmp_path: Path) -> None:
    network, card = train(tiny, tmp_path / "mine.safetensors", device="cpu")
    again, same = load_checkpoint(tmp_path / "mine.safetensors")
    problems = standard_problems("linear", 5)
    torch.testing.assert_close(
        again(problems.x, problems.y, n_classes=2), network(problems.x, problems.y, n_classes=2)
    )
    assert same == card and not again.training


def test_the_card_tells_how_it_came_about(trained: Path, tiny: TrainingConfig) -> None:
    card = read_card(trained)
    assert card.config == tiny and card.seed == 0 and card.device == "cpu"
    assert [row["step"] for row in card.curve] == [2, 4, 6] and card.best_step in (2, 4, 6)
    assert card.packages["torch"] == torch.__version__ and card.seconds > 0
    assert not trained.with_name("mine.training").exists()


def test_the_header_alone_describes_the_network(trained: Path, tiny: TrainingConfig) -> None:
    card_path(trained).unlink()
    network, card = load_checkpoint(trained)
    assert card is None and network.config == tiny.network
    assert read_header(trained)["network"]["width"] == 16


def test_limits_of_capacity_survive(tiny: TrainingConfig, tmp_path: Path) -> None:
    limited = NetworkConfig(
        width=16, n_layers=1, feed_forward=16, capacity=Capacity(1e-3, attention_window=5, memory_noise=0.1)
    )
    train(tiny.changed(network=limited), tmp_path / "limited.safetensors", device="cpu")
    network, card = load_checkpoint(tmp_path / "limited.safetensors")
    assert network.config == limited == card.config.network


def test_the_best_of_several_seeds_is_kept(tiny: TrainingConfig, tmp_path: Path) -> None:
    _, card = train(tiny.changed(seeds=(0, 1, 2)), tmp_path / "best.safetensors", device="cpu")
    best = min(row["validation_loss"] for row in card.curve)
    assert len(card.other_seeds) == 2 and card.seed not in card.other_seeds
    assert best <= min(card.other_seeds.values())


def test_a_finished_training_is_not_repeated_and_not_overwritten(trained: Path, tiny: TrainingConfig) -> None:
    before, said = trained.stat().st_mtime_ns, []
    train(tiny, trained, device="cpu", report=said.append)
    assert trained.stat().st_mtime_ns == before and "trained already" in said[0]
    with pytest.raises(UsageError, match="another training.*--fresh"):
        train(tiny.changed(steps=4), trained, device="cpu")
    train(tiny.changed(steps=4), trained, device="cpu", fresh=True)
    assert read_card(trained).steps == 4


def test_reports_have_rate_and_time_left(tiny: TrainingConfig, tmp_path: Path) -> None:
    said: list[str] = []
    train(tiny, tmp_path / "mine.safetensors", device="cpu", report=said.append)
    assert len(said) == 3
    assert all(word in said[0] for word in ("step 2/6", "steps/s", "trials/s", "min left", "accuracy"))


def test_a_card_is_reproduced(trained: Path, tmp_path: Path) -> None:
    card = read_card(trained)
    found = reproduce(card, tmp_path / "again.safetensors", device="cpu")
    assert found.identical and found.validations == 3 and not found.software
    rows = [{**row, "validation_loss": row["validation_loss"] + 0.25} for row in card.curve]
    other = card.model_copy(update={"curve": rows, "packages": {"torch": "1.0"}})
    found = reproduce(other, tmp_path / "again.safetensors", device="cpu")
    assert not found.identical and found.largest_difference == pytest.approx(0.25)
    assert found.software == {"torch": ("1.0", torch.__version__)}


def test_damage_is_noticed(trained: Path, tmp_path: Path) -> None:
    card = json.loads(card_path(trained).read_text())
    card_path(trained).write_text(json.dumps({**card, "weights_sha256": "0"}))
    with pytest.raises(DataError, match="belongs to other weights"):
        load_checkpoint(trained)
    card_path(trained).write_text(json.dumps({**card, "steps": "many"}))
    with pytest.raises(DataError, match="field 'steps'"):
        load_checkpoint(trained)
    with pytest.raises(DataError, match="does not exist"):
        load_checkpoint(tmp_path / "absent.safetensors")
    with pytest.raises(UsageError, match="no checkpoint 'ermine'"):
        load_checkpoint("ermine")
    with pytest.raises(UsageError, match="not a .safetensors file"):
        train(read_card_config(card), tmp_path / "mine.pt")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"widht": 32}, "widht: Unexpected keyword"),
        ({"capacity": {"memory_nois": 1.0}}, "capacity.memory_nois: Unexpected keyword"),
        ({"n_heads": 0}, "n_heads is 0"),
        ({"width": 32}, "weights do not fit its header"),
    ],
)
def test_a_header_that_was_changed_is_refused(
    trained: Path, tmp_path: Path, changes: dict, words: str
) -> None:
    arrays, header = load_arrays(trained)
    changed = {**header, "network": {**header["network"], **changes}}
    save_arrays(tmp_path / "changed.safetensors", arrays, changed)
    with pytest.raises(DataError, match=words):
        load_checkpoint(tmp_path / "changed.safetensors")
    save_arrays(tmp_path / "changed.safetensors", arrays, [1, 2])
    with pytest.raises(DataError, match="header is a list"):
        load_checkpoint(tmp_path / "changed.safetensors")


def read_card_config(card: dict) -> TrainingConfig:
    return TrainingConfig.model_validate(card["config"])


def test_evaluation_agrees_with_counting_by_hand() -> None:
    y = torch.tensor([[0, 1, 1], [1, 1, 0]])
    p = torch.tensor([[[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], [[0.5, 0.5], [0.1, 0.9], [1.0, 0.0]]])
    table = evaluate(
        lambda problems: p, Problems(torch.zeros(2, 3, 1), y, 2), ranges=((1, 1), (2, 3), (4, 9))
    )
    assert table["last"].tolist() == [1, 3]
    np.testing.assert_allclose(table["accuracy"], [0.5, 0.75])
    losses = -np.log([0.9, 0.5]).mean(), -np.log([0.4, 0.8, 0.9, 1.0]).mean()
    np.testing.assert_allclose(table["log_loss"], losses, rtol=1e-6)


def test_the_yardstick_is_scikit_learns_default_on_all_earlier_trials() -> None:
    problems = standard_problems("linear", 3, 40)
    p = logistic_regression()(problems)
    for row in range(3):
        for t in (12, 25, 39):
            model = LogisticRegression().fit(problems.x[row, :t], problems.y[row, :t])
            np.testing.assert_allclose(
                p[row, t], model.predict_proba(problems.x[row, t : t + 1])[0], atol=2e-3
            )


def test_an_unknown_prior_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match="no prior 'linaer'. Did you mean 'linear'"):
        standard_problems("linaer")


def test_every_learner_meets_every_prior() -> None:
    network = MetaLearnerNetwork(
        NetworkConfig(width=16, n_layers=1, feed_forward=16), generator=Seeds(0).torch("weights")
    )
    problems = {prior: standard_problems(prior, 4, 60) for prior in ("linear", "mlp")}
    table = compare({"network": network, "regression": logistic_regression()}, problems)
    assert len(table) == 2 * 2 * 3
    assert table.groupby(["tested_on", "learner"]).size().eq(3).all()
    again = compare({"network": network}, problems)
    assert again["log_loss"].tolist() == table[table["learner"] == "network"]["log_loss"].tolist()


def command(*arguments: str) -> str:
    done = CliRunner().invoke(main, ["train", *arguments, "--device", "cpu"], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_the_command(home: Path) -> None:
    arguments = ("--prior", "linear", "--profile", "smoke", "--steps", "4", "--seeds", "2", "--no-evaluate")
    assert "mi: 6,046 parameters" in command(*arguments)
    path = home / "papermill_runs" / "training" / "mi.safetensors"
    card = read_card(path)
    assert card.steps == 4 and card.config.seeds == (0, 1) and not card.evaluation
    assert "agree to the last bit" in command("--reproduce", str(path))


@pytest.mark.slow
def test_the_command_tests_what_it_trained_on_all_priors(home: Path) -> None:
    arguments = ("--prior", "linear", "--profile", "smoke", "--steps", "4")
    assert "logistic regression, tuned" in command(*arguments)
    card = read_card(home / "papermill_runs" / "training" / "mi.safetensors")
    assert {row["tested_on"] for row in card.evaluation} == {"ecological", "linear", "mlp", "rational"}
    assert len(card.evaluation) == 4 * 3 * 3 + 3  # The optimum is known of linear problems only.
    load_checkpoint(home / "papermill_runs" / "training" / "mi.safetensors")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "say which prior"),
        (("--prior", "linaer"), "Did you mean 'linear'"),
        (("--prior", "linear", "--mix", "linear"), "no weight"),
        (("--prior", "linear", "--mix", "linear=0"), "weight 0"),
        (("--prior", "linear", "--reproduce", "x"), "everything from the card"),
    ],
)
def test_the_command_explains(home: Path, arguments: tuple[str, ...], words: str) -> None:
    done = CliRunner().invoke(main, ["train", *arguments])
    assert done.exit_code == 2 and words in " ".join(done.output.split())


def shipped() -> list[str]:
    return list_checkpoints() if checkpoint_dir().is_dir() else []


@pytest.mark.parametrize("name", shipped())
def test_shipped_checkpoints_are_small_whole_and_described(name: str) -> None:
    network, card = load_checkpoint(name)
    assert (checkpoint_dir() / f"{name}.safetensors").stat().st_size < 2e6
    assert card.name == name and card.evaluation and card.provenance["git"]["commit"]
    assert network.config.kind == "modern"


@pytest.mark.parametrize("name", shipped())
def test_shipped_checkpoints_care_little_about_the_names_of_labels(name: str) -> None:
    """Nothing in the network makes the two labels alike; fresh names in every problem of the training do."""
    network, _ = load_checkpoint(name)
    problems = standard_problems("ecological", 40)
    with torch.no_grad():
        one = network(problems.x, problems.y, n_classes=2)[..., 1].exp()
        other = network(problems.x, 1 - problems.y, n_classes=2)[..., 0].exp()
    assert (one - other).abs().mean() < 0.03
    assert (one.round() == other.round()).float().mean() > 0.95

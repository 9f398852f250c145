"""Steps, schedules, and the promise that an interrupted training goes on to the last bit."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from toolkit.errors import DataError, ToolkitError, UsageError
from toolkit.io import load_arrays, save_arrays
from toolkit.models.attention import Capacity
from toolkit.models.metalearner import NetworkConfig
from toolkit.training import TrainingConfig, get_config, train
from toolkit.training.trainer import Trainer, learning_rate, resolve_precision


def losses_of(trainer: Trainer, steps: int) -> list[float]:
    return [trainer.step().item() for _ in range(steps)]


def without_time(trainer: Trainer) -> list[dict]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in trainer.progress.curve]


@pytest.mark.parametrize("kind", ["modern", "noisy", "paper", "two namings"])
def test_stopped_at_any_step_it_goes_on_to_the_last_bit(
    tiny: TrainingConfig, tmp_path: Path, kind: str
) -> None:
    if kind == "noisy":
        capacity = Capacity(information_cost=1e-3, memory_noise=0.1)
        tiny = tiny.changed(network=NetworkConfig(width=16, n_layers=2, feed_forward=32, capacity=capacity))
    if kind == "two namings":
        tiny = tiny.changed(two_namings={"weight": 0.1, "from_step": 2})
    if kind == "paper":
        network = NetworkConfig("paper", 3, 2, width=16, n_layers=2, n_heads=2, feed_forward=32, dropout=0.1)
        tiny = tiny.changed(network=network, features={3: 1}, classes={2: 1})
    whole = Trainer(tiny, seed=3)
    expected = losses_of(whole, 6)
    for stop in range(7):
        first = Trainer(tiny, seed=3)
        before = losses_of(first, stop)
        first.save(tmp_path / "state.safetensors")
        second = Trainer.resumed(tmp_path / "state.safetensors", tiny, device="cpu")
        assert before + losses_of(second, 6 - stop) == expected, stop
        assert without_time(second) == without_time(whole)
        for name, weight in whole.network.state_dict().items():
            assert torch.equal(second.network.state_dict()[name], weight), name
        for name, weight in whole.best.items():
            np.testing.assert_array_equal(second.best[name], weight)


def test_seeds_differ_and_validation_does_not(tiny: TrainingConfig) -> None:
    one, other = Trainer(tiny, 0), Trainer(tiny, 1)
    assert losses_of(one, 2) != losses_of(other, 2)
    assert torch.equal(one.validator.held_out.x, other.validator.held_out.x)


def test_a_network_learns(tiny: TrainingConfig) -> None:
    changes = {"features": {1: 1}, "classes": {2: 1}, "trials_per_step": 640, "validation_problems": 64}
    trainer = Trainer(
        tiny.changed(steps=300, validate_every=300, learning_rate=1e-2, hidden_feedback=0, **changes), 0
    )
    before = trainer.validator(trainer.network)["validation_loss"]
    losses_of(trainer, 300)
    assert trainer.progress.curve[-1]["validation_loss"] < min(before, math.log(2)) - 0.1


def test_the_best_weights_are_kept(tiny: TrainingConfig) -> None:
    trainer = Trainer(tiny, 0)
    losses_of(trainer, 6)
    losses = [row["validation_loss"] for row in trainer.progress.curve]
    assert trainer.progress.best_loss == min(losses)
    assert trainer.validator(trainer.best_network())["validation_loss"] == pytest.approx(min(losses))


def test_patience_ends_a_training(tiny: TrainingConfig) -> None:
    trainer = Trainer(tiny.changed(steps=100, learning_rate=1e-12, patience=2), 0)
    while not trainer.finished:
        trainer.step()
    curve = trainer.progress.curve
    assert trainer.progress.step < 100
    assert [row["step"] > trainer.progress.best_step for row in curve][-2:] == [True, True]


def test_the_training_loss_of_a_row_is_the_mean_since_the_last(tiny: TrainingConfig) -> None:
    trainer = Trainer(tiny, 0)
    losses = losses_of(trainer, 6)
    found = [row["train_loss"] for row in trainer.progress.curve]
    np.testing.assert_allclose(found, np.reshape(losses, (3, 2)).mean(1), rtol=1e-6)


def test_information_is_charged(tiny: TrainingConfig) -> None:
    def first_loss(cost: float) -> float:
        network = NetworkConfig(width=16, n_layers=2, feed_forward=32, capacity=Capacity(cost))
        return Trainer(tiny.changed(network=network), 0).step().item()

    cheap, dear = first_loss(1e-9), first_loss(1e-2)
    expected = 2 * 16 * 0.5 * math.log1p(math.exp(4))  # Noise begins at a standard deviation of exp(-2).
    assert dear - cheap == pytest.approx(1e-2 * expected, rel=1e-3)


def test_a_loss_that_is_no_number_ends_the_training(tiny: TrainingConfig) -> None:
    trainer = Trainer(tiny, 0)
    with torch.no_grad():
        trainer.network.read_out.weight.fill_(math.nan)
    with pytest.raises(ToolkitError, match=r"finite number at step 1.*learning_rate"):
        trainer.step()


def test_weights_that_are_no_numbers_after_the_last_step_are_noticed(tiny: TrainingConfig) -> None:
    changes = {"steps": 1, "warm_up": 0, "learning_rate": 1e38, "precision": "float32"}
    with pytest.raises(ToolkitError, match=r"validation loss is no longer a finite number at step 1"):
        Trainer(tiny.changed(**changes), 0).step()


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_rates_rise_and_fall(tiny: TrainingConfig, schedule: str) -> None:
    config = tiny.changed(steps=100, warm_up=10, schedule=schedule)
    rates = np.array([learning_rate(config, step) for step in range(100)]) / config.learning_rate
    assert (np.diff(rates[:10]) > 0).all() and rates[9] == 1
    assert (np.diff(rates[76:]) < 0).all() and 0 < rates[-1] < 0.05
    if schedule == "plateau":
        assert (rates[9:76] == 1).all()


def test_another_config_does_not_continue(tiny: TrainingConfig, tmp_path: Path) -> None:
    state = tmp_path / "state.safetensors"
    Trainer(tiny, 0).save(state)
    with pytest.raises(UsageError, match=r"begun with learning_rate = 0.001, now it is 0.1"):
        Trainer.resumed(state, tiny.changed(learning_rate=0.1), device="cpu")
    with pytest.raises(UsageError, match="begun with steps = 6, now it is 8"):
        Trainer.resumed(state, tiny.changed(steps=8), device="cpu")


def test_on_the_plateau_the_number_of_steps_can_be_changed(tiny: TrainingConfig, tmp_path: Path) -> None:
    long, short = (tiny.changed(schedule="plateau", steps=steps) for steps in (400, 8))
    state = tmp_path / "state.safetensors"
    trainer = Trainer(long, 0)
    losses_of(trainer, 4)
    trainer.save(state)
    shortened = losses_of(Trainer.resumed(state, short, device="cpu"), 4)
    assert shortened == losses_of(Trainer(short, 0), 8)[4:]
    losses_of(trainer, 4)
    trainer.save(state)
    with pytest.raises(UsageError, match="begun with steps"):
        Trainer.resumed(state, short, device="cpu")


def test_before_they_begin_two_namings_can_be_added(tiny: TrainingConfig, tmp_path: Path) -> None:
    later = tiny.changed(two_namings={"weight": 0.1, "from_step": 3})
    whole = losses_of(Trainer(later, 0), 5)
    trainer = Trainer(tiny, 0)
    assert losses_of(trainer, 3) == whole[:3]
    trainer.save(tmp_path / "state.safetensors")
    assert losses_of(Trainer.resumed(tmp_path / "state.safetensors", later, device="cpu"), 2) == whole[3:]
    trainer.step()
    trainer.save(tmp_path / "state.safetensors")
    with pytest.raises(UsageError, match="begun with two_namings"):
        Trainer.resumed(tmp_path / "state.safetensors", later, device="cpu")


def test_a_state_of_another_version_or_no_state_is_refused(tiny: TrainingConfig, tmp_path: Path) -> None:
    state = tmp_path / "state.safetensors"
    Trainer(tiny, 0).save(state)
    arrays, header = load_arrays(state)
    save_arrays(state, arrays, {**header, "state_version": 0})
    with pytest.raises(DataError, match="another version"):
        Trainer.resumed(state, tiny, device="cpu")
    state.write_bytes(b"half a file")
    with pytest.raises(DataError, match="safetensors"):
        Trainer.resumed(state, tiny, device="cpu")


@pytest.mark.parametrize("lost", ["seed", "step", "weights/", "optimizer/", "generator/problems", "curve"])
def test_a_state_that_is_not_whole_is_refused(tiny: TrainingConfig, tmp_path: Path, lost: str) -> None:
    trainer = Trainer(tiny, 0)
    trainer.step()
    trainer.save(tmp_path / "state.safetensors")
    arrays, header = load_arrays(tmp_path / "state.safetensors")
    rest = {name: array for name, array in arrays.items() if not name.startswith(lost)}
    changed = {**header, "curve": 3} if lost == "curve" else {k: v for k, v in header.items() if k != lost}
    save_arrays(tmp_path / "state.safetensors", rest, changed)
    with pytest.raises(DataError, match=r"state is not whole.*--fresh"):
        Trainer.resumed(tmp_path / "state.safetensors", tiny, device="cpu")


def test_precision_is_what_is_asked_for() -> None:
    assert resolve_precision("bfloat16", torch.device("cpu")) == "bfloat16"
    assert resolve_precision("auto", torch.device("cpu")) in ("float32", "bfloat16")


def test_half_precision_trains_too(tiny: TrainingConfig) -> None:
    low, high = (Trainer(tiny.changed(precision=p), 0) for p in ("bfloat16", "float32"))
    np.testing.assert_allclose(losses_of(low, 3), losses_of(high, 3), rtol=0.02)
    assert low.network.read_out.weight.dtype == torch.float32


@pytest.mark.slow
def test_a_stopped_and_then_killed_process_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    expected, _ = train(get_config("linear", "smoke", steps=60), tmp_path / "whole.safetensors", device="cpu")
    code = (
        "import sys; from toolkit.training import loop; loop.SECONDS_BETWEEN_SAVES = 0.1\n"
        "from toolkit.cli import main; main(['train', '--prior', 'linear', '--profile', 'smoke', "
        "'--steps', '60', '--no-evaluate', '--device', 'cpu', '--out', sys.argv[1]])"
    )
    out, state = tmp_path / "killed.safetensors", tmp_path / "killed.training" / "seed_0.safetensors"
    command = [sys.executable, "-c", code, str(out)]
    endings = [_end_after_a_save(command, state, how) for how in (signal.SIGTERM, signal.SIGKILL)]
    assert [code for code, _ in endings] == [75, -signal.SIGKILL]
    assert "goes on from there" in endings[0][1] and state.exists() and not out.exists()
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "goes on after step" in done.stdout
    arrays, _ = load_arrays(out)
    for name, weight in expected.state_dict().items():
        np.testing.assert_array_equal(arrays[name], weight, err_msg=name)


def _end_after_a_save(command: list[str], state: Path, how: signal.Signals) -> tuple[int, str]:
    """Exit code and last words of a training that is sent a signal once it has saved its state anew."""
    before = state.stat().st_mtime_ns if state.exists() else None
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and (not state.exists() or state.stat().st_mtime_ns == before):
        time.sleep(0.02)
    process.send_signal(how)
    _, said = process.communicate()
    return process.returncode, " ".join(said.split())

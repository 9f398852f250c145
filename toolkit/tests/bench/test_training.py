"""What `toolkit bench training` compares and counts; its speeds are not tested."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

from toolkit.bench import training
from toolkit.bench._plain_training import PlainTraining, long_table
from toolkit.models.metalearner import MetaLearnerNetwork, NetworkConfig
from toolkit.seeds import Seeds
from toolkit.tasks import get_source
from toolkit.tasks.problems import Problems
from toolkit.training import TrainingConfig, get_config
from toolkit.training.batches import join

SMALL = NetworkConfig(width=8, n_layers=2, n_heads=2, feed_forward=16)


@pytest.fixture
def config() -> TrainingConfig:
    return get_config("linear", "smoke", network=SMALL)


@pytest.fixture
def problems() -> Problems:
    drawn = get_source("linear").draw(6, 12, 3, generator=Seeds(1).torch("problems"), scaling="none")
    drawn.x[2, :, 1] = 5.0  # One feature that does not vary.
    return drawn


def plain_training(table: pd.DataFrame, n_episodes: int = 4) -> PlainTraining:
    return PlainTraining(table, n_episodes, NetworkConfig(width=16, n_layers=2, feed_forward=32), seed=0)


def test_the_config_is_that_of_shipped_learners_without_what_has_to_be_downloaded() -> None:
    config, original = training.shipped(64, 100), get_config("ecological", "shipped")
    assert config.network == original.network == NetworkConfig()
    assert config.trials_per_step == original.trials_per_step == 6400
    assert [component.source for component in config.prior if component.weight] == ["bank"]


def test_both_ways_make_the_same_batch(config: TrainingConfig, problems: Problems) -> None:
    plain, batch = plain_training(long_table(problems)), join([problems.scaled()], config)
    assert all(training.same_batch(batch, plain.assemble(range(6))) for _ in range(5))


def test_batches_that_differ_anywhere_are_not_the_same(config: TrainingConfig, problems: Problems) -> None:
    inputs, targets, lengths = plain_training(long_table(problems)).assemble(range(6))
    batch = join([problems.scaled()], config)
    assert training.same_batch(batch, (inputs, targets, lengths))
    assert not training.same_batch(join([problems.scaled("matrix")], config), (inputs, targets, lengths))
    for row, trial, channel in ((0, 3, 1), (5, 11, 0), (2, 6, -1)):
        changed = inputs.clone()
        changed[row, trial, channel] = 1 - changed[row, trial, channel] + 0.01
        assert not training.same_batch(batch, (changed, targets, lengths))
    labels = batch.y.clone()
    labels[4, 7] = 1 - labels[4, 7]
    assert not training.same_batch(replace(batch, y=labels), (inputs, targets, lengths))
    assert not training.same_batch(batch, (inputs, targets, [*lengths[1:], 11]))
    assert not training.same_batch(batch, (inputs[:5], targets[:5], lengths[:5]))


def test_plain_loss_is_that_of_real_trials_only(problems: Problems) -> None:
    table = long_table(problems)
    short = table[(table.task_id != 1) | (table.trial_id < 7)].reset_index(drop=True)
    plain = plain_training(short).eval()
    inputs, targets, lengths = plain.assemble([0, 1, 3])
    assert lengths == [12, 7, 12] and inputs.shape == (3, 12, 4)
    with torch.no_grad():
        loss = plain.loss((inputs, targets, lengths))
        alone = [plain(inputs[n : n + 1, :length])[0] for n, length in enumerate(lengths)]
    expected = F.binary_cross_entropy_with_logits(
        torch.cat(alone), torch.cat([t[:n] for t, n in zip(targets, lengths, strict=True)])
    )
    assert loss.item() == pytest.approx(expected.item(), abs=1e-6)


def test_plain_network_sees_no_later_trial(problems: Problems) -> None:
    plain = plain_training(long_table(problems)).eval()
    inputs = plain.assemble(range(6))[0]
    changed = inputs.clone()
    changed[:, 8:] += 1
    with torch.no_grad():
        before, after = plain(inputs), plain(changed)
    assert torch.allclose(before[:, :8], after[:, :8], atol=1e-5)
    assert not torch.allclose(before[:, 8:], after[:, 8:], atol=1e-2)


def test_plain_training_learns_and_leaves_global_randomness_alone(problems: Problems) -> None:
    torch.manual_seed(0)
    state = torch.get_rng_state()
    one_class_each = replace(problems, y=torch.tensor([0, 0, 0, 1, 1, 1])[:, None].expand(-1, 12))
    plain = plain_training(long_table(one_class_each), n_episodes=6)
    plain.optimizer.param_groups[0]["lr"] = 3e-3
    losses = [plain.step().item() for _ in range(40)]
    assert torch.equal(torch.get_rng_state(), state)
    assert losses[0] == pytest.approx(np.log(2), abs=0.3)
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])


def test_operations_of_a_small_network_counted_by_hand() -> None:
    """Width 2, one layer of one head, feed-forward 3, two features, two classes; one problem of three trials."""
    network = NetworkConfig(n_features=2, n_classes=2, width=2, n_layers=1, n_heads=1, feed_forward=3)
    encoder_first, encoder_second = 2 * 6 * 2, 2 * 2 * 2
    layer, read_out, looks = 4 * 2 * 2 + 2 * 2 * 3, 2 * 2, 2 * 2 * 6
    forward = 3 * (encoder_first + encoder_second + layer + read_out) + looks
    backward = 3 * (encoder_first + 2 * (encoder_second + layer + read_out)) + 2 * looks
    assert training.operations_by_formula(network, 1, 3) == 2 * (forward + backward)


@pytest.mark.parametrize("network", [SMALL, NetworkConfig()])
def test_operations_that_are_counted_are_those_of_the_formula(
    network: NetworkConfig, config: TrainingConfig, problems: Problems
) -> None:
    batch = join([problems.scaled()], config.changed(network=network))
    learner = MetaLearnerNetwork(network, generator=Seeds(0).torch("weights"))
    assert training.count_operations(learner, batch) == training.operations_by_formula(network, 6, 12)


def test_cost_over_trials_may_be_quadratic_but_not_cubic() -> None:
    sizes, same = np.array(training.LENGTHS) / 64, [True] * 4
    linear, quadratic, cubic = (training.doubling_rows(list(sizes**n), same, list(sizes)) for n in (1, 2, 3))
    assert all(row.met and row.same_result for row in linear + quadratic)
    assert not any(row.met for row in cubic)
    assert [row.ratio for row in linear] == [2] * 4 and [row.ratio for row in cubic] == [0.5] * 4
    assert "to the power 3.00" in cubic[0].note and "operations to 1.00" in cubic[0].note


def test_one_number_of_trials_that_costs_too_much_is_found() -> None:
    seconds = [1.0, 2.0, 10.0, 20.0, 40.0]
    rows = training.doubling_rows(seconds, [True, True, True, False], [1, 2, 4, 8, 16])
    assert [row.met for row in rows] == [True, False, True, True]
    assert [row.same_result for row in rows] == [True, True, True, False]


def test_cost_over_steps_may_be_linear_only() -> None:
    assert training.linear_row(1.0, 4.0, same=True).met
    assert training.linear_row(1.0, 3.0, same=True).met
    assert not training.linear_row(1.0, 5.0, same=True).met
    assert not training.linear_row(1.0, 4.0, same=False).same_result

"""What learners expect: the problems they make up, those made to measure, and comparisons on equal terms."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from toolkit.errors import UsageError
from toolkit.models.metalearner import MetaLearnerNetwork, NetworkConfig
from toolkit.seeds import Seeds
from toolkit.tasks.problems import Problems, uniform
from toolkit.tasks.statistics import measure
from toolkit.training import TrainingConfig, standard_problems, train
from toolkit.training.evaluation import logistic_regression, predict, score, standard_error
from toolkit.training.probes import (
    compare_with,
    contrasts,
    controlled_problems,
    imagine,
    landscape,
    sensitivity,
    untrained_losses,
)


@pytest.fixture(scope="module")
def network() -> MetaLearnerNetwork:
    """Untrained, with large weights in the end so that its answers differ."""
    found = MetaLearnerNetwork(
        NetworkConfig(width=16, n_layers=2, feed_forward=32), generator=Seeds(0).torch("weights")
    ).eval()
    with torch.no_grad():
        found.read_out.weight.mul_(8)
    return found


def guess(problems: Problems) -> torch.Tensor:
    """As likely as not."""
    return torch.full((*problems.y.shape, problems.n_classes), 1 / problems.n_classes, dtype=torch.float64)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_labels_are_drawn_from_what_the_network_predicts(network: MetaLearnerNetwork, n_classes: int) -> None:
    """Predictions of the whole sequence at once, and the same chances, lead to the same labels."""
    made_up = imagine(network, 40, 12, 3, n_classes, generator=Seeds(0).torch("a"))
    same = Seeds(0).torch("a")
    torch.testing.assert_close(made_up.x, uniform(40, 12, 3, generator=same))
    chance = uniform(40, 12, generator=same)
    below = predict(network, made_up).cumsum(-1)[..., :-1]
    expected = (chance[..., None].double() > below).sum(-1)
    assert (expected == made_up.y).float().mean() > 0.995  # A chance may fall on the very edge.
    assert made_up.y.unique().tolist() == list(range(n_classes))


def test_networks_label_the_same_things(network: MetaLearnerNetwork) -> None:
    other = MetaLearnerNetwork(network.config, generator=Seeds(1).torch("weights")).eval()
    first, second = (imagine(one, 5, 8, 2, generator=Seeds(0).torch("a")) for one in (network, other))
    assert torch.equal(first.x, second.x) and not torch.equal(first.y, second.y)


def test_the_landscape_is_what_is_expected_of_one_more_thing(network: MetaLearnerNetwork) -> None:
    problems = imagine(network, 2, 6, 2, generator=Seeds(0).torch("a"))
    found = landscape(network, problems, 5)
    assert found.shape == (2, 5, 5)
    asked = torch.tensor([0.25, 1.0])  # Second tick of the first feature, last of the second.
    x = torch.cat([problems.x[1], asked[None]])[None]
    y = torch.cat([problems.y[1], torch.tensor([0])])[None]
    assert found[1, 4, 1] == pytest.approx(predict(network, Problems(x, y, 2))[0, -1, 1].item(), abs=1e-5)


def test_a_landscape_needs_a_plane(network: MetaLearnerNetwork) -> None:
    with pytest.raises(UsageError, match="3 features"):
        landscape(network, imagine(network, 1, 3, 3, generator=Seeds(0).torch("a")))


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_features_go_together_as_asked(correlation: float) -> None:
    problems = controlled_problems(300, 200, correlation=correlation, generator=Seeds(0).torch("a"))
    pearson = np.array([np.corrcoef(x.T)[[0, 0, 1], [1, 2, 2]] for x in problems.x.numpy()])
    assert np.abs(pearson).mean() == pytest.approx(correlation, abs=0.07)
    assert np.sign(pearson).mean() == pytest.approx(0.0, abs=0.12)
    assert problems.x.min() == 0 and problems.x.max() == 1
    assert problems.y.double().mean().item() == pytest.approx(0.5, abs=0.02)


def test_one_feature_decides_or_all_count_alike() -> None:
    draws = {
        weights: measure(controlled_problems(40, 60, weights=weights, generator=Seeds(0).torch("a")))
        for weights in ("one", "equal")
    }
    assert (draws["one"].separability_best_feature == 1).all()
    assert (draws["equal"].separability_best_feature < 0.95).all()
    assert np.median(draws["one"].gini) > 0.55 and np.median(draws["equal"].gini) < 0.1
    for found in draws.values():
        assert np.nanmedian(found.separability_linear) > 0.99


def test_noise_is_that_of_a_logistic_function_of_the_score() -> None:
    problems = controlled_problems(400, 100, weights="one", noise=0.3, generator=Seeds(0).torch("a"))
    middle = problems.x.median(1, keepdim=True).values
    right = ((problems.x > middle).long() == problems.y[..., None]).double().mean(1)
    z = np.random.default_rng(0).standard_normal(200_000)
    expected = (1 / (1 + np.exp(-np.abs(z) / 0.3))).mean()
    assert torch.maximum(right, 1 - right).amax(-1).mean().item() == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"weights": "eqal"}, "equal"), ({"correlation": 1.0}, "below 1"), ({"noise": -1.0}, "at least 0")],
)
def test_problems_that_cannot_be_made_are_refused(options: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        controlled_problems(2, 5, **options, generator=Seeds(0).torch("a"))


def test_gains_are_differences_on_the_same_problems(network: MetaLearnerNetwork) -> None:
    problems = standard_problems("ecological", 40, 20)
    learners = {"network": network, "guess": guess, "regression": logistic_regression()}
    table = compare_with("guess", learners, {"bank": problems}, 11, 20).set_index("learner")
    assert (table.loc["guess", ["more_accuracy", "more_accuracy_se", "less_loss", "less_loss_se"]] == 0).all()
    loss = score(learners["regression"], problems).log_loss[:, 10:20].mean(1)
    assert table.less_loss["regression"] == pytest.approx(np.log(2) - loss.mean().item())
    assert table.less_loss_se["regression"] == pytest.approx(standard_error(loss, problems.origin))
    difference = table.accuracy["network"] - table.accuracy["guess"]
    assert table.more_accuracy["network"] == pytest.approx(difference)
    with pytest.raises(UsageError, match="Did you mean 'guess'"):
        compare_with("gues", learners, {"bank": problems}, 1, 2)


def test_sensitivity_has_a_row_for_every_learner_and_kind_of_problem(network: MetaLearnerNetwork) -> None:
    learners = {"network": network, "regression": logistic_regression()}
    table = sensitivity(
        "regression", learners, 20, noise=0.1, generator=Seeds(0).torch("a"), first=5, last=15
    )
    assert len(table) == 2 * 6 and set(table["weights"]) == {"one", "equal"}
    by_kind = table[table["learner"] == "regression"].set_index(["weights", "correlation"]).accuracy
    assert by_kind["equal", 0.9] > by_kind["equal", 0.0] > 0.6


def test_contrasts_are_what_correlation_and_sparsity_add() -> None:
    """Gains made of a known effect of each: 2 from none to the strongest correlation, 3 from all to one."""
    kinds = [(weights, r) for weights in ("one", "equal") for r in (0.0, 0.5, 0.9)]
    rows = [
        ("mine", weights, r, {0.0: 5.0, 0.5: 9.0, 0.9: 7.0}[r] + 3.0 * (weights == "one"), 0.6)
        for weights, r in kinds
    ]
    columns = ["learner", "weights", "correlation", "more_accuracy", "more_accuracy_se"]
    found = contrasts(pd.DataFrame(rows, columns=columns)).loc["mine"]
    assert found["together"] == pytest.approx(2.0) and found["sparse"] == pytest.approx(3.0)
    assert found["together_se"] == pytest.approx(0.6)  # The mean of two differences.
    assert found["sparse_se"] == pytest.approx(0.6 * (2 / 3) ** 0.5)  # The mean of three.


def test_a_network_has_the_losses_that_its_training_has_seen(tiny: TrainingConfig, tmp_path: Path) -> None:
    ecological = tiny.changed(prior=[{"source": "bank"}], features={2: 1.0, 4: 1.0}, classes={2: 1.0, 3: 1.0})
    for config, names in (
        (tiny, ["validation_loss"]),
        (ecological, ["validation_loss", "familiar_loss"]),
    ):
        network, card = train(config, tmp_path / f"{len(names)}.safetensors", device="cpu")
        best = next(row for row in card.curve if row["step"] == card.best_step)
        found = untrained_losses(config, partial(predict, network))
        assert list(found) == names
        assert found == pytest.approx({name: best[name] for name in names}, abs=1e-5)

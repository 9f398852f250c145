"""What batches hold, and which problems they may come from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from toolkit.data import load_bank
from toolkit.errors import UsageError
from toolkit.io import sha256_of_bytes
from toolkit.models.encoders import UNKNOWN
from toolkit.seeds import Seeds
from toolkit.training import Component, TrainingConfig, bank_part, get_config, part_of
from toolkit.training.batches import Batch, Batcher, hide_feedback, make_source
from toolkit.training.validation import Validator

CPU = torch.device("cpu")


def batches(config: TrainingConfig, number: int, seed: int = 0) -> list[Batch]:
    batcher = Batcher(config, Seeds(seed), CPU)
    return [batcher.draw() for _ in range(number)]


def test_the_bank_is_split_by_problem() -> None:
    parts = {part: {problem.id for problem in bank_part(part)} for part in ("train", "validation", "test")}
    assert set.union(*parts.values()) == {problem.id for problem in load_bank()}
    assert sum(map(len, parts.values())) == len(load_bank())
    share = {part: len(ids) / len(load_bank()) for part, ids in parts.items()}
    assert share["train"] == pytest.approx(0.8, abs=0.04)
    assert share["validation"] == pytest.approx(0.1, abs=0.03)


def test_the_split_stays_as_it_is() -> None:
    """Checkpoints were trained with it; a change here makes their test problems known to them."""
    parts = " ".join(part_of(problem.id) for problem in load_bank())
    assert sha256_of_bytes(parts.encode()).startswith("b5be3ff0ed8ac9a2")
    assert part_of("animals-001") == "train" and part_of("animals-006") == "test"
    assert part_of("insects-001") == "validation"


def test_training_never_draws_a_held_out_problem() -> None:
    config = get_config("ecological", "smoke").mixed({"written": 0})
    ids = {problem.id for problem in Batcher(config, Seeds(0), CPU).sources[0].problems}
    assert {part_of(identifier) for identifier in ids} == {"train"}
    assert {part_of(p.id) for p in make_source(Component(source="bank"), "test").problems} == {"test"}


def test_validation_uses_other_problems_than_training() -> None:
    config = get_config("ecological", "smoke").mixed({"written": 0})
    validator = Validator(config, CPU)
    assert validator.familiar is not None
    assert not torch.equal(validator.familiar.x, validator.held_out.x)
    assert Validator(get_config("linear", "smoke"), CPU).familiar is None


def test_batches_have_the_sizes_that_are_asked_for() -> None:
    config = get_config(
        "linear", "smoke", features={2: 1, 5: 1}, classes={2: 1, 3: 1}, lengths={10: 1, 20: 1}, groups=4
    )
    drawn = batches(config, 40)
    assert {batch.x.shape for batch in drawn} == {(32, 10, 10), (16, 20, 10)}
    assert {n for batch in drawn for n in batch.used.sum(1).tolist()} == {2, 5}
    assert {n for batch in drawn for n in batch.possible.sum(1).tolist()} == {2, 3}
    for batch in drawn:
        assert (batch.y < batch.possible.sum(1)[:, None]).all()
        unused = batch.x.masked_select(~batch.used[:, None].expand_as(batch.x))
        assert (unused == 0.5).all()


def test_values_come_as_often_as_their_chances() -> None:
    config = get_config("linear", "smoke", features={1: 3, 4: 1}, groups=16)
    share = np.mean([(batch.used.sum(1) == 1).float().mean().item() for batch in batches(config, 60)])
    assert share == pytest.approx(0.75, abs=0.05)


def test_sources_mix_by_weight() -> None:
    prior = [Component(source="linear", weight=3), Component(source="rational", weight=1)]
    drawn = batches(get_config("linear", "smoke", prior=prior, groups=16, features={3: 1}), 60)
    # Only rational features are all 0 or 1.
    binary = [((b.x == 0) | (b.x == 1))[..., :3].all((1, 2)).float().mean().item() for b in drawn]
    assert np.mean(binary) == pytest.approx(0.25, abs=0.05)


def test_a_source_that_cannot_give_a_size_is_not_asked_for_it() -> None:
    config = get_config("ecological", "smoke").mixed({"written": 0})
    for batch in batches(config, 20):
        assert batch.used.sum(1).max() <= 6 and batch.possible.sum(1).max() <= 4
    with pytest.raises(UsageError, match="source 'bank'.*up to 6"):
        batches(config.changed(features={8: 1}), 1)


def test_no_feature_and_no_label_means_anything_by_itself() -> None:
    config = get_config(
        "ecological", "smoke", groups=8, trials_per_step=3200, features={4: 1}, classes={2: 1}
    )
    drawn = batches(config.mixed({"written": 0}), 40)
    x, y = (torch.cat([getattr(batch, name) for batch in drawn]) for name in ("x", "y"))
    assert y.float().mean().item() == pytest.approx(0.5, abs=0.04)
    x = x[..., :4] - x[..., :4].mean(1, keepdim=True)
    y = (y - y.float().mean(1, keepdim=True))[..., None]
    association = (x * y).mean((0, 1))
    assert association.abs().max() < 0.01
    assert ((x * y).mean(1).abs().mean(0) > 0.02).all()


def test_hidden_feedback_is_hidden_from_the_network_alone() -> None:
    batch = batches(get_config("linear", "smoke", hidden_feedback=0, trials_per_step=32_000), 1)[0]
    hidden = hide_feedback(batch, 0.3, Seeds(0).torch("hide"))
    assert torch.equal(hidden.y, batch.y) and torch.equal(batch.seen, batch.y)
    unknown = hidden.seen == UNKNOWN
    assert torch.equal(hidden.seen[~unknown], batch.y[~unknown])
    assert unknown.any(1).float().mean().item() == pytest.approx(0.3, abs=0.04)
    assert unknown.float().mean().item() == pytest.approx(0.15, abs=0.03)


def test_the_state_of_the_generators_is_the_whole_state() -> None:
    config = get_config("rational", "smoke")
    one, other = Batcher(config, Seeds(0), CPU), Batcher(config, Seeds(1), CPU)
    one.draw()
    for name, generator in one.generators.items():
        other.generators[name].set_state(generator.get_state())
    assert torch.equal(one.draw().x, other.draw().x)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": 0}, "steps: .*greater than or equal to 1"),
        ({"colour": 1}, "colour: Extra inputs"),
        ({"trials_per_step": 30}, "too few for 2 groups of problems with 20 trials"),
        ({"features": {11: 1}}, "features go up to 11, the network takes 10"),
        ({"prior": [{"source": "linear", "weight": 0}]}, "weight 0"),
        ({"name": "a/b"}, "name: "),
    ],
)
def test_a_config_that_cannot_be_says_so(changes: dict, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        get_config("linear", "smoke", **changes)


def test_names_get_suggestions() -> None:
    with pytest.raises(UsageError, match="Did you mean 'linear'"):
        get_config("linaer")
    with pytest.raises(UsageError, match="Did you mean 'workshop'"):
        get_config("linear", "workshp")
    with pytest.raises(UsageError, match="no source 'writen'.*Did you mean 'written'"):
        get_config("ecological").mixed({"writen": 0})

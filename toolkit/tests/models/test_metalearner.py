"""What the network of meta-learners promises, whatever its weights are."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from toolkit.errors import UsageError
from toolkit.models.attention import LOG_NOISE_UNIT, Capacity
from toolkit.models.encoders import UNKNOWN
from toolkit.models.metalearner import MetaLearnerNetwork, NetworkConfig
from toolkit.seeds import Seeds

SMALL = NetworkConfig(width=16, n_layers=3, feed_forward=32)
SMALL_PAPER = NetworkConfig("paper", 3, 2, width=16, n_layers=2, n_heads=4, feed_forward=32, dropout=0.1)
WINDOW = replace(SMALL, capacity=Capacity(attention_window=4))


def network(config: NetworkConfig = SMALL, seed: int = 0) -> MetaLearnerNetwork:
    """A network whose weights are large enough to make every difference visible."""
    made = MetaLearnerNetwork(config, generator=Seeds(seed).torch("weights"))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(2)
        for name, parameter in made.named_parameters():
            if name.endswith("sharpening"):
                parameter.fill_(0.3)
    return made.eval()


def problems(n: int = 4, trials: int = 20, features: int = 3, classes: int = 2) -> tuple:
    generator = Seeds(1).torch("problems")
    x = torch.rand(n, trials, features, generator=generator)
    return x, torch.randint(classes, (n, trials), generator=generator)


@pytest.fixture(params=["modern", "paper", "window"])
def any_network(request: pytest.FixtureRequest) -> MetaLearnerNetwork:
    return network({"modern": SMALL, "paper": SMALL_PAPER, "window": WINDOW}[request.param])


@pytest.mark.parametrize(("features", "parameters"), [(3, 400_897), (4, 400_961), (6, 401_089)])
def test_the_papers_network_has_its_number_of_parameters(features: int, parameters: int) -> None:
    assert MetaLearnerNetwork(NetworkConfig.paper(features)).n_parameters == parameters


def test_the_papers_network_computes_what_pytorchs_decoder_computes() -> None:
    """The same weights in torch.nn.TransformerDecoder, with the sequence as target and as memory."""
    ours = network(SMALL_PAPER)
    layer = nn.TransformerDecoderLayer(16, 4, 32, batch_first=True)
    theirs = nn.TransformerDecoder(layer, 2).eval()
    with torch.no_grad():
        for one, other in zip(ours.layers, theirs.layers, strict=True):
            for mine, attention in ((one.itself, other.self_attn), (one.across, other.multihead_attn)):
                attention.in_proj_weight.copy_(torch.cat([mine.queries.weight, mine.keys_values.weight]))
                attention.in_proj_bias.copy_(torch.cat([mine.queries.bias, mine.keys_values.bias]))
                attention.out_proj.load_state_dict(mine.output.state_dict())
            other.linear1.load_state_dict(one.expand.state_dict())
            other.linear2.load_state_dict(one.contract.state_dict())
            for number, norm in enumerate((other.norm1, other.norm2, other.norm3)):
                norm.load_state_dict(one.norms[number].state_dict())
        x, y = problems()
        label = torch.cat([torch.full((4, 1), 0.5), y[:, :-1].float()], 1)
        position = torch.arange(20.0)[:, None] * 10_000.0 ** (-torch.arange(0, 16, 2) / 16)
        table = torch.zeros(20, 16)
        table[:, 0::2], table[:, 1::2] = position.sin(), position.cos()
        embedded = ours.encoder.linear(torch.cat([x, label[..., None]], -1)) + table
        mask = nn.Transformer.generate_square_subsequent_mask(20)
        logit = ours.read_out(theirs(embedded, embedded, tgt_mask=mask, memory_mask=mask))[..., 0]
        torch.testing.assert_close(ours(x, y, n_classes=2)[..., 1].exp(), logit.sigmoid())


def test_probabilities_sum_to_one_over_the_possible_classes() -> None:
    x, y = problems(classes=4)
    possible = torch.tensor([2, 3, 4, 10])
    log_p = network()(x, y % possible[:, None], n_classes=possible)
    assert log_p.shape == (4, 20, 10) and log_p.dtype == torch.float32
    torch.testing.assert_close(log_p.exp().sum(-1), torch.ones(4, 20))
    assert (log_p[0, :, 2:] == -torch.inf).all() and (log_p[2, :, 4:] == -torch.inf).all()
    assert log_p[3].isfinite().all()


def test_what_comes_later_changes_nothing(any_network: MetaLearnerNetwork) -> None:
    x, y = problems()
    before = any_network(x, y, n_classes=2)
    x2, y2 = x.clone(), y.clone()
    x2[:, 12:], y2[:, 11:] = 1 - x2[:, 12:], 1 - y2[:, 11:]
    after = any_network(x2, y2, n_classes=2)
    torch.testing.assert_close(after[:, :12], before[:, :12], rtol=0, atol=1e-6)
    assert (after - before)[:, 12:, :2].abs().max() > 1e-3


def test_a_trials_own_label_is_not_read(any_network: MetaLearnerNetwork) -> None:
    x, y = problems()
    before = any_network(x, y, n_classes=2)
    for t in (0, 7, 19):
        other = y.clone()
        other[:, t] = 1 - other[:, t]
        after = any_network(x, other, n_classes=2)
        torch.testing.assert_close(after[:, : t + 1], before[:, : t + 1], rtol=0, atol=1e-6)


def test_padding_after_the_end_changes_nothing(any_network: MetaLearnerNetwork) -> None:
    x, y = problems()
    longer = torch.cat([x, torch.full((4, 5, 3), 0.7)], 1), torch.cat([y, torch.full((4, 5), UNKNOWN)], 1)
    torch.testing.assert_close(
        any_network(*longer, n_classes=2)[:, :20], any_network(x, y, n_classes=2), rtol=0, atol=1e-6
    )


def test_what_lies_in_unused_features_changes_nothing() -> None:
    x, y = problems(features=3)
    before = network()(x, y, n_classes=2)
    wider = torch.cat([x, torch.rand(4, 20, 4) * 100], -1)
    mask = torch.tensor([True] * 3 + [False] * 4)
    assert torch.equal(network()(wider, y, n_classes=2, feature_mask=mask), before)
    assert not torch.equal(network()(wider, y, n_classes=2), before)


def test_a_feature_that_is_always_one_half_is_not_the_same_as_none() -> None:
    x, y = problems()
    constant = torch.cat([x, torch.full((4, 20, 1), 0.5)], -1)
    assert (network()(constant, y, n_classes=2) - network()(x, y, n_classes=2)).abs()[..., :2].max() > 1e-3


def test_batches_of_unequal_problems_are_what_each_is_alone() -> None:
    x, y = problems(2, features=5)
    mask = torch.tensor([[True, True, False, False, False], [True] * 5])
    together = network()(x, y, n_classes=torch.tensor([2, 4]), feature_mask=mask)
    alone = network()(x[:1, :, :2], y[:1], n_classes=2)
    torch.testing.assert_close(together[:1], alone)


def test_an_unknown_label_is_told_from_every_label_and_its_features_are_still_seen() -> None:
    x, y = problems()
    made = network()
    hidden = y.clone()
    hidden[:, 9] = UNKNOWN
    answers = [made(x, other, n_classes=2)[:, 10] for other in (hidden, y.index_fill(1, torch.tensor(9), 0))]
    answers.append(made(x, y.index_fill(1, torch.tensor(9), 1), n_classes=2)[:, 10])
    moved = x.clone()
    moved[:, 9] = 1 - moved[:, 9]
    answers.append(made(moved, hidden, n_classes=2)[:, 10])
    for i, one in enumerate(answers):
        for other in answers[:i]:
            assert (one - other)[:, :2].abs().max() > 1e-4


def test_trial_by_trial_is_the_same_as_all_at_once(any_network: MetaLearnerNetwork) -> None:
    x, y = problems(classes=2)
    y[1, 5] = UNKNOWN
    mask = None if any_network.config.kind == "paper" else torch.tensor([[True, True, False]] * 4)
    state = any_network.start(4, n_classes=2, feature_mask=mask)
    answers = []
    for t in range(20):
        log_p, state = any_network.step(state, x[:, t], y[:, t - 1] if t else None)
        answers.append(log_p)
    full = any_network(x, y, n_classes=2, feature_mask=mask)
    torch.testing.assert_close(torch.stack(answers, 1).exp(), full.exp(), rtol=0, atol=1e-5)


def test_a_state_can_be_continued_in_two_ways() -> None:
    x, _ = problems()
    made = network()
    state = made.start(4, n_classes=2)
    _, state = made.step(state, x[:, 0])
    first, _ = made.step(state, x[:, 1], torch.zeros(4, dtype=torch.long))
    second, _ = made.step(state, x[:, 1], torch.ones(4, dtype=torch.long))
    again, _ = made.step(state, x[:, 1], torch.zeros(4, dtype=torch.long))
    assert torch.equal(first, again) and not torch.equal(first, second)


@pytest.mark.parametrize("config", [SMALL, SMALL_PAPER])
def test_a_thousand_trials_and_more(config: NetworkConfig) -> None:
    x, y = problems(1, 1100)
    log_p = network(config)(x, y, n_classes=2)[..., :2]
    assert log_p.shape[1] == 1100 and log_p.isfinite().all()


def test_every_weight_gets_a_gradient(any_network: MetaLearnerNetwork) -> None:
    any_network.train()
    x, y = problems()
    any_network(x, y, n_classes=2, generator=Seeds(0).torch("noise"))[..., 0].sum().backward()
    silent = [name for name, p in any_network.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert not silent


def test_the_generator_decides_the_weights_and_leaves_torchs_own_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, again, other = (network(seed=seed) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(first.read_out.weight, again.read_out.weight)
    assert not torch.equal(first.read_out.weight, other.read_out.weight)


def test_dropout_follows_the_generator_and_needs_one() -> None:
    made = network(SMALL_PAPER).train()
    x, y = problems()
    first, again = (made(x, y, n_classes=2, generator=Seeds(3).torch("noise")) for _ in range(2))
    other = made(x, y, n_classes=2, generator=Seeds(4).torch("noise"))
    assert torch.equal(first, again) and not torch.equal(first, other)
    with pytest.raises(UsageError, match="generator"):
        made(x, y, n_classes=2)


def test_a_window_forgets_what_lies_further_back_and_nothing_nearer() -> None:
    """With a window of 4, trial 12 uses the exemplars of trials 8 to 11."""
    made = network(WINDOW)
    x, y = problems()
    before = made(x, y, n_classes=2)[:, 12, :2]
    for t in range(12):
        other = y.clone()
        other[:, t] = 1 - other[:, t]
        changed = (made(x, other, n_classes=2)[:, 12, :2] - before).abs().max()
        assert (changed > 1e-5) == (t >= 8), t


def test_noise_of_memory_spreads_answers_with_its_size() -> None:
    x, y = problems(1)

    def spread(noise: float) -> float:
        made = network(replace(SMALL, capacity=Capacity(memory_noise=noise)))
        generator = Seeds(0).torch("noise")
        answers = [made(x, y, n_classes=2, generator=generator)[..., 1].exp() for _ in range(20)]
        return torch.stack(answers).std(0).mean().item()

    assert 0 < spread(0.01) < spread(0.1) < spread(0.5)
    with pytest.raises(UsageError, match="generator"):
        network(replace(SMALL, capacity=Capacity(memory_noise=0.1)))(x, y, n_classes=2)


def test_information_is_that_of_a_gaussian_channel() -> None:
    """Channels of unit power and noise variance v hold log(1 + 1/v) / 2 nats each."""
    made = network(replace(SMALL, capacity=Capacity(information_cost=0.01)))
    x, y = problems()
    found = []
    for deviation in (0.1, 1.0, 10.0):
        for layer in made.layers:
            nn.init.constant_(layer.attention.noise, math.log(deviation) / LOG_NOISE_UNIT)
        _, nats = made.forward_with_cost(x, y, 2, generator=Seeds(0).torch("noise"))
        expected = 3 * 16 * 0.5 * torch.log1p(torch.tensor(1 / deviation**2))
        torch.testing.assert_close(nats, expected, rtol=1e-3, atol=0)
        found.append(nats)
    nats.backward()
    assert all((layer.attention.noise.grad < 0).all() for layer in made.layers)
    assert found[0] > found[1] > found[2]


def test_without_limits_nothing_is_charged() -> None:
    assert network().forward_with_cost(*problems(), 2)[1] == 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: NetworkConfig(width=30, n_heads=4), "cannot be shared"),
        (lambda: NetworkConfig("old"), "no network of kind 'old'"),
        (lambda: replace(SMALL_PAPER, n_classes=3), "two classes"),
        (lambda: replace(SMALL, dropout=0.1), "no dropout"),
        (lambda: Capacity(attention_window=0), "attention_window is 0"),
        (lambda: Capacity(memory_noise=-1), "cannot be negative"),
        (lambda: network()(*problems(features=11), n_classes=2), "takes 1 to 10 features, not 11"),
        (lambda: network(SMALL_PAPER)(*problems(features=2), n_classes=2), "exactly 3 features, not 2"),
        (lambda: network()(*problems(), n_classes=11), "knows 2 to 10 classes, not 11"),
        (lambda: network()(*problems(), n_classes=torch.tensor([1, 3])[[0, 1, 1, 1]]), "classes, not 1"),
        (lambda: replace(SMALL, n_heads=0), "n_heads is 0"),
        (lambda: replace(SMALL, n_layers=-1), "n_layers is -1"),
        (lambda: network()(problems()[0], problems()[1][:, 1:], n_classes=2), "Give every trial a label"),
        (lambda: network()(problems()[0], problems()[1] + 1, n_classes=2), "beyond n_classes"),
        (lambda: network()(*problems(), n_classes=2, feature_mask=torch.ones(7)), "feature_mask says of 7"),
    ],
)
def test_what_cannot_be_says_so(make: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make()

"""What every source of problems must hold, and what makes each one what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from toolkit.errors import UsageError
from toolkit.seeds import Seeds
from toolkit.tasks import get_source, list_sources
from toolkit.tasks.linear import Linear
from toolkit.tasks.mlp import MLP, affine_agreement
from toolkit.tasks.problems import Problems, Source
from toolkit.tasks.rational import Rational
from toolkit.tasks.writing.files import save_problems
from toolkit.tasks.writing.parsing import WrittenProblem


def generator(seed: int = 0) -> torch.Generator:
    return Seeds(seed).torch("problems")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of problems with two, four and ten categories."""
    path = tmp_path_factory.mktemp("written") / "problems.jsonl"
    rng, problems = np.random.default_rng(0), []
    for k in (2, 4, 10):
        y = np.arange(80) % k
        x = rng.normal(y[:, None], 1.0, (80, 16))
        names = tuple(f"feature {i}" for i in range(16)), tuple(f"category {i}" for i in range(k))
        problems.append(WrittenProblem(str(k), *names, x, y))
    save_problems(path, problems)
    return path


@pytest.fixture(scope="module", params=list_sources())
def source(request: pytest.FixtureRequest, written: Path) -> Source:
    """Every source; those of tables with some that are always here."""
    tables = {"openml": {"tables": "sklearn"}, "written": {"tables": written}}
    return get_source(request.param, **tables.get(request.param, {}))


@pytest.mark.parametrize("features", [1, 3, 16])
@pytest.mark.parametrize("classes", [2, 4, 10])
def test_any_size_within_the_limits(source: Source, features: int, classes: int) -> None:
    features, classes = min(features, source.most_features), min(classes, source.most_classes)
    if source.name == "openml":
        classes = 10 if classes == 10 else 2  # No table of scikit-learn has four.
    problems = source.draw(20, 30, features, classes, generator=generator())
    assert problems.x.shape == (20, 30, features) and problems.x.dtype == torch.float32
    assert problems.y.shape == (20, 30) and problems.y.dtype == torch.int64
    assert problems.y.min() >= 0 and problems.y.max() < classes
    assert problems.x.isfinite().all() and problems.x.min() >= 0 and problems.x.max() <= 1


def test_the_generator_decides_and_draws_are_fresh_for_ever(source: Source) -> None:
    first, again = (source.draw(5, 20, generator=generator(1)) for _ in range(2))
    assert torch.equal(first.x, again.x) and torch.equal(first.y, again.y)
    running = generator(1)
    source.draw(5, 20, generator=running)
    assert not torch.equal(source.draw(5, 20, generator=running).x, first.x)


def test_every_class_occurs_and_every_name_is_as_good_as_another(source: Source) -> None:
    problems = source.draw(600, 60, 3, 2, generator=generator())
    share = problems.y.float().mean(1)
    assert 0.45 < share.mean() < 0.55
    assert ((share > 0) & (share < 1)).float().mean() > 0.5


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_features": 0}, "n_features is 0"),
        ({"n_features": 17}, "n_features is 17.*1 to "),
        ({"n_classes": 1}, "n_classes is 1"),
        ({"n_classes": 11}, "n_classes is 11"),
        ({"n_points": 0}, "n_points is 0.*1 or more"),
    ],
)
def test_impossible_sizes_say_what_is_possible(source: Source, changes: dict, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        source.draw(**{"n_problems": 2, "n_points": 5, **changes}, generator=generator())


def test_an_unknown_source_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match="Did you mean 'linear'"):
        get_source("linaer")
    with pytest.raises(UsageError, match="source 'linear' has no option 'noize'. Did you mean 'noise'"):
        get_source("linear", noize=0.5)


def test_scaling_by_feature_by_matrix_or_not_at_all() -> None:
    x = torch.tensor([[[0.0, 10.0, 5.0], [2.0, 30.0, 5.0]]])
    problems = Problems(x, torch.zeros(1, 2, dtype=torch.long), 2)
    assert problems.scaled().x.tolist() == [[[0.0, 0.0, 0.5], [1.0, 1.0, 0.5]]]
    torch.testing.assert_close(problems.scaled("matrix").x, x / 30)
    assert problems.scaled("none") is problems


def test_linear_problems_are_linear_until_noise_comes_in() -> None:
    clean, noisy = (Linear(noise=noise).draw(50, 150, 4, 3, generator=generator()) for noise in (0.0, 1.0))
    assert affine_agreement(clean).min() > 0.95
    assert affine_agreement(noisy).mean() < 0.8


def test_an_intercept_makes_one_class_rarer() -> None:
    def minority(source: Linear) -> float:
        share = source.draw(300, 100, generator=generator(), scaling="none").y.float().mean(1)
        return torch.minimum(share, 1 - share).mean().item()

    assert minority(Linear(intercept=2.0)) < minority(Linear()) - 0.1


def test_networks_are_nonlinear_and_the_gain_says_how_much() -> None:
    agreement = [
        affine_agreement(MLP(gain=gain).draw(60, 200, 3, 2, generator=generator())).median().item()
        for gain in (0.05, 3.0)
    ]
    assert agreement[0] > 0.97
    assert agreement[1] < 0.9


def test_no_class_of_a_network_swallows_the_others() -> None:
    share = MLP().draw(400, 200, 3, 2, generator=generator()).y.float().mean(1)
    assert torch.minimum(share, 1 - share).median() > 0.35


@pytest.mark.parametrize("coupling", [0.318, 0.8])
def test_clusters_grow_as_the_restaurant_process_says(coupling: float) -> None:
    clusters = Rational(coupling=coupling)._clusters(4000, 20, generator())
    expected = sum((1 - coupling) / (1 - coupling + coupling * t) for t in range(20))
    found = (clusters.max(1).values + 1).float().mean().item()
    assert found == pytest.approx(expected, rel=0.03)
    assert (clusters[:, 0] == 0).all()
    assert (clusters[:, 0] == clusters[:, 1]).float().mean().item() == pytest.approx(coupling, abs=0.03)


def test_things_of_a_cluster_are_alike_and_mostly_of_one_class() -> None:
    source = Rational(coupling=0.9, features="gaussian", spread=0.1)
    seed = generator(3)
    clusters = source._clusters(300, 40, generator(3))
    problems = source.draw(300, 40, 2, 2, generator=seed, scaling="none")
    same = (clusters[:, 0] == clusters[:, 1]).nonzero()[:, 0]
    distance = (problems.x[:, 0] - problems.x[:, 1]).norm(dim=1)
    assert distance[same].mean() < 0.3 < distance.mean()
    assert (problems.y[same, 0] == problems.y[same, 1]).float().mean() > 0.9


def test_binary_clusters_have_binary_features() -> None:
    x = Rational().draw(10, 50, 4, 2, generator=generator(), scaling="none").x
    assert set(x.unique().tolist()) == {0.0, 1.0}


def test_impossible_options_are_refused() -> None:
    with pytest.raises(UsageError, match="coupling is 1"):
        Rational(coupling=1)
    with pytest.raises(UsageError, match="negative"):
        Linear(noise=-1)
    with pytest.raises(UsageError, match="no network"):
        MLP(width=0)


def test_problems_know_what_they_were_drawn_from(source: Source) -> None:
    problems = source.draw(30, 20, 3, 2, generator=generator())
    if source.name in ("linear", "mlp", "rational"):
        assert problems.origin is None
    else:
        assert problems.origin.shape == (30,) and problems.origin.min() >= 0
        assert len(problems.origin.unique()) <= len(
            getattr(source, "tables", getattr(source, "problems", ()))
        )

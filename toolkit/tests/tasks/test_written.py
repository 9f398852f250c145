"""Problems that language models wrote: the published files and the source."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from toolkit.data import list_datasets
from toolkit.errors import DataError, UsageError
from toolkit.seeds import Seeds
from toolkit.tasks import get_source
from toolkit.tasks.writing.files import save_problems
from toolkit.tasks.writing.harvest import yield_table
from toolkit.tasks.writing.parsing import WrittenProblem
from toolkit.tasks.writing.published import PUBLISHED, read_published, read_published_labels
from toolkit.tasks.written import Written


def generator(seed: int = 0, device: str = "cpu") -> torch.Generator:
    return Seeds(seed).torch("written", device)


SIZES = [(3, 2, 30), (5, 2, 12), (2, 3, 40)]
"""Features, categories and points of three problems."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three problems; every value says which problem, point and feature it is."""
    problems = []
    for number, (n_features, k, n_points) in enumerate(SIZES):
        place = np.random.default_rng(number).permutation(n_points)
        x = 1000 * number + place[:, None] + np.arange(n_features) / 100
        features = tuple(f"feature {i}" for i in range(n_features))
        categories = tuple(f"category {i}" for i in range(k))
        problems.append(WrittenProblem(f"p{number}", features, categories, x, place % k))
    path = tmp_path_factory.mktemp("written") / "mine.jsonl"
    save_problems(path, problems)
    return path


def origin(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Problem, point and feature that values of the file come from."""
    return (
        (x / 1000).floor().long(),
        (x % 1000).floor().long(),
        (x.double() % 1 * 100).round().long(),
    )


def test_points_come_whole_and_none_twice(file: Path) -> None:
    problems = Written(file).draw(300, 12, 3, 2, generator=generator(), scaling="none")
    problem, point, feature = origin(problems.x)
    assert (problem == problem[:, :1, :1]).all() and (point == point[..., :1]).all()
    assert (feature == feature[:, :1]).all()
    for row in range(300):
        assert len(set(point[row, :, 0].tolist())) == 12
        assert len(set(feature[row, 0].tolist())) == 3
        # Classes are those of the points, perhaps under the other's name.
        assert problems.y[row].tolist() in (
            (point[row, :, 0] % 2).tolist(),
            (1 - point[row, :, 0] % 2).tolist(),
        )
    number = problem[:, 0, 0]
    assert 0.4 < (number == 1).float().mean() < 0.6  # Each as likely as the other, whatever its length.
    assert set(feature[number == 1].flatten().tolist()) == set(range(5))
    assert len({tuple(row) for row in feature[number == 0, 0].tolist()}) == 6


def test_a_problem_is_drawn_only_if_it_is_long_enough(file: Path) -> None:
    x = Written(file).draw(50, 13, 3, 2, generator=generator(), scaling="none").x
    assert (origin(x)[0] == 0).all()
    x = Written(file).draw(50, 40, 2, 3, generator=generator(), scaling="none").x
    assert (origin(x)[1][..., 0].sort(1).values == torch.arange(40)).all()


def test_with_replacement_any_length_goes(file: Path) -> None:
    x = Written(file, resample=True).draw(200, 90, 3, 2, generator=generator(), scaling="none").x
    problem, point, _ = origin(x)
    assert set(problem.flatten().tolist()) == {0, 1}
    counts = torch.bincount(point[problem == 1], minlength=12)
    assert len(counts) == 12 and counts.min() > 0.8 * counts.max()


def test_what_does_not_fit_is_said_with_what_would(file: Path) -> None:
    words = (
        "no problem has 2 classes, 6 features and 10 points.*2 with 2 classes, up to 5 features and 30 points"
    )
    with pytest.raises(UsageError, match=words):
        Written(file).draw(1, 10, 6, 2, generator=generator())
    with pytest.raises(UsageError, match="resample=True"):
        Written(file).draw(1, 31, 3, 2, generator=generator())
    with pytest.raises(UsageError, match="Did you mean 'claude'"):
        Written("cluade")
    with pytest.raises(DataError, match="does not exist"):
        Written("nowhere.jsonl")


def test_problems_have_names_to_read(file: Path) -> None:
    source = get_source("written", tables=[file, file])
    assert len(source.problems) == 6 and source.dataset is None
    first = source.problems[0]
    assert first.features[2] == "feature 2" and first.as_text().startswith("1: ")
    assert first.as_text().splitlines()[0].endswith(f", {first.categories[first.y[0]]}")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_problems_are_drawn_where_the_generator_is(file: Path) -> None:
    problems = Written(file).draw(10, 12, 3, 2, generator=generator(device="cuda"))
    assert problems.x.is_cuda and problems.y.is_cuda


YIELDS = {
    "claude": (
        {"read": 1000, "kept": 977, "mostly duplicates": 23},
        {"read": 65771, "kept": 63622, "duplicate": 1833},
    ),
    "claude_named": (
        {
            "read": 695,
            "kept": 127,
            "too few points": 505,
            "mostly duplicates": 54,
            "constant feature": 1,
            "mechanical sequence": 8,
        },
        {"read": 56861, "kept": 8744, "duplicate": 5660, "not a number": 41068, "label unknown": 234},
    ),
    "gpt4": ({"read": 111, "kept": 111}, {"read": 10608, "kept": 10592, "duplicate": 16}),
    "gpt3": ({"read": 128, "kept": 128}, {"read": 11485, "kept": 11482, "duplicate": 3}),
    "llama": (
        {
            "read": 11852,
            "kept": 10881,
            "constant feature": 178,
            "same as another": 614,
            "mostly duplicates": 122,
            "one class": 37,
            "mechanical sequence": 20,
        },
        {"read": 94816, "kept": 85963, "duplicate": 1754},
    ),
}


@pytest.mark.data
@pytest.mark.usefixtures("public_data")
@pytest.mark.parametrize("name", PUBLISHED)
def test_yields_of_the_published_files(name: str) -> None:
    table = yield_table([read_published(name)]).set_index(["unit", "outcome"])["count"]
    of_problems, of_rows = YIELDS[name]
    assert table["problem"].to_dict() == of_problems
    assert table["row"].to_dict() == of_rows


@pytest.mark.data
@pytest.mark.usefixtures("public_data")
@pytest.mark.parametrize(
    ("n_features", "counts"),
    [
        (3, {"read": 23421, "kept": 17440, "duplicate": 5981}),
        (4, {"read": 20690, "kept": 15642, "duplicate": 5046, "unusable names": 2}),
        (6, {"read": 13693, "kept": 10520, "duplicate": 3169, "unusable names": 4}),
    ],
)
def test_yields_of_the_published_labels(n_features: int, counts: dict[str, int]) -> None:
    harvest = read_published_labels(n_features)
    assert yield_table([harvest]).set_index("outcome")["count"].to_dict() == counts
    assert {len(label.features) for label in harvest.kept} == {n_features}


@pytest.mark.data
@pytest.mark.usefixtures("public_data")
def test_published_problems_are_a_source() -> None:
    source = get_source("written", tables=["gpt4", "claude_named"])
    problems = source.draw(64, 50, generator=generator(), scaling="none")
    assert problems.x.shape == (64, 50, 3) and problems.x.isfinite().all()
    assert source.dataset in list_datasets()
    assert any(problem.categories == ("fruit", "vegetable") for problem in source.problems)

"""Problems made of real tables."""

from __future__ import annotations

import pytest
import torch
from sklearn import datasets

from toolkit.errors import UsageError
from toolkit.seeds import Seeds
from toolkit.tasks.openml import ROWS_PER_PIECE, Tables


def generator(seed: int = 0) -> torch.Generator:
    return Seeds(seed).torch("rows")


@pytest.fixture(scope="module")
def shipped() -> Tables:
    return Tables("sklearn")


def test_rows_are_those_of_a_table_each_taken_once(shipped: Tables) -> None:
    """Iris and wine have three classes; four features fit both, so only iris can have all 150 rows."""
    problems = shipped.draw(6, 150, 4, 3, generator=generator(), scaling="none")
    iris = datasets.load_iris()
    known = {tuple(sorted(row)) for row in iris.data.astype("float32").tolist()}
    wine_sized = problems.x.amax((1, 2)) > 100
    drawn = problems.x[~wine_sized]
    assert len(drawn) and all(tuple(sorted(row)) in known for row in drawn[0].tolist())
    assert sorted(problems.y[~wine_sized][0].bincount().tolist()) == [50, 50, 50]


def test_the_most_telling_features_come_along(shipped: Tables) -> None:
    """One feature of three classes: the petal's length of iris, or the flavanoids of wine."""
    x = shipped.draw(40, 100, 1, 3, generator=generator(), scaling="none").x
    petal = set(datasets.load_iris().data[:, 2].astype("float32").tolist())
    flavanoids = set(datasets.load_wine().data[:, 6].astype("float32").tolist())
    drawn = [set(values) for values in x[..., 0].tolist()]
    assert all(values <= petal or values <= flavanoids for values in drawn)
    assert any(values <= petal for values in drawn) and any(values <= flavanoids for values in drawn)


def test_names_and_order_change_from_problem_to_problem(shipped: Tables) -> None:
    problems = shipped.draw(200, 300, 5, 2, generator=generator())
    share = problems.y.float().mean(1)
    assert 0.4 < (share > 0.5).float().mean() < 0.6
    assert len({round(value, 2) for value in problems.x[:, :, 0].mean(1).tolist()}) > 5


def test_what_no_table_offers_is_said(shipped: Tables) -> None:
    with pytest.raises(UsageError, match="no table has 2 classes, 3 features and a piece of 5000 rows"):
        shipped.draw(1, 5000, generator=generator())
    with pytest.raises(UsageError, match="no tables 'uci'"):
        Tables("uci")  # type: ignore[arg-type]


@pytest.mark.data
@pytest.mark.usefixtures("public_data")
def test_cc18_tables_in_pieces() -> None:
    source = Tables()
    assert {"electricity", "credit-g", "phoneme"} <= set(source.tables)
    assert "sick" not in source.tables  # It has missing values.
    assert int(source._n_rows.max()) < 2 * ROWS_PER_PIECE
    for classes in (2, 3, 10):
        problems = source.draw(300, 100, 4, classes, generator=generator(1))
        assert problems.x.isfinite().all() and problems.y.max() == classes - 1
    seen = source._choose_pieces(4000, 100, 4, 2, generator(2))
    share = torch.bincount(source._table[seen]).double() / 4000
    assert share.max() < 0.1  # electricity is not everything, though it has the most pieces.


def test_two_classes_of_a_larger_table_are_a_problem_too() -> None:
    problems = Tables("sklearn").draw(200, 60, 3, 2, generator=Seeds(0).torch("pairs"))
    assert len(problems.origin.unique()) == 4
    assert set(problems.y.unique().tolist()) == {0, 1}

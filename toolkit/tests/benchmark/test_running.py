"""Running a protocol: the same rows for all, results that are kept, and one tidy table."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from toolkit.benchmark import InContextClassifier, Results, Table, fair, prepare_sets, published, run_protocol
from toolkit.benchmark.running import _Job
from toolkit.benchmark.scores import measure
from toolkit.errors import DataError, UsageError

PROTOCOL = fair(2, (10, 30), 20)


class Remembering(ClassifierMixin, BaseEstimator):
    """Keeps what all its copies were fitted to."""

    seen: list = []  # noqa: RUF012

    def fit(self, X: np.ndarray, y: np.ndarray) -> Remembering:
        self.classes_ = np.unique(y)
        type(self).seen.append(X.copy())
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.classes_[np.zeros(len(X), int)]


@pytest.fixture(scope="module")
def tables() -> list[Table]:
    rng = np.random.default_rng(0)
    found = []
    for name, n_classes in (("two", 2), ("three", 3)):
        y = np.arange(180) % n_classes
        x = rng.normal(size=(180, 5)) + 1.5 * y[:, None]
        found.append(Table(name, pd.DataFrame(x), pd.Series(y)))
    return found


@pytest.fixture(scope="module")
def results(tables: list[Table], checkpoints: dict[str, Path]) -> Results:
    small = InContextClassifier(checkpoints["modern"], n_members=2)
    return run_protocol(PROTOCOL, tables, {"bayes": GaussianNB(), "ermi": small})


def test_scores_are_tidy_and_right(results: Results, tables: list[Table]) -> None:
    columns = ["model", "task", "mixture", "n_context", "set", "metric", "value"]
    assert results.scores.columns.tolist() == columns
    assert not results.scores.duplicated(columns[:-1]).any()
    assert len(results.scores) == 2 * 2 * 2 * 2 * 2 * 4
    for one in prepare_sets(PROTOCOL, tables[1]):
        fitted = GaussianNB().fit(one.x, one.y)
        expected = measure(fitted.predict_proba(one.test_x), fitted.predict(one.test_x), one.test_y)
        rows = results.scores.query(
            "model == 'bayes' and task == 'three' and mixture == @one.draw.mixture "
            "and n_context == @one.draw.n_context and set == @one.draw.set"
        )
        assert rows.set_index("metric")["value"].to_dict() == pytest.approx(expected)


def test_a_classifier_that_fails_is_named_with_its_table(tables: list[Table]) -> None:
    with pytest.raises(ValueError, match="n_neighbors") as caught:
        run_protocol(fair(1, (10,), 20), tables, {"few": KNeighborsClassifier(50)})
    assert caught.value.__notes__ == ["This was classifier 'few' on the table 'two'."]


def test_every_answer_is_in_one_bin(results: Results) -> None:
    n_rows = results.reliability.groupby(["model", "task", "mixture", "n_context"])["n"].sum()
    assert set(n_rows) == {2 * 20}
    hits = (
        results.reliability.groupby("model")["correct"].sum()
        / results.reliability.groupby("model")["n"].sum()
    )
    accuracy = results.scores.query("metric == 'accuracy'").groupby("model")["value"].mean()
    pd.testing.assert_series_equal(hits, accuracy, check_names=False)


def test_parts_and_means(results: Results) -> None:
    part = results.where(n_context=30, mixture=["balanced"])
    assert set(part.scores["n_context"]) == set(part.reliability["n_context"]) == {30}
    means = part.means("auc")
    assert means.index.tolist() == ["two", "three"] and set(means.columns) == {"bayes", "ermi"}
    assert results.calibration_errors()["bayes"] < 0.2
    with pytest.raises(UsageError, match="no metric 'f1'"):
        results.means("f1")


def test_in_context_learners_are_asked_together_as_they_would_be_alone(
    results: Results, tables: list[Table], checkpoints: dict[str, Path]
) -> None:
    one = next(prepare_sets(PROTOCOL, tables[0]))
    p = InContextClassifier(checkpoints["modern"], n_members=2).fit(one.x, one.y).predict_proba(one.test_x)
    rows = results.scores.query(
        "model == 'ermi' and task == 'two' and mixture == 'base_rate' and n_context == 10 and set == 0"
    )
    expected = measure(p, p.argmax(1), one.test_y)
    assert rows.set_index("metric")["value"].to_dict() == pytest.approx(expected, abs=1e-5)


def test_what_is_done_is_not_done_again(tables: list[Table], tmp_path: Path) -> None:
    options = {"classifiers": {"mine": Remembering()}, "folder": tmp_path}
    Remembering.seen.clear()
    first = run_protocol(PROTOCOL, tables[:1], **options)
    n_fits = len(Remembering.seen)
    both = run_protocol(PROTOCOL, tables, **options)
    assert len(Remembering.seen) == 2 * n_fits == 16
    pd.testing.assert_frame_equal(both.where(task="two").scores, first.scores)
    run_protocol(PROTOCOL, tables, seed=1, **options)
    assert len(Remembering.seen) == 4 * n_fits
    changed = tables[0]._replace(features=tables[0].features + 1)
    run_protocol(PROTOCOL, [changed], **options)
    assert len(Remembering.seen) == 5 * n_fits


def test_a_job_does_in_another_process_what_it_does_here(tables: list[Table]) -> None:
    """Starting processes costs more than all other tests of this room; notebook 07 does it in its own."""
    job = _Job(PROTOCOL, tables[0], "bayes", GaussianNB(), 0)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(job)).run(), job.run())  # noqa: S301


class Watching(Remembering):
    """Keeps how many threads libraries for algebra may use while it learns and answers."""

    threads: list = []  # noqa: RUF012

    def fit(self, X: np.ndarray, y: np.ndarray) -> Watching:
        self._look()
        return super().fit(X, y)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        self._look()
        return super().predict_proba(X)

    def _look(self) -> None:
        type(self).threads += [library["num_threads"] for library in threadpool_info()]


def test_classifiers_are_held_to_one_thread(tables: list[Table]) -> None:
    with threadpool_limits(2):
        run_protocol(PROTOCOL, tables[:1], {"watching": Watching()})
    assert Watching.threads and set(Watching.threads) == {1}


def test_tables_that_are_too_small_are_said_to_be(tables: list[Table]) -> None:
    small = Table("small", tables[0].features[:20], tables[0].target[:20])
    with pytest.raises(DataError, match="no table is large enough"):
        run_protocol(published(1), [small], {"bayes": GaussianNB()})

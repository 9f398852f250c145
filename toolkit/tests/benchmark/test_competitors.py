"""Competitors are tuned on the context alone, and the published ones are those of earlier work."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from toolkit.benchmark import fair, list_classifiers, make_classifier, run_protocol, sklearn_pairs
from toolkit.benchmark.grids import log_score
from toolkit.benchmark.tuning import Tuned, TunedMachine, stratified_folds
from toolkit.errors import UsageError

OTHERS = [
    name for name in list_classifiers() if name not in ("tabpfn", "ermi", "ermi_single", "mi", "pfn", "rmc")
]


@pytest.fixture
def rings() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Three classes that differ in the first two of three features."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 40)
    x = np.array([[0, 0, 0], [3, 0, 0], [0, 3, 0]])[y] + rng.normal(size=(120, 3))
    rows = rng.permutation(120)
    x, y = x[rows], y[rows]
    return x[:60], y[:60], x[60:], y[60:]


@pytest.mark.parametrize("name", OTHERS)
def test_every_competitor_learns_two_classes_and_three(name: str, rings: tuple) -> None:
    x, y, test_x, test_y = rings
    for n_classes in (2, 3):
        known, asked = y < n_classes, test_y < n_classes
        fitted = make_classifier(name).fit(x[known], y[known])
        p = fitted.predict_proba(test_x[asked])
        assert p.shape == (asked.sum(), n_classes)
        np.testing.assert_allclose(p.sum(1), 1, atol=1e-5)
        assert (fitted.predict(test_x[asked]) == test_y[asked]).mean() > 0.8


@pytest.mark.parametrize("name", OTHERS)
def test_every_competitor_copes_with_a_class_of_a_single_row(name: str) -> None:
    x, y = np.random.default_rng(0).random((9, 2)), np.array([0] * 8 + [1])
    p = make_classifier(name).fit(x, y).predict_proba(x)
    assert p.shape == (9, 2) and np.isfinite(p).all()


# scikit-learn's own logistic regression has scikit-learn's own answers to these.
OURS = [name for name in OTHERS if name != "logistic_regression_untuned"]


@pytest.mark.parametrize("name", OURS)
def test_classes_have_any_names_and_there_may_be_one(name: str, rings: tuple) -> None:
    x, y, test_x, _ = rings
    known = y < 2
    x, y = x[known], y[known]
    expected = make_classifier(name).fit(x, y)
    for names in (np.array(["tea", "coffee"]), np.array([7, -3])):
        fitted = make_classifier(name).fit(x, names[y])
        assert fitted.classes_.tolist() == sorted(names)
        np.testing.assert_array_equal(
            fitted.predict(test_x[::5]) == names[1], expected.predict(test_x[::5]) == 1
        )
    for rows in (slice(None), slice(1)):
        fitted = make_classifier(name).fit(x[rows], np.full(len(x[rows]), "tea"))
        assert fitted.predict_proba(test_x[:2]).tolist() == [[1], [1]]
        assert fitted.predict(test_x[:2]).tolist() == ["tea", "tea"]
    with pytest.raises(ValueError, match="continuous"):
        make_classifier(name).fit(x, x[:, 0])


@pytest.mark.parametrize("name", OTHERS)
def test_where_nothing_varies_only_shares_of_classes_are_known(name: str) -> None:
    x, y = np.ones((12, 2)), np.array([0] * 8 + [1] * 4)
    p = make_classifier(name).fit(x, y).predict_proba(x[:2])
    assert np.isfinite(p).all() and (p[:, 0] >= 0.5).all()


@pytest.mark.parametrize(
    ("name", "package"), [("xgboost", "xgboost"), ("xgboost_untuned", "xgboost"), ("tabpfn", "tabpfn")]
)
def test_a_classifier_whose_package_is_absent_is_not_listed_and_says_so(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda wanted, *rest: None if wanted == package else find(wanted, *rest)
    )
    assert name not in list_classifiers()
    with pytest.raises(UsageError, match=f"needs the package {package}, which is not installed. pip install"):
        make_classifier(name)


def test_tabpfn_is_there_if_it_is_installed() -> None:
    assert ("tabpfn" in list_classifiers()) == (importlib.util.find_spec("tabpfn") is not None)


def test_tabpfn_runs_under_a_protocol_once_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tabpfn.py").write_text(
        "from sklearn.neighbors import KNeighborsClassifier\n"
        "class TabPFNClassifier(KNeighborsClassifier):\n"
        "    def __init__(self, *, device='auto', random_state=0):\n"
        "        super().__init__()\n"
        "        self.device, self.random_state = device, random_state\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tabpfn", raising=False)
    assert "tabpfn" in list_classifiers()
    made = make_classifier("tabpfn", random_state=7)
    assert type(made).__module__ == "tabpfn" and made.random_state == 7
    results = run_protocol(fair(1, (20,), 20), sklearn_pairs()[1:2], ["tabpfn", "naive_bayes"])
    assert results.means("accuracy")["tabpfn"].iloc[0] > 0.9
    monkeypatch.delitem(sys.modules, "tabpfn")


def test_an_unknown_name_is_suggested() -> None:
    with pytest.raises(UsageError, match="Did you mean 'xgboost'"):
        make_classifier("xgbost")


def test_the_settings_chosen_predict_left_out_rows_best(rings: tuple) -> None:
    x, y, _, _ = rings
    settings = [{"n_neighbors": n} for n in (1, 5, 20, 100)]
    fitted = Tuned(KNeighborsClassifier(), settings, random_state=3).fit(x, y)
    scaled, scores = StandardScaler().fit_transform(x), {}
    for n in (1, 5, 20):
        answers = np.zeros((60, 3))
        for known, left_out in stratified_folds(y, 3):
            answers[left_out] = (
                KNeighborsClassifier(n).fit(scaled[known], y[known]).predict_proba(scaled[left_out])
            )
        scores[n] = log_score(answers, y)
    assert fitted.chosen_["n_neighbors"] == max(scores, key=scores.get)


def test_folds_hold_every_row_once_and_every_class() -> None:
    y = np.array([0] * 20 + [1] * 3)
    folds = stratified_folds(y, 0)
    assert len(folds) == 3
    assert sorted(np.concatenate([left_out for _, left_out in folds])) == list(range(23))
    assert all(set(y[known]) == {0, 1} and set(y[left_out]) == {0, 1} for known, left_out in folds)
    assert stratified_folds(np.array([0, 0, 1]), 0) == []


def test_a_tuned_machine_orders_rows_as_the_machine_it_chose(rings: tuple) -> None:
    x, y, test_x, _ = rings
    known = y < 2
    fitted = TunedMachine().fit(x[known], y[known])
    scaler = StandardScaler().fit(x[known])
    machine = SVC(**fitted.chosen_).fit(scaler.transform(x[known]), y[known])
    distances = machine.decision_function(scaler.transform(test_x))
    p = fitted.predict_proba(test_x)[:, 1]
    assert np.array_equal(p > 0.5, distances > 0)
    assert (np.diff(p[distances.argsort()]) >= 0).all()


def test_published_competitors_are_those_of_earlier_work(rings: tuple) -> None:
    import xgboost

    x, y, test_x, _ = rings
    known = y < 2
    x, y = x[known], y[known]
    booster = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(x, y))
    found = make_classifier("xgboost_untuned").fit(x, y).predict_proba(test_x)[:, 1]
    np.testing.assert_allclose(found, booster.predict(xgboost.DMatrix(test_x)), atol=1e-6)
    expected = LogisticRegression().fit(x, y).predict_proba(test_x)
    np.testing.assert_allclose(
        make_classifier("logistic_regression_untuned").fit(x, y).predict_proba(test_x), expected
    )
    machine = make_classifier("svm_untuned").fit(x, y)
    np.testing.assert_array_equal(machine.predict(test_x), SVC().fit(x, y).predict(test_x))

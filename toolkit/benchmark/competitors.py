"""What in-context learners compete with: the classifiers as they were published, and fairly tuned ones."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from toolkit.errors import UsageError, did_you_mean
from toolkit.models.checkpoints import PRIOR_OF, list_checkpoints

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin


def list_classifiers() -> list[str]:
    """Names of all classifiers that can be made here, in-context learners first."""
    return [name for name in _MAKERS if _is_here(name)]


def make_classifier(name: str, random_state: int = 0) -> ClassifierMixin:
    """A classifier by its name, not yet fitted.

    Names that end in "_untuned" have scikit-learn's and XGBoost's defaults, as earlier work used them;
    the others choose their settings by cross-validation on the context.
    """
    package = _PACKAGE_OF.get(name)
    if package and not _is_installed(package):
        raise UsageError(
            f"classifier '{name}' needs the package {package}, which is not installed.",
            fix=f"{_INSTALL[package]}, or leave it out.",
        )
    if name not in _MAKERS or not _is_here(name):
        raise UsageError(f"there is no classifier '{name}'.", fix=did_you_mean(name, list_classifiers()))
    return _MAKERS[name](random_state)


def _in_context(checkpoint: str, **options: Any) -> Callable[[int], ClassifierMixin]:
    def make(random_state: int) -> ClassifierMixin:
        from toolkit.benchmark.classifier import InContextClassifier

        return InContextClassifier(checkpoint, random_state=random_state, **options)

    return make


def _logistic_regression(random_state: int) -> ClassifierMixin:
    from sklearn.linear_model import LogisticRegression

    from toolkit.benchmark.tuning import Tuned

    settings = [{"C": value} for value in (1.0, 0.01, 0.03, 0.1, 0.3, 3.0, 10.0, 100.0)]
    return Tuned(LogisticRegression(max_iter=1000, tol=1e-3), settings, random_state)


def _svm(random_state: int) -> ClassifierMixin:
    from toolkit.benchmark.tuning import TunedMachine

    return TunedMachine(random_state=random_state)


def _nearest_neighbours(random_state: int) -> ClassifierMixin:
    from sklearn.neighbors import KNeighborsClassifier

    from toolkit.benchmark.tuning import Tuned

    numbers, weights = (5, 1, 3, 7, 10, 15, 20), ("uniform", "distance")
    settings = [{"n_neighbors": number, "weights": weight} for number in numbers for weight in weights]
    return Tuned(KNeighborsClassifier(algorithm="brute"), settings, random_state)


def _naive_bayes(random_state: int) -> ClassifierMixin:
    from sklearn.naive_bayes import GaussianNB

    from toolkit.benchmark.tuning import Tuned

    settings = [{"var_smoothing": value} for value in (1e-9, 1e-3, 1e-2, 1e-1, 0.3, 1.0)]
    return Tuned(GaussianNB(), settings, random_state)


def _random_forest(random_state: int) -> ClassifierMixin:
    from toolkit.benchmark.trees import TunedForest

    return TunedForest(random_state=random_state)


def _xgboost(random_state: int) -> ClassifierMixin:
    from toolkit.benchmark.trees import TunedBoosting

    return TunedBoosting(random_state=random_state)


def _exemplars(random_state: int) -> ClassifierMixin:
    from toolkit.benchmark.exemplars import ExemplarClassifier

    return ExemplarClassifier()


def _tabpfn(random_state: int) -> ClassifierMixin:
    from tabpfn import TabPFNClassifier

    made = TabPFNClassifier()
    # Its first versions call it a seed.
    name = "random_state" if "random_state" in made.get_params() else "seed"
    return made.set_params(**{name: random_state})


def _logistic_regression_untuned(random_state: int) -> ClassifierMixin:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression()


def _svm_untuned(random_state: int) -> ClassifierMixin:
    from toolkit.benchmark.tuning import PlattMachine

    return PlattMachine()


def _xgboost_untuned(random_state: int) -> ClassifierMixin:
    from toolkit.benchmark.trees import PublishedBoosting

    return PublishedBoosting(random_state=random_state)


_MAKERS: dict[str, Callable[[int], ClassifierMixin]] = {
    **{name: _in_context(name) for name in PRIOR_OF},
    # One reading of the context as it is given, as earlier work read it but for the scale of features.
    "ermi_single": _in_context("ermi", n_members=1, scalings=("range",)),
    "tabpfn": _tabpfn,
    "gcm": _exemplars,
    "logistic_regression": _logistic_regression,
    "svm": _svm,
    "nearest_neighbours": _nearest_neighbours,
    "random_forest": _random_forest,
    "xgboost": _xgboost,
    "naive_bayes": _naive_bayes,
    "logistic_regression_untuned": _logistic_regression_untuned,
    "svm_untuned": _svm_untuned,
    "xgboost_untuned": _xgboost_untuned,
}


_PACKAGE_OF = {"tabpfn": "tabpfn", "xgboost": "xgboost", "xgboost_untuned": "xgboost"}
_INSTALL = {"tabpfn": "pip install tabpfn", "xgboost": "pip install xgboost-cpu"}


def _is_here(name: str) -> bool:
    if name in _PACKAGE_OF:
        return _is_installed(_PACKAGE_OF[name])
    checkpoint = name.removesuffix("_single")
    return checkpoint not in PRIOR_OF or checkpoint in list_checkpoints()


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None

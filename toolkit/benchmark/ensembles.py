"""One problem read in many ways by one network, and the answers averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, get_args

import numpy as np
import torch
import torch.nn.functional as F

from toolkit.benchmark.preparation import Scaling, scale
from toolkit.benchmark.reading import QueryNetwork
from toolkit.errors import UsageError


class Question(NamedTuple):
    """What is known and what is asked.

    Attributes
    ----------
    x, y
        (points, features) in any units and (points,) class numbers 0, 1, …
    queries
        (queries, features) in the same units.
    """

    x: np.ndarray
    y: np.ndarray
    queries: np.ndarray
    n_classes: int


@dataclass(frozen=True)
class Readings:
    """The ways in which a problem is read.

    What a network answers should not depend on the order of points and features, on what classes are
    called, or on which end of each feature is up; as it does a little, answers are averaged over these. The
    first reading is the one that is given.

    Attributes
    ----------
    n_members
        How many readings.
    scalings
        Used in turn, see :func:`toolkit.benchmark.preparation.scale`.
    seed
        Decides the orders.
    """

    n_members: int = 1
    scalings: tuple[Scaling, ...] = ("range",)
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = set(self.scalings) - set(get_args(Scaling))
        if unknown or not self.scalings:
            raise UsageError(
                f"scalings are {self.scalings}.", fix=f"One or more of {', '.join(get_args(Scaling))}."
            )
        if self.n_members < 1:
            raise UsageError(f"n_members is {self.n_members}.", fix="1 or more.")


def answer(
    network: QueryNetwork, questions: Sequence[Question], readings: Readings, most_classes: int | None = None
) -> list[np.ndarray]:
    """Probabilities of every class for the queries of each question, those of one size in one pass.

    Logarithms of the readings' probabilities are averaged. With more than ``most_classes``, by default as many as
    the network has answers for, every class is asked for against all others.

    Returns
    -------
    (queries, classes) for each question.
    """
    same_size: dict[tuple, list[int]] = {}
    for number, question in enumerate(questions):
        size = (question.x.shape, question.queries.shape, question.n_classes)
        same_size.setdefault(size, []).append(number)
    found: dict[int, np.ndarray] = {}
    for (*_, n_classes), numbers in same_size.items():
        group = [questions[number] for number in numbers]
        few = n_classes <= (most_classes or network.config.n_classes)
        answers = (
            _answer_group(network, group, readings) if few else _one_against_all(network, group, readings)
        )
        found |= zip(numbers, answers, strict=True)
    return [found[number] for number in range(len(questions))]


def _one_against_all(
    network: QueryNetwork, questions: Sequence[Question], readings: Readings
) -> list[np.ndarray]:
    n_classes = questions[0].n_classes
    binary = [
        Question(question.x, (question.y == one).astype(int), question.queries, 2)
        for question in questions
        for one in range(n_classes)
    ]
    answers = np.stack(_answer_group(network, binary, readings))[..., 1]
    odds = answers.reshape(len(questions), n_classes, -1).transpose(0, 2, 1)
    return list(odds / odds.sum(-1, keepdims=True))


def _answer_group(
    network: QueryNetwork, questions: Sequence[Question], readings: Readings
) -> list[np.ndarray]:
    """Questions of one size, all their readings in one pass."""
    n_classes = questions[0].n_classes
    if n_classes == 1:
        return [np.ones((len(question.queries), 1)) for question in questions]
    scaled = {
        how: [
            np.stack(part) for part in zip(*(_scaled(question, how) for question in questions), strict=True)
        ]
        for how in readings.scalings
    }
    y = np.stack([question.y for question in questions])
    orders = _orders(*questions[0].x.shape, n_classes, readings)
    read = [_turned(*scaled[order.scaling], y, order) for order in orders]
    x, queries, y = (torch.as_tensor(np.concatenate(part)) for part in zip(*read, strict=True))
    if network.config.kind == "paper":
        missing = max(0, network.config.n_features - x.shape[-1])
        x, queries = (F.pad(part, (0, missing), value=0.5) for part in (x, queries))
    log_p = network.answer(x, y, queries, n_classes=n_classes).double().cpu()
    names = torch.tensor(np.stack([order.names for order in orders]))
    log_p = log_p.unflatten(0, (len(orders), -1))
    log_p = log_p.gather(-1, names[:, None, None].expand(*log_p.shape[:-1], -1))
    return list(log_p.mean(0).softmax(-1).numpy())


class _Order(NamedTuple):
    """One reading: the order of points and features, what classes are called, which features are turned round."""

    points: np.ndarray
    features: np.ndarray
    names: np.ndarray
    upside_down: np.ndarray
    scaling: Scaling


def _orders(n_points: int, n_features: int, n_classes: int, readings: Readings) -> list[_Order]:
    rng = np.random.default_rng(readings.seed)
    n_scalings = len(readings.scalings)
    orders, turned = [], np.zeros((n_scalings, n_features), bool)
    for number in range(readings.n_members):
        # With each scaling every name and either end of each feature are read equally often.
        turn, which = divmod(number, n_scalings)
        points, features, names = map(rng.permutation, (n_points, n_features, n_classes))
        ends = rng.random(n_features) < 0.5
        if number == 0:
            points, features, names = map(np.arange, (n_points, n_features, n_classes))
            ends = np.zeros(n_features, bool)
        elif n_classes == 2:
            names = np.array([0, 1]) if turn % 2 == 0 else np.array([1, 0])
        turned[which] = ends if turn % 2 == 0 else ~turned[which]
        orders.append(_Order(points, features, names, turned[which].copy(), readings.scalings[which]))
    return orders


def _scaled(question: Question, how: Scaling) -> tuple[np.ndarray, np.ndarray]:
    return scale(question.x, question.x, how), scale(question.x, question.queries, how)


def _turned(
    x: np.ndarray, queries: np.ndarray, y: np.ndarray, order: _Order
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, queries and classes of (questions, …) as one reading has them."""
    x, queries = (np.where(order.upside_down, 1 - part, part) for part in (x, queries))
    x, queries = x[:, order.points][..., order.features], queries[..., order.features]
    return x, queries, order.names[y[:, order.points]]

"""The best that can be done on linear problems: the average over all rules that agree with what was told."""

from __future__ import annotations

import torch

from toolkit.seeds import Seeds
from toolkit.tasks.problems import Problems, normal

N_RULES = 200_000


def linear_optimum(problems: Problems, *, n_rules: int = N_RULES, seed: int = 0) -> torch.Tensor:
    """Bayes-optimal probability of every class on every trial of noise-free linear problems.

    Rules are drawn from the prior, and those that have erred drop out; the rest vote. Few are left in the
    end, so half a vote is given to every class: the loss is a little above the optimum's, never below.

    Parameters
    ----------
    problems
        With features in their own units (``scaling="none"``).

    Returns
    -------
    (problems, trials, classes)
    """
    generator = Seeds(seed).torch("rules")
    n_features, n_classes = problems.x.shape[-1], problems.n_classes
    rules = normal(n_rules, n_features, n_classes, generator=generator)
    found = [
        _votes(x, y, rules) for x, y in zip(problems.x.to(rules.dtype), problems.y.tolist(), strict=True)
    ]
    return torch.stack(found)


def _votes(x: torch.Tensor, y: list[int], rules: torch.Tensor) -> torch.Tensor:
    """(trials, classes) shares of the rules that were right on all trials before."""
    n_classes = rules.shape[-1]
    shares = torch.empty(len(y), n_classes, dtype=torch.float64)
    for t, label in enumerate(y):
        said = torch.einsum("f,rfc->rc", x[t], rules).argmax(-1)
        votes = torch.bincount(said, minlength=n_classes) + 0.5
        shares[t] = votes / votes.sum()
        rules = rules[said == label]
    return shares

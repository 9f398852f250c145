"""Answers that nobody foresaw: right ones in other words pass, wrong ones are told what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.teaching import NotYet, read_lesson
from toolkit.tests.teaching.test_lessons import SOURCES

PROTOTYPES = """def prototypes_so_far(stimulus, category):
    found = []
    for t in range(len(stimulus)):
        of = [stimulus[:t][category[:t] == k] for k in (0, 1)]
        found.append([list(one.mean(0)) if len(one) else [{unknown}] * 3 for one in of])
    return found"""
PRIOR = """def one_feature_decides(n_problems, n_trials, generator):
    {begin}
    x = torch.rand({n}, n_trials, 3, generator=generator)
    which = torch.randint(3, ({n},), generator=generator)
    turned = torch.rand({n}, generator=generator) < {share}
    value = x[torch.arange({n}), :, which]
    return x, torch.where(turned[:, None], value < 0.5, value > 0.5).int()"""
PLAIN = {"begin": "pass", "n": "n_problems", "share": "0.5"}
LOSS = "def loss(log_p, y):\n    return {}"
PROMPT = """def my_prompt():
    return {{"title": "Bandit", "goal": "Write {{n}} programs for this task.", "description": {!r}}}"""
TOLD = "People choose one of two options and see whether it pays a reward. Chances drift slowly. "

RIGHT = [
    (1, 1, PROTOTYPES.format(unknown="np.nan")),
    (4, 1, PRIOR.format(**PLAIN)),
    (4, 2, LOSS.format("torch.nn.functional.nll_loss(log_p.flatten(0, 1), y.flatten())")),
    (
        5,
        2,
        PROMPT.format(
            "You sit in front of two slot machines. In every round you pull one of them and may win a coin. "
            "How likely it is to give a coin goes slowly up and down over time."
        ),
    ),
    (
        5,
        2,
        PROMPT.format(
            "A participant repeatedly picks the left or the right card and gets one cent or none. "
            "The odds of the cards fluctuate independently of each other during the session."
        ),
    ),
]
WRONG = [
    (1, 1, PROTOTYPES.format(unknown="0.0"), "yours begins with 0.*np.full"),
    (1, 1, "def prototypes_so_far(stimulus, category):\n    pass", "Does the function return it"),
    (4, 1, PRIOR.format(**PLAIN | {"begin": "generator = torch.Generator().manual_seed(0)"}), "seen twice"),
    (4, 1, PRIOR.format(**PLAIN | {"n": "200"}), "use n_problems"),
    (4, 1, PRIOR.format(**PLAIN | {"share": "0.05"}), "half of them should be turned"),
    (
        4,
        1,
        PRIOR.format(**PLAIN).replace("torch.rand(n_problems, n", "torch.randn(n_problems, n"),
        "between 0 and 1",
    ),
    (4, 1, PRIOR.format(**PLAIN).replace("return x, ", "return "), "Two tensors"),
    (4, 2, LOSS.format("-log_p[..., 1].mean()"), "should be"),
    (4, 2, LOSS.format("-log_p.detach().gather(-1, y[..., None]).mean()"), "cannot learn from it"),
    (5, 2, PROMPT.format(TOLD + "What is left aside loses its value bit by bit."), "gives the answer away"),
    (5, 2, PROMPT.format(TOLD.replace("two", "several") + "There are 120 trials."), "how many options"),
    (5, 2, PROMPT.format("").replace("''", "None"), "in quotation marks"),
]


def judged(number: int, exercise: int, answer: str) -> Any:
    """What the self-check makes of an answer, after the cells that come before the first exercise."""
    lesson = read_lesson(SOURCES[number - 1])
    asked = list(lesson.exercises.values())[exercise - 1]
    names: dict[str, Any] = {}
    # Of lesson 5 the imports are enough; what follows them starts processes.
    before = (
        2 if number == 5 else [cell.id for cell in lesson.notebook.cells].index(next(iter(lesson.exercises)))
    )
    for cell in lesson.notebook.cells[:before]:
        if cell.cell_type == "code":
            exec(cell.source, names)
    exec(answer, names)
    exec(asked.self_check.source, names)


@pytest.mark.parametrize(("number", "exercise", "answer"), RIGHT)
def test_right_answers_in_other_words_pass(number: int, exercise: int, answer: str) -> None:
    judged(number, exercise, answer)


@pytest.mark.parametrize(("number", "exercise", "answer", "said"), WRONG)
def test_wrong_answers_are_told_what_is_wrong(number: int, exercise: int, answer: str, said: str) -> None:
    with pytest.raises(NotYet, match=said):
        judged(number, exercise, answer)

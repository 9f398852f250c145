"""Models of the literature, written as programs, and chance: what a discovered model has to be better than."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.discovery.program import Program
from toolkit.discovery.task import Task
from toolkit.errors import UsageError, did_you_mean
from toolkit.models.base import Parameter

CHANCE = "chance"


@dataclass(frozen=True)
class _Baseline:
    """A model for the tasks of one family, of those that have the columns that it ``needs``."""

    schema: str
    idea: str
    parameters: tuple[Parameter, ...]
    text: str
    needs: tuple[str, ...] = ()

    def fits(self, task: Task) -> bool:
        return task.schema == self.schema and set(self.needs) <= set(task.columns)


def list_baselines(task: Task) -> list[str]:
    """Names of the models for a task, and of chance."""
    return [*(name for name, one in _BASELINES.items() if one.fits(task)), CHANCE]


def get_baseline(name: str, task: Task) -> Program:
    """A model of the literature as a program for a task."""
    known = list_baselines(task)
    if name not in known:
        raise UsageError(
            f"there is no baseline '{name}' for {task.schema} tasks like this one.",
            fix=did_you_mean(name, known),
        )
    if name == CHANCE:
        return _chance(task)
    one = _BASELINES[name]
    return Program(name, one.text, one.parameters, task, one.idea)


def _chance(task: Task) -> Program:
    uniform = "def {}(n_options):\n    weights = np.ones(n_options)\n    return weights\n"
    text = "\n".join(uniform.format(stage.function) for stage in task.stages)
    return Program(CHANCE, text, (), task, "Every option is chosen equally often.")


_RATE = Parameter("rate", 0.0, 1.0, "learning rate")
_BETA = Parameter("beta", 0.0, 10.0, "steepness of choices")

_DAW = """
def init(n_states, n_options):
    first = np.zeros(n_options)
    second = np.zeros((n_states, n_options))
    last = -1
    return first, second, last

def predict(first, second, last, w, beta, perseveration):
    drive = np.zeros(2)
    for k in range(2):
        common = max(second[k, 0], second[k, 1])
        rare = max(second[1 - k, 0], second[1 - k, 1])
        drive[k] = beta * (w * (0.7 * common + 0.3 * rare) + (1 - w) * first[k])
    if last >= 0:
        drive[last] += perseveration
    return softmax(drive)

def predict_2(second, state, beta_2):
    return softmax(second[state], beta_2)

def update(first, second, choice, state, choice_2, reward, rate, rate_2, trace):
    error = reward - second[state, choice_2]
    first[choice] += rate * (second[state, choice_2] - first[choice] + trace * error)
    second[state, choice_2] += rate_2 * error
    return first, second, choice
"""

_WEIGHTED = """
def predict(attributes, n_options, n_features, beta):
    drive = np.zeros(n_options)
    for k in range(n_options):
        for i in range(n_features):
            drive[k] += {weight} * attributes[k, i]
    return softmax(drive, beta)
"""

_TAKE_THE_BEST = """
def predict(attributes, n_options, n_features, beta):
    drive = np.zeros(n_options)
    found = 0
    for i in range(n_features):
        for k in range(n_options):
            if attributes[k, i] != attributes[0, i]:
                found = 1
        if found > 0:
            for k in range(n_options):
                drive[k] = attributes[k, i]
            break
    return softmax(drive, beta)
"""

_FOUR_WEIGHTS = """
def predict(attributes, n_options, weight_1, weight_2, weight_3, weight_4):
    drive = np.zeros(n_options)
    for k in range(n_options):
        drive[k] = weight_1 * attributes[k, 0] + weight_2 * attributes[k, 1]
        drive[k] += weight_3 * attributes[k, 2] + weight_4 * attributes[k, 3]
    return softmax(drive)
"""

_DELTA_RULE = """
def init(n_contexts, n_options):
    value = np.zeros((n_contexts, n_options))
    return value

def predict(value, context, beta):
    return softmax(value[context], beta)

def update(value, context, choice, reward, rate):
    value[context, choice] += rate * (reward - value[context, choice])
    return value
"""

_WORKING_MEMORY = """
def init(n_contexts, n_options, set_size, weight, capacity):
    value = np.ones((n_contexts, n_options)) / n_options
    memory = np.ones((n_contexts, n_options)) / n_options
    share = weight * min(1.0, capacity / set_size)
    return value, memory, share

def predict(value, memory, share, context, n_options, beta, lapse):
    slow = softmax(value[context], beta)
    fast = softmax(memory[context], beta)
    p = np.zeros(n_options)
    for k in range(n_options):
        p[k] = lapse / n_options + (1 - lapse) * (share * fast[k] + (1 - share) * slow[k])
    return p

def update(value, memory, share, context, choice, reward, rate, decay, n_contexts, n_options):
    value[context, choice] += rate * (reward - value[context, choice])
    for c in range(n_contexts):
        for k in range(n_options):
            memory[c, k] += decay * (1 / n_options - memory[c, k])
    memory[context, choice] = reward
    return value, memory, share
"""

_BASELINES = {
    "daw_hybrid": _Baseline(
        "two_step",
        "Planning and habit share the first choice (Daw et al., 2011).",
        (
            Parameter("rate", 0.0, 1.0, "learning of first choices"),
            Parameter("rate_2", 0.0, 1.0, "learning of second choices"),
            Parameter("beta", 0.0, 10.0, "steepness of first choices"),
            Parameter("beta_2", 0.0, 10.0, "steepness of second choices"),
            Parameter("w", 0.0, 1.0, "weight of planning"),
            Parameter("trace", 0.0, 1.0, "how much of the last surprise reaches the first choice"),
            Parameter("perseveration", 0.0, 5.0, "repeating the first choice"),
        ),
        _DAW,
    ),
    "wadd": _Baseline(
        "multi_attribute",
        "Attributes are added up, weighted by validities of .9, .8, .7 and so on (Hilbig & Moshagen, 2014).",
        (_BETA,),
        _WEIGHTED.format(weight="(0.9 - 0.1 * i)"),
    ),
    "tallying": _Baseline(
        "multi_attribute", "Attributes are counted.", (_BETA,), _WEIGHTED.format(weight="1.0")
    ),
    "take_the_best": _Baseline(
        "multi_attribute",
        "The first attribute that tells the options apart decides (Gigerenzer & Goldstein, 1996).",
        (_BETA,),
        _TAKE_THE_BEST,
    ),
    "four_weights": _Baseline(
        "multi_attribute",
        "Each of four attributes has a weight of its own.",
        tuple(Parameter(f"weight_{i}", 0.0, 10.0, f"weight of attribute {i}") for i in range(1, 5)),
        _FOUR_WEIGHTS,
    ),
    "rl_wm": _Baseline(
        "bandit",
        "A slow learner, and a working memory that holds few items and forgets (Collins & Frank, 2012).",
        (
            _RATE,
            Parameter("beta", 0.0, 20.0, "steepness of choices"),
            Parameter("weight", 0.0, 1.0, "share of working memory while everything fits in"),
            Parameter("capacity", 2.0, 5.0, "items that fit into working memory"),
            Parameter("decay", 0.0, 1.0, "forgetting in working memory"),
            Parameter("lapse", 0.0, 1.0, "share of choices made at random"),
        ),
        _WORKING_MEMORY,
        needs=("set_size",),
    ),
    "delta_rule": _Baseline(
        "bandit",
        "The value of what was chosen moves towards its reward (Rescorla & Wagner, 1972).",
        (_RATE, Parameter("beta", 0.0, 20.0, "steepness of choices")),
        _DELTA_RULE,
    ),
}

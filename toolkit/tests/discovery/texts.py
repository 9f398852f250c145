"""Texts of candidates that the tests share."""

from __future__ import annotations

DELTA_RULE = '''
import numpy as np

def init(n_options):
    value = np.zeros(n_options)
    last = -1
    return value, last

def predict(value, last, steepness, stickiness):
    """Better options, and the last one, are chosen more often."""
    weight = np.zeros(len(value))
    for k in range(len(value)):
        weight[k] = value[k] + (stickiness if k == last else 0.0)
    return softmax(weight, steepness)

def update(value, choice, reward, rate):
    value[choice] += rate * (reward - value[choice])
    return value, choice
'''

LEGACY_TWO_STEP = '''
def cognitive_model1(choice_1, state, choice_2, reward, model_parameters):
    """Model-free learning at both stages.

    Parameters
    ----------
    learning_rate in [0, 1], beta in [0, 10]
    """
    (
        learning_rate,
        beta,
    ) = model_parameters  # spans lines
    n_trials = len(choice_1)

    def policy(q):
        e = np.exp(beta * (q - np.max(q)))
        return e / np.sum(e)

    q_first = np.zeros(2)
    q_second = np.zeros((2, 2))
    log_loss = 0.0
    for t in range(n_trials):
        a1, s, a2, r = int(choice_1[t]), int(state[t]), int(choice_2[t]), reward[t]
        log_loss -= np.log(policy(q_first)[a1] + 1e-10)
        log_loss -= np.log(policy(q_second[s])[a2] + 1e-10)
        q_second[s, a2] += learning_rate * (r - q_second[s, a2])
        q_first[a1] += learning_rate * (q_second[s, a2] - q_first[a1])
    return log_loss
'''

LEGACY_REWRITTEN = '''
def cognitive_model1(action_1, state, reward, model_parameters):
    """What language models like to write, and numba does not know as it stands."""
    rate, beta, w = model_parameters
    if w == 0:
        raise ValueError(f"no weight of {w}")
    state = state.astype(int)
    common = np.array([[0.7, 0.3], [0.3, 0.7]], dtype=float)
    value = np.zeros((2, 2), dtype=float)
    previous = None

    def first_is_chosen(x):
        return np.clip(1 / (1 + np.exp(-beta * x)), 0.001, 0.999)

    nll = 0.0
    for t in range(len(action_1)):
        planned = common @ np.max(value, axis=1)
        drive = w * (planned[0] - planned[1])
        if previous is not None:
            drive += value[previous, 0] - 0.1
        p = first_is_chosen(drive)
        nll -= np.log(p if action_1[t] == 0 else 1 - p)
        value[state[t], action_1[t]] += rate * (reward[t] - value[state[t], action_1[t]])
        previous = action_1[t]
    return float(nll)
'''

ORDINARY = {
    "legacy, in many words": LEGACY_REWRITTEN,
    "contract": DELTA_RULE,
    "legacy": LEGACY_TWO_STEP,
    "comprehensions and lambdas": """
SCALE = 0.5

def model(stimulus: np.array, choices, parameters) -> float:
    weights = [p ** 2 for p in parameters]
    squash = lambda x: 1 / (1 + np.exp(-x))
    total: float = 0.0
    for x, c in zip(stimulus, choices):
        p = np.clip(squash(np.dot(np.array(weights), x)), 1e-9, 1 - 1e-9)
        total += -(c * np.log(p) + (1 - c) * np.log(1 - p)) * SCALE
    if not np.isfinite(total):
        raise ValueError(f"likelihood is {total}")
    return float(total)
""",
    "methods and containers": """
def model(actions, rewards, parameters):
    alpha, beta = map(float, parameters)
    q, seen = {}, set()
    history = []
    for t, (a, r) in enumerate(zip(actions.astype(int), rewards)):
        q.setdefault(a, 0.0)
        seen.add(a) if False else history.append(a)
        q[a] = q.get(a, 0) + alpha * (r - q[a])
        try:
            value = np.array(list(q.values())).max().item()
        except ValueError:
            value = 0
    return -sum(np.log(np.full(3, 1 / 3)).tolist()) * beta
""",
}

EVERYTHING_REWRITTEN = '''
DECAY = 0.9

def squash(x, slope):
    """A function of its own."""
    return 1 / (1 + np.exp(-slope * x))

def init(n_options, bias):
    value = np.ones(n_options) / n_options
    habit = np.array([[0.1, bias], [0.2, 0.3]])
    seen = np.zeros(n_options, dtype=int)
    pace = 0.5
    last = -1
    return value, habit, seen, pace, last

def predict(value, habit, seen, pace, last, trial, context, n_options):
    weight = np.zeros(n_options)
    for k in range(n_options):
        weight[k] = squash(value[k] + habit[context, k], 2.0) * pace + 0.01 * seen[k]
        if k == last and trial > 0:
            weight[k] += 0.1
    shares = softmax(weight, 3.0)
    return shares

def update(value, habit, seen, pace, last, choice, reward, rate, forgetting):
    habit *= DECAY
    value = value * (1 - forgetting)
    if reward > 0:
        pace = 0.8 * pace + 0.2 * rate
    else:
        pace = pace + 0.01
    value[choice] += rate * (reward - value[choice])
    habit[choice, 0] += 0.1 * rate
    seen[choice] += 1
    return value, habit, seen, pace, choice
'''

NOT_COMPILED = """
def init(n_options):
    value = np.zeros(n_options)
    history = []
    return value, history

def predict(value, history, steepness):
    boost = np.array([history[-3:].count(k) for k in range(len(value))])
    e = np.exp(steepness * (value + 0.1 * boost))
    return e / e.sum()

def update(value, history, choice, reward, rate):
    value = value + rate * (reward - value) * (np.arange(len(value)) == choice)
    return value, history + [choice]
"""

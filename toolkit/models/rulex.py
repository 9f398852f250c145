"""RULEX: rules that are found by trial and error, with exceptions that are remembered."""

from __future__ import annotations

import numpy as np
import torch

from toolkit.errors import UsageError
from toolkit.models.base import Parameter
from toolkit.models.sequential import SequentialModel
from toolkit.trials import Trials


class Rulex(SequentialModel):
    """Rule-plus-exception learning (Nosofsky, Palmeri & McKinley, 1994, Psychological Review 101, 53–79).

    Of two categories. A person guesses until the first feedback and then always holds one rule. There is a
    rule for each feature and each way round (a feature is there from one half up) and there are ten for each
    pair of features: one of the four combinations against the others, or alike against unlike, each way
    round. The answer is that of the rule, or the other one if this very stimulus is stored as an exception.
    A share ``lapse`` of choices is guesses. After right answers nothing changes. After wrong ones

    * with probability ``store`` the rule is kept and the label of this stimulus is stored with it,
    * otherwise with probability ``give_up`` the rule is given up together with its exceptions, and a new
      one drawn from those that fit this trial: with probability ``complexity`` a rule for a pair, otherwise
      (and always the first time) one for a single feature,
    * otherwise nothing changes.

    Whether an answer was right is judged by what was meant, not by a lapse. Which rule a person holds is
    hidden, so predictions are means over all rules, weighted by how probable the person's own choices so far
    make each (the forward algorithm of a hidden Markov model).

    One step is an approximation. Given the rule and when it was drawn, exceptions of different stimuli are
    independent; here they count as independent given the rule alone, with one probability a stimulus,
    the mean over the times at which it can have been drawn. In 48 trials of Shepard's problems
    this changes probabilities by .003 on average and a person's log-likelihood by .1, at most by 1.
    """

    name = "rulex"
    schemas = ("category_learning",)
    sums_over_choices = True
    parameters = (
        # On 0 and 1 themselves some choices and some pasts of a rule would be impossible.
        Parameter("store", 0.001, 0.999, "probability of storing an exception after an error"),
        Parameter("give_up", 0.001, 0.999, "probability of giving up the rule after any other error"),
        Parameter("complexity", 0.001, 0.999, "probability that a new rule is for a pair of features"),
        Parameter("lapse", 0.001, 1.0, "share of choices that are guesses, both answers equally often"),
    )

    def _by_sequence(self, theta: torch.Tensor, trials: Trials) -> torch.Tensor:
        rows = super()._by_sequence(theta, trials)
        if trials.n_options != 2:
            raise UsageError(
                f"rules are for two categories, not {trials.n_options}.", where=f"model '{self.name}'"
            )
        return rows

    @staticmethod
    def learn(store, give_up, complexity, lapse, stimulus, category, choice, p):
        n_trials, n_features = stimulus.shape
        n_rules = 2 * n_features + 5 * n_features * (n_features - 1)
        pair = complexity if n_features > 1 else 0.0
        number = np.zeros(n_trials, dtype=np.int64)
        fill_numbers(stimulus, number)
        answer = np.zeros((int(largest(number)) + 1, n_rules))
        fill_answers(stimulus, number, answer)
        # How probable it is to hold each rule, and before the first feedback or after giving one up to be
        # about to draw one for a single feature or for a pair: all up to a common factor.
        weight = np.zeros(n_rules)
        searching = np.zeros(2)
        searching[0] = 1.0
        # An exception is stored with a rule with the probability exception[s, h] * fading[h]: a rule that is
        # drawn anew has none, so all fade, and one number a rule spares going through all stimuli.
        exception = np.zeros(answer.shape)
        fading = np.ones(n_rules)
        for t in range(n_trials):
            if t % 16 == 0:
                normalise(weight, searching)
            s = number[t]
            second = share_of_second(weight, searching, exception[s], fading, answer[s])
            p[t, 1] = (1.0 - lapse) * second + 0.5 * lapse
            p[t, 0] = 1.0 - p[t, 1]
            told = category[t] >= 0
            right = category[t] if told else choice[t]
            if right < 0:
                continue
            odds = odds_of(choice[t], right, lapse)
            searching[0] *= 0.5 * (1.0 + odds)
            storing = store if told else 0.0
            leaving = give_up if told else 0.0
            revise(right, odds, storing, leaving, pair, weight, searching, exception[s], fading, answer[s])
            if told:
                draw(right, n_features, weight, searching, exception, fading, answer[s])


def fill_numbers(stimulus, number):
    """Number the different stimuli in the order in which they are first shown, (trials,)."""
    n_features = stimulus.shape[1]
    n_stimuli = 0
    for t in range(len(number)):
        number[t] = n_stimuli
        for earlier in range(t):
            i = 0
            while i < n_features and stimulus[earlier, i] == stimulus[t, i]:
                i += 1
            if i == n_features:
                number[t] = number[earlier]
                break
        if number[t] == n_stimuli:
            n_stimuli += 1


def largest(number):
    """The largest of some whole numbers that are not negative."""
    found = 0
    for t in range(len(number)):
        found = max(found, number[t])
    return found


def fill_answers(stimulus, number, answer):
    """Fill in what every rule says of a stimulus, 0 or 1, (stimuli, rules): single features, then pairs."""
    n_features = stimulus.shape[1]
    n_filled = 0
    for t in range(len(number)):
        if number[t] < n_filled:
            continue
        n_filled += 1
        h = 0
        for i in range(n_features):
            fill_both_ways(stimulus[t, i] >= 0.5, answer[number[t]], h)
            h += 2
        for i in range(n_features):
            for j in range(i):
                # Four rules pick out one combination, the fifth those where the features differ.
                combination = (2 if stimulus[t, i] >= 0.5 else 0) + (1 if stimulus[t, j] >= 0.5 else 0)
                for special in range(4):
                    fill_both_ways(combination == special, answer[number[t]], h)
                    h += 2
                fill_both_ways(combination == 1 or combination == 2, answer[number[t]], h)
                h += 2


def fill_both_ways(holds, answer, h):
    """Fill in a rule's answer and the opposite, at ``h`` and behind it."""
    answer[h] = 1.0 if holds else 0.0
    answer[h + 1] = 0.0 if holds else 1.0


def odds_of(choice, right, lapse):
    """How much more likely a choice is if the wrong answer was meant than if the right one was."""
    if choice < 0:
        return 1.0
    return lapse / (2.0 - lapse) if choice == right else (2.0 - lapse) / lapse


def share_of_second(weight, searching, exception, fading, answer):
    """Probability that the second category is meant; whoever has no rule guesses."""
    total = searching[0]
    second = 0.5 * searching[0]
    for h in range(len(weight)):
        total += weight[h]
        if answer[h] > 0.0:
            second += weight[h]
        if exception[h] > 0.0:
            moved = weight[h] * exception[h] * fading[h]
            second += -moved if answer[h] > 0.0 else moved
    return second / total


def revise(right, odds, store, give_up, pair, weight, searching, exception, fading, answer):
    """Condition everything on the choice; keep, amend or give up rules by what was right."""
    leaving = (1.0 - store) * give_up
    staying = (1.0 - store) * (1.0 - give_up)
    lost = 0.0
    for h in range(len(weight)):
        fits = answer[h] == right
        if fits and exception[h] == 0.0:
            continue
        good = 1.0 - exception[h] * fading[h] if fits else exception[h] * fading[h]
        bad = odds * (1.0 - good)
        lost += weight[h] * bad * leaving
        good += bad * store
        bad *= staying
        kept = good + bad
        weight[h] *= kept
        if kept > 0.0:
            exception[h] = (bad if fits else good) / (kept * fading[h])
    searching[0] += lost * (1.0 - pair)
    searching[1] += lost * pair


def draw(right, n_features, weight, searching, exception, fading, answer):
    """Let those without a rule draw one that fits."""
    n_single = 2 * n_features
    for h in range(len(weight)):
        if answer[h] == right:
            # Of the rules for one feature one in two fits, and so it is with the ten for a pair.
            new = searching[0] / n_features if h < n_single else searching[1] * 2.0 / (len(weight) - n_single)
            if new > 0:
                fading[h] *= weight[h] / (weight[h] + new)
                weight[h] += new
                if fading[h] < 1e-30:
                    for s in range(len(exception)):
                        exception[s, h] *= fading[h]
                    fading[h] = 1.0
    searching[0] = 0.0
    searching[1] = 0.0


def normalise(weight, searching):
    """Divide by the sum, as products of many likelihoods become too small or too large for a number."""
    total = searching[0]
    for h in range(len(weight)):
        total += weight[h]
    searching[0] /= total
    for h in range(len(weight)):
        weight[h] /= total

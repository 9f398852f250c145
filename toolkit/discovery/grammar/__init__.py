"""A typed grammar of cognitive mechanisms, and the programs that its sketches are written as."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.discovery.grammar.bandit import bandit_grammar
from toolkit.discovery.grammar.category_learning import GRAMMAR as CATEGORY_LEARNING
from toolkit.discovery.grammar.mechanisms import Grammar, Kind, Mechanism, Sketch
from toolkit.discovery.grammar.multi_attribute import multi_attribute_grammar
from toolkit.discovery.grammar.two_step import GRAMMAR as TWO_STEP
from toolkit.discovery.grammar.writing import write, write_text
from toolkit.discovery.task import Task
from toolkit.errors import UsageError

__all__ = ["Grammar", "Kind", "Mechanism", "Sketch", "grammar_for", "write", "write_text"]


def grammar_for(task: Task, *, validities: Sequence[float] = ()) -> Grammar:
    """The grammar of a family of trials.

    Parameters
    ----------
    validities
        Of the attributes of options, where people were told them.
    """
    match task.schema:
        case "two_step":
            return TWO_STEP
        case "bandit":
            return bandit_grammar("set_size" if "set_size" in task.about else "")
        case "multi_attribute":
            return multi_attribute_grammar(task.sizes["n_features"], validities)
        case "category_learning":
            return CATEGORY_LEARNING
    raise UsageError(
        f"there is no grammar of mechanisms for {task.schema} trials.",
        fix="Use another proposer, or trials of another family.",
    )

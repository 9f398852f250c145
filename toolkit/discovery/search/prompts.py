"""The prompt of a search, in sections that can be looked at before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.discovery.baselines import CHANCE, get_baseline
from toolkit.discovery.priors import written_forms
from toolkit.discovery.proposers.base import Situation, content_of
from toolkit.discovery.search.config import SearchConfig
from toolkit.discovery.search.examples import tell
from toolkit.discovery.search.study import Study
from toolkit.discovery.task import Task

GOAL = (
    "Write {n} programs that explain how single people choose in this task. They should differ in their ideas "
    "about the mind, and each should be as simple as it can be: every parameter costs."
)
GUARDRAILS = (
    "Use every parameter that you name, and name every number that may differ between people.",
    "Bound learning rates and weights of mixtures by 0 and 1, and steepness by 0 and 20.",
    "As the prior of a parameter write how its values are spread over people, where you have reason to: "
    f"{written_forms()}; else an empty text. beta is stretched over the bounds.",
    "Use plain loops over options and arrays from np.zeros, np.ones or np.full; import nothing.",
    "Never use names with two underscores, classes, decorators or global variables.",
)

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "programs": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "idea": {"type": "string"},
                    "parameters": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {
                                "name": {"type": "string"},
                                "lower": {"type": "number"},
                                "upper": {"type": "number"},
                                "prior": {"type": "string"},
                                "meaning": {"type": "string"},
                            },
                            "required": ["name", "lower", "upper", "prior", "meaning"],
                            "additionalProperties": False,
                        },
                    },
                    "code": {"type": "string"},
                },
                "required": ["name", "idea", "parameters", "code"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["programs"],
    "additionalProperties": False,
}
"""What a reply has to look like."""


def prompt_sections(
    config: SearchConfig, study: Study, situation: Situation, feedback: str = ""
) -> dict[str, str]:
    """The sections of a prompt by their headings, in order."""
    import json

    goal = (config.asking.goal or GOAL).replace("{n}", str(situation.n))
    example = content_of(get_baseline(config.baselines[0] if config.baselines else CHANCE, study.task))
    example["parameters"] = [{"prior": "", **one} for one in example["parameters"]]
    sections = {
        "Task": f"{config.title}. {config.description.strip()}",
        "People": tell(study.prompt, study.task, config.text),
        "What a program is": describe_contract(study.task),
        "Goal": goal,
        "Rules": "\n".join(f"- {rule}" for rule in (*GUARDRAILS, *config.asking.guardrails)),
        "Reply": "Reply with JSON alone, of this form (the program in it is an example, known already):\n"
        + json.dumps({"programs": [example]}, indent=1),
    }
    if feedback:
        sections["What was tried"] = feedback
    return sections


def prompt_text(sections: Mapping[str, str]) -> str:
    """The prompt as it is sent."""
    return "\n\n".join(f"### {heading}\n{text}" for heading, text in sections.items())


def describe_contract(task: Task) -> str:
    """The contract of programs for a task, in words."""
    lines = [
        "A program is a few functions in Python. Each takes what it needs by name and nothing else:",
        f"- any parameter; any part of the state; the sizes {_list(f'{n} (= {v})' for n, v in task.sizes.items())};",
        "- and, of the trial, the columns that are known when it is called, as listed here.",
        f"`init` is called once and ends with `return a, b, …`, the names of the state{_after(task, 'init')}.",
    ]
    for stage in task.stages:
        lines.append(
            f"`{stage.function}` returns an array with a weight of at least 0 for every option of "
            f"`{stage.choice}`, which are made probabilities{_after(task, stage.function)}. "
            "`softmax(values, steepness)` is there. It changes nothing."
        )
    lines.append(
        f"`update` is called after the trial and returns the whole state in the same order{_after(task, 'update')}."
    )
    lines.append("A program that learns nothing does without `init` and `update`. np and math are there.")
    return "\n".join(lines)


def _after(task: Task, function: str) -> str:
    known = [f"`{name}`{_shape(task, name)}" for name in task.known_to(function)]
    return f"; it can take {_list(known)}" if known else "; it can take no column"


def _shape(task: Task, name: str) -> str:
    column = task.columns[name]
    kind = {"code": "whole number", "number": "number", "flag": "True or False"}[column.kind]
    return f" ({kind}{', array' * min(1, column.n_axes)})"


def _list(words: Any) -> str:
    return ", ".join(words)

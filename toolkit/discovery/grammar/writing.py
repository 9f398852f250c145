"""Writes a sketch as a program: its mechanisms' lines, put together, with the arguments that they need."""

from __future__ import annotations

import ast
from textwrap import dedent, indent

from toolkit.discovery.grammar.mechanisms import Grammar, Mechanism, Sketch
from toolkit.discovery.program import Program
from toolkit.discovery.task import Task
from toolkit.syntax import parse_module

_BEGIN = "drive = np.zeros(n_options)"
_END = "return softmax(drive)"

IDEA_OF_NOTHING = "People choose at random."


def write(grammar: Grammar, sketch: Sketch, task: Task, name: str) -> Program:
    """The program of a sketch, which keeps the contract of the task."""
    return Program(
        name,
        write_text(grammar, sketch, task),
        grammar.parameters(sketch),
        task,
        " ".join(mechanism.idea for mechanism in grammar.mechanisms(sketch)) or IDEA_OF_NOTHING,
    )


def write_text(grammar: Grammar, sketch: Sketch, task: Task) -> str:
    """The text of a sketch."""
    mechanisms = grammar.mechanisms(sketch)
    state = [name for mechanism in mechanisms for name in mechanism.state]
    parameters = [parameter.name for parameter in grammar.parameters(sketch)]
    end = next((mechanism.end for mechanism in mechanisms if mechanism.end), _END)
    parts = []
    for function in task.functions:
        if function in grammar.stages:
            body = [_BEGIN, *_lines(mechanisms, function), end]
        elif state:
            body = [*_lines(mechanisms, function), f"return {', '.join(state)}"]
        else:
            continue  # Who remembers nothing has nothing to begin with or to learn.
        own_state = [] if function == "init" else state
        known = [*own_state, *parameters, *task.known_to(function), *task.sizes]
        parts.append(_function(function, body, known))
    return "\n\n".join(parts) + "\n"


def _lines(mechanisms: list[Mechanism], function: str) -> list[str]:
    return [mechanism.lines[function] for mechanism in mechanisms if function in mechanism.lines]


def _function(name: str, body: list[str], known: list[str]) -> str:
    text = "\n".join(dedent(lines).strip("\n") for lines in body)
    used = {
        node.id
        for node in ast.walk(parse_module(f"def f():\n{indent(text, ' ')}"))
        if isinstance(node, ast.Name)
    }
    arguments = ", ".join(dict.fromkeys(one for one in known if one in used))
    return f"def {name}({arguments}):\n{indent(text, '    ')}"

"""Parameters are data: from the command line through the model into the notebook, and nothing else.

Papermill pastes the *name* of a parameter into the notebook as it is, turns tuples into text and
lets unknown names pass; so only checked names and JSON values ever reach it.
"""

from __future__ import annotations

import ast
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import DataError, UsageError, did_you_mean
from toolkit.sections import SectionParams, validate_params

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from toolkit.pipeline.plan import Pipeline
    from toolkit.pipeline.secrets import Secrets

Overrides = dict[str, dict[str, Any]]
"""Values set by hand, by section and name."""

PARAMETERS_TAG = "parameters"


def parse_settings(settings: list[str], pipeline: Pipeline, sections: list[str]) -> Overrides:
    """Overrides from texts such as "03.seed=1", or "seed=1" for every section that has a seed.

    >>> parse_settings([], None, [])
    {}
    """
    overrides: Overrides = {}
    for setting in settings:
        left, equals, text = setting.partition("=")
        section, dot, name = left.strip().rpartition(".")
        if not equals:
            raise UsageError(
                f"'{setting}' sets nothing.", fix="Write it as NAME=VALUE or SECTION.NAME=VALUE."
            )
        if not name.isidentifier():
            raise UsageError(f"'{name}' cannot be the name of a parameter.", where=f"--set {setting}")
        if name == "profile":
            raise UsageError(
                "the profile is not a setting.",
                where=f"--set {setting}",
                fix=f"Use --profile {text.strip()}.",
            )
        value = _parse_value(text, setting)
        for target in [pipeline.find(section)] if dot else _sections_with(name, pipeline, sections):
            overrides.setdefault(target, {})[name] = value
    return overrides


def _sections_with(name: str, pipeline: Pipeline, sections: list[str]) -> list[str]:
    fields = {section: pipeline.section(section, "").params_model().model_fields for section in sections}
    having = [section for section, known in fields.items() if name in known]
    if not having:
        raise UsageError(
            f"no section has a parameter '{name}'.",
            fix=did_you_mean(name, {f for k in fields.values() for f in k}),
        )
    return having


def _parse_value(text: str, setting: str) -> Any:
    def refuse(constant: str) -> None:
        raise UsageError(f"{constant} is not a value.", where=f"--set {setting}", fix="Give a finite number.")

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError:
        return text


def resolve_params(
    pipeline: Pipeline, name: str, profile: str, overrides: Overrides, secrets: Secrets | None = None
) -> SectionParams:
    """Checked parameters of a section: the model's defaults, the pipeline file, then the overrides."""
    model = pipeline.section(name, profile).params_model()
    values = {**pipeline.params(name, profile), **overrides.get(name, {})}
    for field, value in values.items():
        check_json(value, f"{name}.{field}")
    if secrets is not None and (variable := secrets.found_in_text(json.dumps(values, ensure_ascii=False))):
        raise UsageError(
            f"a parameter holds the value of the environment variable {variable}.",
            where=name,
            fix="Parameters are written down in notebooks and manifests; leave keys in the environment.",
        )
    return validate_params(model, values, where=name)


def check_json(value: Any, where: str) -> None:
    """Raise unless ``value`` is made of JSON's types only, so that it survives the way unchanged."""
    if value is None or type(value) in (bool, int):
        return
    if type(value) is str and _has_utf8(value):
        return
    if type(value) is float and math.isfinite(value):
        return
    if type(value) is list:
        for position, item in enumerate(value):
            check_json(item, f"{where}[{position}]")
        return
    if type(value) is dict and all(type(name) is str for name in value):
        for name, item in value.items():
            check_json(item, f"{where}.{name}")
        return
    raise UsageError(
        f"{value!r} is a {type(value).__name__}, which JSON cannot hold.",
        where=where,
        fix="Use text, finite numbers, true/false, null, lists, and objects with text as names.",
    )


def _has_utf8(text: str) -> bool:
    """Half of a surrogate pair is legal in JSON's escapes but in no file."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_parameters_cell(notebook: NotebookNode, model: type[SectionParams], path: Path) -> None:
    """Raise unless the cell tagged ``parameters`` has exactly the fields of the section's model."""
    cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and PARAMETERS_TAG in cell.metadata.get("tags", [])
    ]
    if len(cells) != 1:
        raise DataError(
            f"{len(cells)} cells are tagged '{PARAMETERS_TAG}', there must be one.", where=str(path)
        )
    written, known = _names_in(cells[0].source, path), set(model.model_fields)
    if written != known:
        missing, unknown = sorted(known - written), sorted(written - known)
        parts = [f"lacks {', '.join(missing)}"] * bool(missing)
        parts += [f"has {', '.join(unknown)} beyond the model"] * bool(unknown)
        raise DataError(
            f"the parameters cell {' and '.join(parts)}.",
            where=str(path),
            fix=f"It must have exactly the fields of {model.__module__}.{model.__name__}.",
        )


def _names_in(source: str, path: Path) -> set[str]:
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise DataError(f"the parameters cell is not valid Python ({error}).", where=str(path)) from error
    names = set()
    for statement in statements:
        if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
            raise DataError(
                f"the parameters cell has more than parameters: `{ast.unparse(statement)}`.",
                where=str(path),
                fix="Write only lines like `seed: int = 0  # what it is`.",
            )
        names.add(statement.target.id)
    return names

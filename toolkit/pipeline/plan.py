"""The pipeline file: which sections there are, in which order, with which resources and deadlines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from toolkit.errors import DataError, UsageError, did_you_mean
from toolkit.sections import SectionParams

PIPELINE_NAME = "pipeline.yaml"

Profile = Literal["smoke", "workshop", "paper"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$")]
ImportPath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Resources(_Strict):
    """What a section asks of a machine."""

    gpu: int = Field(0, ge=0, description="number of GPUs")
    mem_mb: int = Field(2000, ge=100, description="memory in MB")
    minutes: int = Field(30, ge=1, description="time to ask a cluster for")


class Deadlines(_Strict):
    """Seconds after which a cell, or the whole section, is stopped."""

    cell: int = Field(600, ge=1)
    section: int = Field(1800, ge=1)


class Changes(_Strict):
    """What one profile changes; only the fields that are written down count."""

    params: dict[str, Any] = {}
    resources: Resources = Resources()
    deadline_s: Deadlines = Deadlines()


class Section(_Strict):
    """One notebook with its parameters, its needs and its limits."""

    name: Name
    notebook: str
    params: ImportPath
    needs: list[Name] = []
    data: list[str] = []
    data_if_here: list[str] = []
    resources: Resources = Resources()
    deadline_s: Deadlines = Deadlines()
    profiles: dict[Profile, Changes] = {}

    def params_model(self) -> type[SectionParams]:
        """The pydantic model of the section's parameters."""
        import importlib

        module, _, attribute = self.params.partition(":")
        where = f"section {self.name}, field params"
        try:
            model = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise UsageError(
                f"the parameters' model '{self.params}' cannot be imported ({error}).",
                where=where,
                fix="Write it as package.module:Model.",
            ) from error
        if not (isinstance(model, type) and issubclass(model, SectionParams)):
            raise UsageError(f"'{self.params}' is no toolkit.sections.SectionParams.", where=where)
        return model


class Pipeline(_Strict):
    """All sections, each after those it needs."""

    path: Path
    profiles: dict[Profile, Changes] = {}
    sections: list[Section]

    @property
    def names(self) -> list[str]:
        """Names of all sections, in order."""
        return [section.name for section in self.sections]

    def section(self, name: str, profile: str) -> Section:
        """A section with the limits it has in a profile.

        What a section says for a profile counts more than what it says for all profiles, and that
        more than what the file says for a profile of all sections.
        """
        found = next((section for section in self.sections if section.name == name), None)
        if found is None:
            raise UsageError(
                f"there is no section '{name}'.", where=str(self.path), fix=did_you_mean(name, self.names)
            )
        none = Changes()
        of_all, of_it = self.profiles.get(profile, none), found.profiles.get(profile, none)  # type: ignore[call-overload]
        return found.model_copy(
            update={
                "resources": _merged(of_all.resources, found.resources, of_it.resources),
                "deadline_s": _merged(of_all.deadline_s, found.deadline_s, of_it.deadline_s),
            }
        )

    def params(self, name: str, profile: str) -> dict[str, Any]:
        """Parameters that the file sets for a section in a profile."""
        changes = self.section(name, profile).profiles.get(profile)  # type: ignore[call-overload]
        return {"profile": profile, **(changes.params if changes else {})}

    def notebook(self, name: str) -> Path:
        """Where a section's notebook lies: its path is relative to the pipeline file."""
        return self.path.parent / next(s.notebook for s in self.sections if s.name == name)

    def find(self, short: str) -> str:
        """Full name of a section given by its beginning, such as "03"."""
        hits = [short] if short in self.names else [name for name in self.names if name.startswith(short)]
        if not hits and short.isdecimal():
            hits = [name for name in self.names if name.startswith(short.zfill(2))]
        if not hits:
            raise UsageError(f"there is no section '{short}'.", fix=did_you_mean(short, self.names))
        if len(hits) > 1:
            raise UsageError(f"'{short}' could be any of {', '.join(hits)}.", fix="Write more of the name.")
        return hits[0]

    def with_needs(self, wanted: list[str]) -> list[str]:
        """Names of the wanted sections and of all they need, in order."""
        found = set(wanted)
        for section in reversed(self.sections):
            if section.name in found:
                found.update(section.needs)
        return [name for name in self.names if name in found]


def load_pipeline(path: str | Path) -> Pipeline:
    """Pipeline of a YAML file, checked: an error names file, section and field."""
    path = Path(path).resolve()
    content = _read_yaml(path)
    if not isinstance(content, dict):
        raise DataError("it holds no sections.", where=str(path), fix="Start it with 'sections:'.")
    try:
        pipeline = Pipeline.model_validate({**content, "path": path})
    except ValidationError as error:
        raise _readable(error, content, path) from error
    _check_graph(pipeline)
    return pipeline


def _read_yaml(path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            "there is no such pipeline file.",
            where=str(path),
            fix="Go to the project's folder, or name the file with --pipeline.",
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"not valid YAML ({error}).", where=str(path)) from error


def _check_graph(pipeline: Pipeline) -> None:
    seen: list[str] = []
    for section in pipeline.sections:
        where = f"{pipeline.path}, section {section.name}"
        if section.name in seen:
            raise DataError("there are two sections of this name.", where=where)
        for need in section.needs:
            if need in seen:
                continue
            if need in pipeline.names:
                raise DataError(f"it needs '{need}', which comes later.", where=f"{where}, field needs")
            raise DataError(
                f"it needs '{need}', which is no section.",
                where=f"{where}, field needs",
                fix=did_you_mean(need, seen) if seen else "",
            )
        if not pipeline.notebook(section.name).is_file():
            raise DataError(
                f"there is no notebook {pipeline.notebook(section.name)}.", where=f"{where}, field notebook"
            )
        seen.append(section.name)


def _readable(error: ValidationError, content: dict[str, Any], path: Path) -> DataError:
    first = error.errors()[0]
    place = list(first["loc"])
    where = str(path)
    if place[:1] == ["sections"] and len(place) > 1:
        entry = content["sections"][int(place[1])]
        named = entry.get("name") if isinstance(entry, dict) else None
        where += f", section {named or f'number {int(place[1]) + 1}'}"
        place = place[2:]
    if place:
        where += f", field {'.'.join(map(str, place))}"
    fix = ""
    if first["type"] == "extra_forbidden":
        fix = did_you_mean(str(place[-1]), _fields_at(place[:-1]))
    given = "" if first["type"] == "missing" else f" (it is {first['input']!r})"
    return DataError(f"{first['msg']}{given}.", where=where, fix=fix)


def _fields_at(place: list[Any]) -> list[str]:
    """Fields that exist where an unknown one was written."""
    models = {"resources": Resources, "deadline_s": Deadlines}
    model = next((models[part] for part in reversed(place) if part in models), None)
    if model is None:
        model = Changes if "profiles" in place else Section
    return list(model.model_fields)


def _merged(*layers: BaseModel) -> Any:
    """The last layer that says something about a field decides it."""
    written: dict[str, Any] = {}
    for layer in layers:
        written |= {name: getattr(layer, name) for name in layer.model_fields_set}
    return type(layers[0])(**written)

"""The registry: every file that can be fetched, with its address, checksum, licence and caveats."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from toolkit.errors import DataError, Fault, UsageError, did_you_mean
from toolkit.paths import data_dir

Kind = Literal["human", "bandit", "curves", "tasks", "benchmark", "reference"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
PathInCache = Annotated[str, Field(pattern=r"^[A-Za-z0-9][^\\:]*$")]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataFile(_Entry):
    """One file to fetch.

    Attributes
    ----------
    path
        Place in the cache.
    url
        Public address; empty where only a mirror holds these bytes.
    sha256
        Of the original bytes.
    bytes
        Size; 0 if unknown.
    archive, member
        Zip file of the mirror that holds the file, and its name in there.
    table
        Name under which :func:`toolkit.data.load_table` reads it.
    about
        What it is and whom to cite, where that differs within a data set.
    sources
        Public files that this one was converted from, where no address has its own bytes.
    """

    path: PathInCache
    url: str = ""
    sha256: Sha256
    bytes: int = Field(default=0, ge=0)
    archive: str = ""
    member: str = ""
    table: str = ""
    about: str = ""
    sources: tuple[DataFile, ...] = ()


class Family(_Entry):
    """Many files of one folder; their checksums are listed in a file of their own."""

    folder: str
    url: str
    checksums: str
    bytes: int
    archive: str

    def files(self) -> list[DataFile]:
        """One entry a line of the list of checksums."""
        entries = []
        for number, line in enumerate(_read(data_dir() / self.checksums).splitlines(), start=1):
            digest, _, name = line.partition("  ")
            try:
                entries.append(
                    DataFile(
                        path=self.folder + name,
                        url=self.url + quote(name),
                        sha256=digest,
                        archive=self.archive,
                        member=name,
                    )
                )
            except ValidationError as error:
                raise _invalid(f"{self.checksums}, line {number}", error) from error
        return entries


class Dataset(_Entry):
    """What is known of a data set.

    Attributes
    ----------
    loads
        Names that ``load_data`` or ``load_curve`` know it by.
    columns
        Columns of the original files and what they hold.
    caveats
        What to know before using it.
    """

    name: str
    title: str
    kind: Kind
    citation: str = Field(min_length=10)
    licence: str = Field(min_length=3)
    loads: tuple[str, ...] = ()
    columns: dict[str, str] = Field(min_length=1)
    caveats: tuple[str, ...]
    file: tuple[DataFile, ...] = ()
    family: tuple[Family, ...] = ()
    index: str = ""

    @cached_property
    def files(self) -> tuple[DataFile, ...]:
        """All files, families and tables of an index included."""
        members = [file for family in self.family for file in family.files()]
        return (*self.file, *members, *_indexed(self.index))

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(family.bytes for family in self.family) + sum(file.bytes for file in self.files)


def describe(name: str) -> Dataset:
    """The registry's entry of a data set, by its name or that of anything loaded from it."""
    entries = registry()
    if name in entries:
        return entries[name]
    for entry in entries.values():
        if name in entry.loads or any(name == file.table for file in entry.files):
            return entry
    known = [*entries, *(load for entry in entries.values() for load in entry.loads)]
    raise UsageError(f"there is no data set '{name}'.", fix=did_you_mean(name, known))


def list_datasets(kind: Kind | None = None) -> list[str]:
    """Names of all data sets in the registry, or of one kind."""
    return [name for name, entry in registry().items() if kind in (None, entry.kind)]


def registry() -> dict[str, Dataset]:
    """All entries by name, in the order of ``data/registry.toml``."""
    path = data_dir() / "registry.toml"
    try:
        return _parse(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        raise DataError(
            "the registry of data sets does not exist.",
            where=str(path),
            fix="Run from the project folder, or name it in TOOLKIT_HOME.",
        ) from None


@lru_cache(maxsize=4)
def _parse(path: Path, _changed: int) -> dict[str, Dataset]:
    try:
        entries = tomllib.loads(_read(path))["dataset"]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise DataError(f"not a registry ({error}).", where=str(path)) from error
    parsed: dict[str, Dataset] = {}
    for number, entry in enumerate(entries, start=1):
        where = f"{path}, data set {number} ({entry.get('name', 'without a name')})"
        try:
            dataset = Dataset(**entry)
        except ValidationError as error:
            raise _invalid(where, error) from error
        if dataset.name in parsed:
            raise DataError("the name occurs twice.", where=where)
        parsed[dataset.name] = dataset
    return parsed


def read_index(index: str) -> list[dict[str, str]]:
    """Rows of a table of files, for instance ``openml_cc18.csv``."""
    return list(csv.DictReader(_read(data_dir() / index).splitlines()))


def _indexed(index: str) -> Iterable[DataFile]:
    if not index:
        return
    for row in read_index(index):
        sources = zip(row["source_urls"].split(), row["source_sha256"].split(), strict=True)
        made_from = tuple(
            DataFile(path=source_path(row["path"], url), url=url, sha256=digest) for url, digest in sources
        )
        yield DataFile(path=row["path"], sha256=row["sha256"], bytes=int(row["bytes"]), sources=made_from)


def source_path(table: str, url: str) -> str:
    """Place in the cache of the public file that a converted table comes from."""
    folder, _, name = table.rpartition("/data/")
    return f"{folder}/source/{name.removesuffix('.csv.gz')}/{url.rpartition('/')[2].replace('%20', ' ')}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror}).", where=str(path), fix="Restore it.") from error


def _invalid(where: str, error: ValidationError) -> DataError:
    fault = Fault.of(error)
    return DataError(f"'{fault.place}': {fault.what} (it is {fault.given!r}).", where=where)

"""``fetch``: brings files of the registry into the cache, from the mirror or from their public address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from toolkit.data.cache import Cache
from toolkit.data.download import UnreachableError, download
from toolkit.data.registry import DataFile, Dataset, describe
from toolkit.errors import DataError

if TYPE_CHECKING:
    from tqdm import tqdm


class Fetched(NamedTuple):
    """How many files were here already, were copied from the mirror, and were downloaded."""

    present: int = 0
    copied: int = 0
    downloaded: int = 0


class Holding(NamedTuple):
    """How much of a data set is in the cache."""

    dataset: Dataset
    n_files: int
    n_here: int

    @property
    def state(self) -> str:
        """ "here", "partly" or "not here"."""
        return "here" if self.n_here == self.n_files else "partly" if self.n_here else "not here"


def holdings(names: Iterable[str]) -> list[Holding]:
    """What the cache holds of the named data sets, every file checked."""
    with Cache() as cache:
        return [
            Holding(dataset, len(dataset.files), sum(map(cache.complete, dataset.files)))
            for dataset in _unique(names)
        ]


def fetch(names: str | Iterable[str], *, progress: bool = False) -> Fetched:
    """Bring the files of data sets into the cache.

    A file that is here and whole is left alone, so an interrupted call continues where it stopped.
    Files come from the folder named by ``TOOLKIT_MIRROR`` if it has them, otherwise from their
    public address. A file that fails does not keep the others from being fetched; the errors are
    raised together at the end.

    Parameters
    ----------
    names
        Data sets, or things loaded from them ("devraj2022_exp1").
    progress
        Show a progress bar where there is a terminal.
    """
    datasets = _unique([names] if isinstance(names, str) else names)
    with Cache() as cache:
        files = list({file.path: file for dataset in datasets for file in dataset.files}.values())
        absent = [file for file in files if not cache.complete(file)]
        copied = [file for file in absent if cache.copy_from_mirror(file)]
        rest = [file for file in absent if file not in copied]
        # A table without an address of its own is made from its sources.
        wanted = [source for file in rest for source in (file.sources or (file,)) if not cache.holds(source)]
        _download_all(cache, wanted, progress=progress)
    return Fetched(len(files) - len(absent), len(copied), len(rest))


def _download_all(cache: Cache, files: list[DataFile], *, progress: bool) -> None:
    if not files:
        return
    import requests
    from tqdm import tqdm

    errors: list[DataError] = []
    tried = len(files)
    with (
        requests.Session() as session,
        tqdm(
            total=sum(f.bytes for f in files), unit="B", unit_scale=True, disable=None if progress else True
        ) as bar,
    ):
        for number, file in enumerate(files, start=1):
            bar.set_description(f"{number}/{len(files)} {file.path.rpartition('/')[2][:40]}")
            try:
                download(session, file, cache.path(file), _Report(bar))
            except UnreachableError as error:
                errors.append(error)
                tried = number
                break
            except DataError as error:
                errors.append(error)
    if errors:
        raise _together(errors, len(files), tried)


class _Report:
    """Moves a bar by the bytes of one file, also backwards when a download starts over."""

    def __init__(self, bar: tqdm) -> None:
        self.bar, self.start = bar, bar.n

    def __call__(self, done: int) -> Any:
        self.bar.update(self.start + done - self.bar.n)


def _together(errors: list[DataError], n_files: int, tried: int) -> DataError:
    if len(errors) == 1:
        return errors[0]
    left = n_files - tried
    rest = f"Not tried: {left}. Run the command again" if left else "The other files are here"
    return DataError(
        f"{len(errors)} of {n_files} files could not be fetched: " + " · ".join(map(str, errors)),
        fix=f"{rest}.",
    )


def _unique(names: Iterable[str]) -> list[Dataset]:
    return list({entry.name: entry for entry in map(describe, names)}.values())

"""The cache of original files: nothing leaves it before its sha256 has matched."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

from toolkit.data.mirror import read_from_mirror
from toolkit.data.registry import DataFile, Dataset, describe
from toolkit.errors import DataError, UsageError
from toolkit.io import sha256_of_bytes, sha256_of_file, write_bytes, write_json
from toolkit.paths import mirror_dir, raw_dir

LEDGER = ".verified.json"


class Cache:
    """Files in ``data/raw`` and what is known of them.

    A file that matched is not hashed again while its size and time of change stay the same; the ledger
    of such files is a JSON file in the cache, and losing it costs no more than hashing again.
    """

    def __init__(self) -> None:
        self.root = raw_dir()
        self.mirror = mirror_dir()
        self._ledger = _read_ledger(self.root / LEDGER)
        self._changed = False

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        if self._changed:
            try:
                write_json(self.root / LEDGER, self._ledger)
            except OSError:
                # A cache on a read-only shared disk still works, it only hashes more often.
                self._changed = False

    def path(self, file: DataFile) -> Path:
        """Where the file is, or would be."""
        return self.root / file.path

    def digest(self, file: DataFile) -> str | None:
        """sha256 of the file in the cache, or None if there is none."""
        path = self.path(file)
        try:
            stat = path.stat()
        except OSError:
            return None
        seen = [stat.st_size, stat.st_mtime_ns]
        known = self._ledger.get(file.path)
        if known and known[:2] == seen:
            return known[2]
        digest = sha256_of_file(path)
        self._ledger[file.path] = [*seen, digest]
        self._changed = True
        return digest

    def holds(self, file: DataFile) -> bool:
        """Whether the file is here and is what the registry says."""
        return self.digest(file) == file.sha256

    def complete(self, file: DataFile) -> bool:
        """Whether the file, or everything it can be made from, is here."""
        return self.holds(file) or (bool(file.sources) and all(map(self.holds, file.sources)))

    def copy_from_mirror(self, file: DataFile) -> bool:
        """Copy the file from the mirror; false if there is no mirror or it does not have the file."""
        content = read_from_mirror(self.mirror, file) if self.mirror else None
        if content is None:
            return False
        digest = sha256_of_bytes(content)
        if digest != file.sha256:
            raise wrong_hash(
                file,
                digest,
                f"{self.mirror / file.path} in the mirror",
                "Restore it there, or unset TOOLKIT_MIRROR.",
            )
        write_bytes(self.path(file), content)
        return True


def locate(name: str, pattern: str = "*") -> list[Path]:
    """Verified local paths of the files of a data set whose path ends like ``pattern``.

    Takes them from the cache or the mirror, never from the network.
    """
    dataset = describe(name)
    wanted = [file for file in dataset.files if PurePosixPath(file.path).match(pattern)]
    if not wanted:
        raise UsageError(f"data set '{dataset.name}' has no file '{pattern}'.")
    with Cache() as cache:
        return [locate_file(cache, dataset, file) for file in wanted]


def checksums(name: str) -> dict[str, str]:
    """sha256 of every original file of a data set by path; an error says how to get a file that is not here."""
    dataset = describe(name)
    with Cache() as cache:
        for file in dataset.files:
            if not cache.complete(file):
                locate_file(cache, dataset, file)
    return {file.path: file.sha256 for file in dataset.files}


def locate_one(name: str, pattern: str) -> Path:
    """The verified local path of one file of a data set."""
    (path,) = locate(name, pattern)
    return path


def locate_file(cache: Cache, dataset: Dataset, file: DataFile) -> Path:
    """Verified local path of ``file``; a DataError says how to get it if it is neither here nor mirrored."""
    found = cache.digest(file)
    if found == file.sha256 or (found is None and cache.copy_from_mirror(file)):
        return cache.path(file)
    if found is not None:
        raise wrong_hash(
            file, found, str(cache.path(file)), f"`toolkit fetch {dataset.name}` replaces the file."
        )
    raise DataError(
        f"'{file.path}' of the data set '{dataset.name}' is not here.",
        where=str(cache.root),
        fix=f"Run `toolkit fetch {dataset.name}`, or set TOOLKIT_MIRROR to a folder that holds it.",
    )


def wrong_hash(file: DataFile, found: str, where: str, fix: str) -> DataError:
    """The error for bytes that are not those the registry names."""
    return DataError(
        f"the sha256 of '{file.path}' is {found}, the registry expects {file.sha256}.", where=where, fix=fix
    )


def _read_ledger(path: Path) -> dict[str, list]:
    try:
        ledger = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    entries = ledger.items() if isinstance(ledger, dict) else ()
    return {path: seen for path, seen in entries if isinstance(seen, list) and len(seen) == 3}

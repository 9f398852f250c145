"""The mirror: a local folder that serves the same bytes as the public addresses."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

from toolkit.data.registry import DataFile
from toolkit.errors import DataError


def read_from_mirror(mirror: Path, file: DataFile) -> bytes | None:
    """Original bytes of a file, or None if the mirror does not have it.

    A mirror holds a file as it is, gzipped (with ``.gz`` added), or as a member of an archive.
    """
    plain, packed, archive = mirror / file.path, mirror / f"{file.path}.gz", mirror / file.archive
    try:
        if plain.is_file():
            return plain.read_bytes()
        if packed.is_file():
            return gzip.decompress(packed.read_bytes())
        if file.archive and archive.is_file():
            with _opened(archive, archive.stat().st_mtime_ns).open(file.member) as member:
                return member.read()
    except (OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"the mirror's copy cannot be read ({error}).",
            where=str(mirror / file.path),
            fix="Restore it there, or unset TOOLKIT_MIRROR.",
        ) from error
    return None


@lru_cache(maxsize=2)
def _opened(archive: Path, _changed: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(archive)

"""Transcripts of experiments in the format of Psych-201: one JSON object a participant."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toolkit.data.cache import locate
from toolkit.data.registry import describe
from toolkit.errors import DataError, UsageError, did_you_mean


def load_transcripts(experiment: str) -> list[dict[str, Any]]:
    """Transcripts of one experiment of the data set psych201, one a participant.

    Each has ``text``, in which the person's responses stand between << and >>, ``experiment``,
    ``participant``, and in some experiments reaction times, age or questionnaire scores.
    """
    known = {Path(file.path).name.partition(".")[0]: file.path for file in describe("psych201").files}
    if experiment not in known:
        raise UsageError(f"there are no transcripts of '{experiment}'.", fix=did_you_mean(experiment, known))
    (path,) = locate("psych201", known[experiment])
    return list(read_transcripts(path))


def read_transcripts(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a ``.jsonl`` file, or of the member ``prompts.jsonl`` of a zip file."""
    for number, line in enumerate(_lines(path), start=1):
        try:
            yield json.loads(line)
        except json.JSONDecodeError as error:
            raise DataError(f"not valid JSON ({error}).", where=f"{path}, line {number}") from error


def _lines(path: Path) -> list[str]:
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                text = archive.read("prompts.jsonl").decode()
        else:
            text = path.read_text(encoding="utf-8")
    except (OSError, KeyError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise DataError(f"no transcripts can be read ({error}).", where=str(path)) from error
    return text.splitlines()

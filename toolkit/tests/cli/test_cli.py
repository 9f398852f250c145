"""Help, suggestions and exit codes of the command line."""

from __future__ import annotations

import errno
import json

import pytest
from click.testing import CliRunner

from toolkit import doctor
from toolkit.bench import Row
from toolkit.cli import _HOME_OF, main
from toolkit.discovery.sandbox import Layer
from toolkit.doctor import Check
from toolkit.errors import DataError


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert all(name in result.output for name in _HOME_OF)


@pytest.mark.parametrize("command", _HOME_OF)
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0
    assert f"Example: toolkit {command}" in " ".join(result.output.split())


def test_a_misspelt_command_gets_a_suggestion() -> None:
    result = CliRunner().invoke(main, ["doctr"])
    assert result.exit_code == 2
    assert "Did you mean 'doctor'?" in result.output


def test_an_error_is_one_paragraph_without_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[Check]:
        raise DataError("it is broken.", where="a.csv", fix="Mend it.")

    monkeypatch.setattr("toolkit.cli.doctor.run_checks", broken)
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 3
    assert result.output.strip() == "Error: a.csv: it is broken. Mend it."


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(errno.EACCES, "", "/there"), "/there: permission denied. Choose another place"),
        (NotADirectoryError(errno.ENOTDIR, "", "/a/b"), "/a/b: not a directory. A file has that name"),
        (OSError(errno.ENOSPC, ""), "no space left on device. Free some space"),
    ],
)
def test_a_place_that_cannot_be_used_is_no_traceback(
    error: OSError, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> list[Check]:
        raise error

    monkeypatch.setattr("toolkit.cli.doctor.run_checks", broken)
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 3 and " ".join(result.output.split()).startswith(f"Error: {said}")


def test_any_other_error_of_the_system_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[Check]:
        raise ConnectionResetError(errno.ECONNRESET, "")

    monkeypatch.setattr("toolkit.cli.doctor.run_checks", broken)
    assert isinstance(CliRunner().invoke(main, ["doctor"]).exception, ConnectionResetError)


def test_doctor_prints_a_line_a_check_and_what_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-canary-0123456789")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    result = CliRunner().invoke(main, ["doctor"])
    lines = result.output.splitlines()
    assert len(lines) == len(doctor._CHECKS)
    assert "canary" not in result.output
    absent = next(line for line in lines if "OPENAI" in line)
    assert absent.startswith("–") and "→  export OPENAI_API_KEY" in absent
    assert result.exit_code == any(line.startswith("✗") for line in lines)


def test_doctor_fails_where_something_must_be_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_MIRROR", "/nowhere")
    result = CliRunner().invoke(main, ["doctor"])
    line = next(line for line in result.output.splitlines() if " data " in line)
    assert line.startswith("✗") and "TOOLKIT_MIRROR" in line
    assert result.exit_code == 1


def test_doctor_says_which_layers_of_the_sandbox_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [Layer("gate", True, True, ""), Layer("confinement", False, True, "still possible: the network")]
    monkeypatch.setattr("toolkit.discovery.sandbox.pool.describe_layers", lambda: layers)
    ok, detail, fix = doctor._sandbox()
    assert ok is None and "Linux 5.13" in fix
    assert "active: gate; not active: confinement (still possible: the network)" in detail


def test_bench_prints_rows_or_json(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Row("work", ours_s=0.5, reference_s=2.0, goal="ratio ≥ 2", same_result=True, met=True)
    monkeypatch.setattr("toolkit.bench.models.rows", lambda: [row])
    result = CliRunner().invoke(main, ["bench", "models", "--json"])
    printed = json.loads(result.output)
    assert set(printed) == {"name", "machine", "rows"}
    assert {"what", "ours_s", "reference_s", "ratio", "goal", "met", "same_result", "note"} <= set(
        printed["rows"][0]
    )
    assert printed["rows"][0]["ratio"] == 4
    assert "4.00×" in CliRunner().invoke(main, ["bench", "models"]).output
    assert CliRunner().invoke(main, ["bench", "modls"]).exit_code == 2

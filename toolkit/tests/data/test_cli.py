"""``toolkit fetch`` and ``toolkit data``."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from toolkit.cli.data import data, fetch
from toolkit.data import list_datasets
from toolkit.data.cards import markdown_table
from toolkit.errors import DataError, UsageError


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv("TOOLKIT_DATA", str(tmp_path / "raw"))
    monkeypatch.delenv("TOOLKIT_MIRROR", raising=False)
    return tmp_path


@pytest.fixture
def run():
    return lambda command, *words: CliRunner().invoke(command, list(words), catch_exceptions=False)


@pytest.mark.parametrize("command", [fetch, data])
def test_help_has_an_example(run, command):
    assert "Example: toolkit" in run(command, "--help").output


def test_data_lists_everything(run, empty):
    lines = run(data).output.splitlines()
    assert len(lines) == len(list_datasets()) + 1
    assert lines[0].split() == ["badham2017", "human", "2", "files", "2.4", "MB", "not", "here"]
    assert str(empty) in lines[-1]


def test_data_shows_a_card(run, empty):
    output = run(data, "lefebvre2017_exp1").output
    assert "Lefebvre, G." in output and "1.5 is a missed trial" in output and "L2017a.mat" in output


def test_data_prints_the_table_of_the_readme(run):
    assert run(data, "--markdown").output.strip() == markdown_table()


def test_fetch_without_names_shows_what_is_absent(run, empty):
    output = run(fetch).output
    assert "chambon2020" in output and "not here" in output and "Nothing was fetched" in output
    assert not (empty / "raw").exists()


def test_fetch_copies_from_a_mirror(run, empty, monkeypatch):
    from toolkit.data.registry import describe
    from toolkit.tests.data.project import write_registry

    monkeypatch.setenv("TOOLKIT_HOME", str(empty))
    write_registry(empty, {"small": {"set/a.csv": ("http://127.0.0.1:9/a", b"x\n1\n")}})
    (empty / "mirror/set").mkdir(parents=True)
    (empty / "mirror/set/a.csv").write_bytes(b"x\n1\n")
    monkeypatch.setenv("TOOLKIT_MIRROR", str(empty / "mirror"))
    assert describe("small").files
    assert run(fetch, "small").output == "0 files were here, 1 copied from the mirror, 0 downloaded.\n"
    assert run(data).output.splitlines()[0].endswith(" here")


@pytest.mark.parametrize(
    ("words", "message"),
    [(["badam2017"], "Did you mean 'badham2017'"), (["--all", "rlwm"], "Leave out the names")],
)
def test_a_wrong_call_is_a_usage_error(run, empty, words, message):
    with pytest.raises(UsageError, match=message):
        run(fetch, *words)


def test_loading_from_an_empty_cache_is_a_data_error(empty):
    from toolkit.data import load_data

    with pytest.raises(DataError, match="toolkit fetch badham2017") as caught:
        load_data("badham2017")
    assert caught.value.exit_code == 3

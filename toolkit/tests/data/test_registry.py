"""The registry says for every file where it is, what it hashes to, and on what terms."""

from __future__ import annotations

import re

import pytest

from toolkit.data import describe, list_datasets
from toolkit.data.cards import BEGIN, END, card, markdown_table
from toolkit.data.loaders import CURVES, TRIALS
from toolkit.data.registry import registry
from toolkit.errors import DataError, UsageError
from toolkit.paths import data_dir

RAW = re.compile(r"https://raw\.githubusercontent\.com/[\w.-]+/[\w.-]+/(?:[0-9a-f]{40}|[0-9a-f]{10})/\S+")


@pytest.mark.parametrize("name", list_datasets())
def test_every_entry_is_complete(name):
    entry = describe(name)
    assert entry.files
    assert entry.citation and entry.licence and entry.columns and entry.caveats
    for file in entry.files:
        assert RAW.fullmatch(file.url) or (not file.url and file.sources), file.path
        assert all(RAW.fullmatch(source.url) for source in file.sources)
    assert len({file.path for file in entry.files}) == len(entry.files)


def test_what_can_be_loaded_is_what_the_registry_says():
    by_kind = {"curves": set(CURVES)}
    for kind in ("human", "bandit", "curves"):
        loads = {load for entry in registry().values() if entry.kind == kind for load in entry.loads}
        by_kind.setdefault(kind, loads)
        assert loads <= set(CURVES if kind == "curves" else TRIALS)
    assert {load for entry in registry().values() for load in entry.loads} == {*TRIALS, *CURVES}


def test_tables_have_names_of_their_own():
    tables = [file.table for entry in registry().values() for file in entry.file if file.table]
    assert len(set(tables)) == len(tables) > 20


def test_describe_finds_a_data_set_by_what_is_loaded_from_it():
    assert describe("chambon2020_exp2").name == "chambon2020"
    assert describe("llm_tasks_claude").name == "llm_tasks"
    with pytest.raises(UsageError, match="Did you mean 'badham2017'"):
        describe("badham")


def test_the_card_tells_licence_caveats_and_addresses():
    text = card(describe("badham2017"))
    for part in ("GPL-3", "stops at criterion", "raw.githubusercontent.com", "sha256", "Psychology and"):
        assert part in text


def test_the_table_in_the_readme_agrees_with_the_registry():
    text = (data_dir() / "README.md").read_text()
    assert text[text.index(BEGIN) : text.index(END) + len(END)] == markdown_table()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("sha256", "abc"), r"'file.0.sha256': String should match"),
        (("path", "../out.csv"), r"'file.0.path': "),
        (("colour", "red"), r"'file.0.colour': Extra inputs"),
    ],
)
def test_a_wrong_entry_is_an_error_that_names_the_field(tmp_path, monkeypatch, change, message):
    field, value = change
    file = {"path": "a/b.csv", "url": "https://x.org/b.csv", "sha256": "0" * 64} | {field: value}
    lines = [f'{key} = "{content}"' for key, content in file.items()]
    head = (
        'name = "x"\ntitle = "x"\nkind = "human"\ncitation = "A. Uthor (2000)"\nlicence = "MIT"\ncaveats = []'
    )
    text = "\n".join(["[[dataset]]", head, '[dataset.columns]\nx = "y"', "[[dataset.file]]", *lines])
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "registry.toml").write_text(text)
    monkeypatch.setenv("TOOLKIT_HOME", str(tmp_path))
    with pytest.raises(DataError, match=message):
        list_datasets()


def test_a_project_without_registry_uses_that_of_the_toolkit(tmp_path, monkeypatch):
    monkeypatch.setenv("TOOLKIT_HOME", str(tmp_path))
    assert describe("badham2017").kind == "human"


def test_a_registry_that_is_gone_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("toolkit.data.registry.data_dir", lambda: tmp_path)
    with pytest.raises(DataError, match="registry.toml"):
        describe("badham2017")

"""After a fetch everything runs without network, and every file of the mirror hashes right."""

from __future__ import annotations

import socket

import pytest
from click.testing import CliRunner

from toolkit.cli.data import data, fetch
from toolkit.data import checksums, describe, list_datasets, load_cc18, load_curve, load_data, load_table
from toolkit.data.cache import Cache
from toolkit.data.loaders import CURVES, TRIALS
from toolkit.errors import DataError


@pytest.fixture(scope="module")
def fetched(public_data, tmp_path_factory):
    """A cache filled by ``toolkit fetch --all`` from the mirror, which is then taken away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOOLKIT_DATA", str(tmp_path_factory.mktemp("fetched")))
        patch.setenv("TOOLKIT_MIRROR", str(public_data))
        result = CliRunner().invoke(fetch, ["--all"], catch_exceptions=False)
        patch.delenv("TOOLKIT_MIRROR")

        def refuse(*_: object) -> None:
            raise AssertionError("a socket was opened")

        patch.setattr(socket.socket, "connect", refuse)
        yield result


@pytest.mark.data
class TestAfterFetchAll:
    def test_every_file_of_the_registry_came_and_is_right(self, fetched):
        assert fetched.exit_code == 0 and " 0 downloaded" in fetched.output
        with Cache() as cache:
            wrong = [
                file.path
                for name in list_datasets()
                for file in describe(name).files
                if not cache.complete(file)
            ]
        assert wrong == []

    @pytest.mark.parametrize("name", TRIALS)
    def test_trials_load(self, fetched, name):
        trials = load_data(name)
        assert trials.mask.any() and len(trials.sequences) == len(trials)

    def test_tables_and_curves_load(self, fetched):
        assert all(len(load_curve(name)) for name in CURVES)
        assert len(load_table("llm_tasks_gpt4")) and len(load_cc18("wdbc").features) == 569

    def test_the_list_says_that_everything_is_here(self, fetched):
        output = CliRunner().invoke(data, [], catch_exceptions=False).output
        assert output.count(" here\n") == len(list_datasets())
        assert "Everything is here" in CliRunner().invoke(fetch, [], catch_exceptions=False).output

    def test_a_run_learns_the_checksums_of_its_inputs(self, fetched):
        files = describe("lefebvre2017").files
        assert checksums("lefebvre2017_exp1") == {file.path: file.sha256 for file in files}
        assert len(checksums("openml_cc18")) == 47


def test_checksums_of_absent_data_say_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TOOLKIT_DATA", str(tmp_path))
    monkeypatch.delenv("TOOLKIT_MIRROR", raising=False)
    with pytest.raises(DataError, match="toolkit fetch lefebvre2017"):
        checksums("lefebvre2017_exp1")

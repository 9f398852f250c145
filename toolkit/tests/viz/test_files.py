"""Figures as files: whole, the same twice, and readable without network."""

from __future__ import annotations

import json
import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import plotly.graph_objects as go
import pytest

from toolkit.errors import DataError
from toolkit.viz import publish_figures, read_figure, write_figure
from toolkit.viz.files import PLOTLY_FILE
from toolkit.viz.theme import Theme, finished

REMOTE = re.compile(r"""(?:src|href)=["']?(?:https?:)?//""")


def _figure(height: float = 3.0) -> go.Figure:
    figure = go.Figure(go.Scatter(x=[1, 2], y=[1.0, height], name="a < b & </script>"))
    return finished(figure, "What <it> shows.", height=300, theme=Theme(85))


def test_a_figure_comes_back_as_it_was(tmp_path: Path) -> None:
    path = write_figure(_figure(), tmp_path, "00_start_here_idea")
    assert path == tmp_path / "00_start_here_idea.json"
    assert read_figure(path) == _figure()
    assert read_figure(path).layout.meta["caption"] == "What <it> shows."


def test_a_broken_figure_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text('{"data": [{"type": "no such trace"}]}')
    with pytest.raises(DataError, match=r"broken\.json: not a plotly figure"):
        read_figure(path)


def test_published_figures_open_from_disk_and_share_one_plotly(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_figure(_figure(), tmp_path / "from", name)
    published = publish_figures(tmp_path / "from", tmp_path / "to")
    assert [path.name for path in published] == ["a.json", "b.json"]
    assert {path.name for path in (tmp_path / "to").iterdir()} == {
        *("a.json", "a.html", "b.json", "b.html"),
        PLOTLY_FILE,
    }
    page = (tmp_path / "to" / "a.html").read_text()
    assert page.count("Plotly.newPlot(") == 1
    assert f'<script src="{PLOTLY_FILE}">' in page
    assert "What &lt;it&gt; shows." in page
    assert not REMOTE.search(page)


def test_publishing_twice_changes_nothing_and_a_new_figure_replaces_the_old(tmp_path: Path) -> None:
    source, target = tmp_path / "from", tmp_path / "to"
    write_figure(_figure(), source, "a")
    publish_figures(source, target)
    before = {path.name: path.stat().st_mtime_ns for path in target.iterdir()}
    publish_figures(source, target)
    assert {path.name: path.stat().st_mtime_ns for path in target.iterdir()} == before
    write_figure(_figure(5.0), source, "a")
    publish_figures(source, target)
    assert read_figure(target / "a.json").data[0].y[1] == 5.0


def test_a_section_without_figures_publishes_none(tmp_path: Path) -> None:
    assert publish_figures(tmp_path / "nowhere", tmp_path / "to") == []
    assert not (tmp_path / "to").exists()


@pytest.mark.slow
def test_two_runs_can_publish_at_once(tmp_path: Path) -> None:
    for run in ("one", "two"):
        for name in "abcd":
            write_figure(_figure(len(run)), tmp_path / run, name)
    target = tmp_path / "to"
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(publish_figures, [tmp_path / "one", tmp_path / "two"] * 3, [target] * 6))
    for name in "abcd":
        json.loads((target / f"{name}.json").read_text())
        assert (target / f"{name}.html").read_text().rstrip().endswith("</html>")
    assert not list(target.glob(".*"))

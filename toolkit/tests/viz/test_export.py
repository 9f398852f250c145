"""SVG, PDF and PNG: one browser, whole files, and a plain word where there is none."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import plotly.graph_objects as go
import pytest
from click.testing import CliRunner
from plotly.subplots import make_subplots

from toolkit.cli import main
from toolkit.cli.reports import figures as figures_command
from toolkit.errors import UsageError
from toolkit.viz import export_figures, find_browser, publish_figures, write_figure
from toolkit.viz.export import BROWSER_VARIABLE
from toolkit.viz.theme import PIXELS_PER_MM, finished

needs_browser = pytest.mark.skipif(
    find_browser() is None or importlib.util.find_spec("kaleido") is None,
    reason="no Chrome or Chromium, or no kaleido",
)


def _figure() -> go.Figure:
    return finished(go.Figure(go.Scatter(x=[1, 2], y=[1, 2])), "A line.", height=300)


def test_the_browser_named_in_the_environment_is_the_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "browser"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv(BROWSER_VARIABLE, str(program))
    assert find_browser() == program
    monkeypatch.setenv(BROWSER_VARIABLE, str(tmp_path / "none"))
    assert find_browser() is None


def test_no_browser_is_one_plain_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("toolkit.viz.export.find_browser", lambda: None)
    monkeypatch.delenv(BROWSER_VARIABLE, raising=False)
    with pytest.raises(UsageError) as caught:
        export_figures([(_figure(), tmp_path / "a")])
    for word in ("apt-get install chromium", "plotly_get_chrome", BROWSER_VARIABLE):
        assert word in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_no_kaleido_is_one_plain_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install 'kaleido"):
        export_figures([(_figure(), tmp_path / "a")])


def test_a_program_that_is_no_browser_is_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("kaleido")
    monkeypatch.setenv(BROWSER_VARIABLE, "/bin/false")
    with pytest.raises(
        UsageError, match=r"/bin/false did not draw the figure \(\w.* `apt-get install chromium`"
    ):
        export_figures([(_figure(), tmp_path / "a")])


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'eps'.*Known: pdf, png, svg"):
        export_figures([(_figure(), tmp_path / "a")], ["eps"])


def test_the_command_says_when_there_are_no_figures(home: Path) -> None:
    result = CliRunner().invoke(main, ["figures"])
    assert result.exit_code == 2
    assert "there are no figures yet" in " ".join(result.output.split())


@needs_browser
@pytest.mark.browser
@pytest.mark.slow
def test_files_have_the_width_asked_for(tmp_path: Path) -> None:
    panels = finished(make_subplots(1, 2).add_scatter(x=[1], y=[1], row=1, col=1), "Two panels.", height=300)
    drawn = [(_figure(), tmp_path / "one"), (panels, tmp_path / "two")]
    paths = export_figures(drawn, ["svg", "pdf", "png"], width_mm=85, dpi=96)
    assert [path.name for path in paths] == [
        f"{n}.{s}" for n in ("one", "two") for s in ("svg", "pdf", "png")
    ]
    width = 85 * PIXELS_PER_MM
    for name, height in (("one", 300), ("two", 300 * 85 / 174)):
        svg = (tmp_path / f"{name}.svg").read_text()
        found = [
            float(value) for value in re.findall(r'<svg[^>]* width="([\d.]+)" height="([\d.]+)"', svg)[0]
        ]
        assert found == pytest.approx([width, height], abs=1)
        box = re.search(rb"/MediaBox ?\[([^\]]*)\]", (tmp_path / f"{name}.pdf").read_bytes())
        assert box and float(box[1].split()[2]) == pytest.approx(85 / 25.4 * 72, abs=1)
        png = (tmp_path / f"{name}.png").read_bytes()
        assert int.from_bytes(png[16:20], "big") == pytest.approx(width, abs=1)
    assert not list(tmp_path.glob(".*"))


@needs_browser
@pytest.mark.browser
@pytest.mark.slow
def test_the_command_draws_the_figures_chosen(home: Path) -> None:
    for name in ("00_a", "00_b", "01_c"):
        write_figure(_figure(), home / "from", name)
    publish_figures(home / "from", home / "figures")
    result = CliRunner().invoke(figures_command, ["00", "--format", "svg", "--folder", str(home / "print")])
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (home / "print").iterdir()) == ["00_a.svg", "00_b.svg"]

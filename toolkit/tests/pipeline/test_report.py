"""Reports and gallery: every figure shows from disk, and only results are shown as results."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import plotly.graph_objects as go
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from plotly.subplots import make_subplots

from toolkit import io
from toolkit.cli import main
from toolkit.errors import DataError, UsageError
from toolkit.manifest import Artifact, Manifest, describe_artifact, read_manifest, write_manifest
from toolkit.paths import runs_dir
from toolkit.pipeline.gallery import find_run, report_run
from toolkit.pipeline.report import PLOTLY_MIME, WIDGET_MIME, write_report
from toolkit.viz import find_browser, write_figure
from toolkit.viz.theme import finished

RUN = "20261121-141503-0a1b2c3d"
LOADS_FROM_ELSEWHERE = re.compile(
    r"""<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)\s*=\s*["']?(?:https?:)?//|\bimport\s*\(?["']https?:""",
    re.IGNORECASE,
)


def _figure(name: str = "a line") -> go.Figure:
    return finished(go.Figure(go.Scatter(x=[1, 2], y=[2, 1], name=name)), f"Shows {name}.", height=300)


def _output(figure: go.Figure, **others: str) -> Any:
    data = {PLOTLY_MIME: json.loads(figure.to_json()), **others}
    return new_output("display_data", data=data)


@pytest.fixture
def section(home: Path) -> Callable[..., Path]:
    """Makes a section's folder as the runner leaves it."""

    def make(name: str, cells: list[Any], *, status: str = "succeeded", **manifest: Any) -> Path:
        folder = runs_dir() / RUN / name
        path = write_figure(_figure(), folder / "artifacts" / "figures", f"{name}_idea")
        artifacts: list[Artifact] = [describe_artifact(folder, path, "idea", "figure")]
        notebook = new_notebook(cells=cells, metadata={"widgets": {"state": "x" * 1000}})
        nbformat.write(notebook, folder / ("executed.ipynb" if status == "succeeded" else "failed.ipynb"))
        common = {
            "section": name,
            "run_id": RUN,
            "profile": "smoke",
            "status": status,
            "key": "k",
            "seconds": 1.0,
        }
        values = {
            "params": {"seed": 0},
            "started": "then",
            "ended": "now",
            "artifacts": artifacts,
            **manifest,
        }
        write_manifest(folder, Manifest(**common, **values))
        return folder

    return make


@pytest.fixture
def cells() -> list[Any]:
    """Cells with two figures, and with everything that a page must not ask the network for."""
    connected = '<script src="https://cdn.plot.ly/plotly.min.js"></script><div>Plotly.newPlot("x", [])</div>'
    loader = '<script type="module">import "https://cdn.plot.ly/plotly-3.0.0.min"</script>'
    remote = '<b>bold</b><img alt="a badge" src="https://example.org/b.png"><script src="//example.org/x.js"></script>'
    return [
        new_markdown_cell(
            "# Title\n\n![badge](https://example.org/badge.svg) <img src='https://example.org/i.png' alt='i'>"
        ),
        new_code_cell("one", outputs=[new_output("display_data", data={"text/html": loader})]),
        new_code_cell("two", outputs=[_output(_figure("</script> & co"), **{"text/html": connected})]),
        new_code_cell("three", outputs=[_output(_figure("another"))]),
        new_code_cell("four", outputs=[new_output("display_data", data={"text/html": remote})]),
        new_code_cell("five", outputs=[new_output("display_data", data={WIDGET_MIME: {"model_id": "m"}})]),
    ]


def test_a_report_draws_each_figure_once_and_loads_nothing(
    section: Callable[..., Path], cells: list[Any]
) -> None:
    page = write_report(section("01_a", cells)).read_text()
    assert re.findall(r'data-figure="json-(figure-\d+)"', page) == ["figure-1", "figure-2"]
    # The library itself says "newPlot" too, but never in this form.
    assert page.count("Plotly.newPlot(") == 1 + page.count('Plotly.newPlot("x"')
    assert not LOADS_FROM_ELSEWHERE.search(page)
    assert "<b>bold</b>" in page and "a badge" in page
    assert "Shows another." in page and "Shows &lt;/script&gt; &amp; co." in page
    assert "x" * 1000 not in page and "model_id" not in page


def test_plotly_is_embedded_once_and_only_where_it_is_needed(
    section: Callable[..., Path], cells: list[Any]
) -> None:
    with_figures = write_report(section("01_a", cells)).stat().st_size
    without = write_report(section("02_b", [new_markdown_cell("# Words")])).stat().st_size
    assert 4e6 < with_figures < 8e6
    assert without < 1e6


def test_figures_are_described_and_the_notebook_to_change_is_named(
    section: Callable[..., Path], cells: list[Any], home: Path
) -> None:
    (home / "notebooks").mkdir(exist_ok=True)
    (home / "notebooks" / "01_a.ipynb").touch()
    folder = section("01_a", cells)
    gallery = report_run()
    for path in (folder / "report.html", gallery):
        page = path.read_text()
        for place in re.findall(r"<div [^>]*data-figure=[^>]*>", page):
            assert 'role="img"' in place and re.search(r'aria-label="Shows [^"]+\."', place)
        (target,) = re.findall(r'<a href="([^"]+)">notebook to change</a>', page)
        assert (path.parent / target).resolve() == home / "notebooks" / "01_a.ipynb"


def test_gallery_says_what_its_numbers_are_worth(section: Callable[..., Path], cells: list[Any]) -> None:
    section("01_a", cells)
    section("02_b", cells, status="failed", reason="it broke.")
    page = report_run().read_text()
    assert "profile smoke, which computes as little as it can" in page
    assert "1 of 2 sections succeeded" in page
    contents = page[page.index("<nav") : page.index("</nav>")]
    assert contents.count('href="#') == 2 and contents.count("badge failed") == 1


def test_a_section_that_failed_gets_no_report(section: Callable[..., Path], cells: list[Any]) -> None:
    folder = section("01_a", cells, status="failed", reason="cell 3 raised ValueError.")
    with pytest.raises(DataError, match=r"is failed.*toolkit run --only 01_a"):
        write_report(folder)
    assert not (folder / "report.html").exists()


def test_gallery_leads_from_figure_to_notebook_manifest_and_data(
    section: Callable[..., Path], cells: list[Any], home: Path, checkout: Path
) -> None:
    (home / "data").symlink_to(checkout / "data")
    inputs = {"badham2017/human/badham2017/badham2017deficits.csv": "a" * 64, "00_first/numbers": "b" * 64}
    section("00_first", cells)
    section("01_a", cells, inputs=inputs, packages={"numpy": "2.4", "arrow": "1.0"})
    gallery = report_run()
    page = gallery.read_text()
    for target in (
        "01_a/report.html",
        "01_a/executed.ipynb",
        "01_a/manifest.json",
        "#badham2017",
        "#00_first",
    ):
        assert f'href="{target}"' in page
    body = page[page.index("<body>") :]
    for target in re.findall(r'href="([^"#]+)"', body):
        assert (gallery.parent / target).exists(), target
    for anchor in re.findall(r'href="#([^"]+)"', body):
        assert f'id="{anchor}"' in page
    assert "Psychology and Aging" in page and "Licence: " in page
    assert (
        "numpy = 2.4" in page and "1 more in the manifest" in page and "arrow" not in body.split("<script")[0]
    )
    assert page.count("data-figure=") == 2
    assert not LOADS_FROM_ELSEWHERE.search(page)


def test_gallery_leads_with_question_verdict_and_main_figure(
    section: Callable[..., Path], cells: list[Any], home: Path
) -> None:
    (home / "notebooks").mkdir(exist_ok=True)
    (home / "notebooks" / "03_human_comparison.ipynb").touch()
    folder = section("03_human_comparison", cells, takeaways=["The verdict.", "Its limits."])
    manifest = read_manifest(folder)
    (artifact,) = manifest.artifacts
    more = [artifact, artifact.model_copy(update={"name": "another"})]
    write_manifest(folder, manifest.model_copy(update={"artifacts": more}))
    page = report_run(RUN).read_text()
    body = page[page.index("<body>") :]
    order = [
        body.index(said)
        for said in (
            "Which agent learns as people do?",
            '<p class="verdict">The verdict.</p><p>Its limits.</p>',
            'id="03_human_comparison-idea"',
            "<summary>1 more figure</summary>",
            'id="03_human_comparison-another"',
        )
    ]
    assert order == sorted(order)


def test_gallery_lists_what_failed_with_its_reason_and_shows_none_of_it(
    section: Callable[..., Path], cells: list[Any]
) -> None:
    section("01_a", cells)
    section("02_b", cells, status="failed", reason="the kernel <died>.", advice="Give it more memory.")
    section("03_c", cells, status="interrupted", reason="stopped by SIGTERM.")
    page = report_run(RUN).read_text()
    assert "the kernel &lt;died&gt;." in page and "Give it more memory." in page
    assert "stopped by SIGTERM." in page and 'href="02_b/failed.ipynb"' in page
    assert page.count("data-figure=") == 1
    assert 'href="02_b/report.html"' not in page


def test_a_result_that_was_tampered_with_is_not_shown(section: Callable[..., Path], cells: list[Any]) -> None:
    folder = section("01_a", cells)
    write_report(folder)
    write_figure(_figure("forged"), folder / "artifacts" / "figures", "01_a_idea")
    page = report_run(RUN).read_text()
    assert "damaged" in page and "the manifest says" in page
    assert "data-figure=" not in page
    assert not (folder / "report.html").exists()


def test_reports_are_the_same_twice_and_leave_nothing_behind(
    section: Callable[..., Path], cells: list[Any]
) -> None:
    folder = section("01_a", cells)
    report_run()
    first = {name: io.sha256_of_file(path) for name, path in _pages(folder)}
    report_run()
    assert {name: io.sha256_of_file(path) for name, path in _pages(folder)} == first
    assert not list(folder.parent.rglob("*.tmp*"))


def _pages(folder: Path) -> list[tuple[str, Path]]:
    return [("report", folder / "report.html"), ("gallery", folder.parent / "index.html")]


def test_the_newest_run_is_taken_and_a_wrong_name_gets_a_suggestion(home: Path) -> None:
    with pytest.raises(UsageError, match="there is no run yet"):
        find_run()
    for name in ("20261120-000000-aaaaaaaa", RUN):
        (runs_dir() / name).mkdir(parents=True)
    assert find_run().name == RUN
    assert find_run("20261120-000000-aaaaaaaa").name == "20261120-000000-aaaaaaaa"
    assert find_run(runs_dir() / RUN).name == RUN
    with pytest.raises(UsageError, match=f"Did you mean '{RUN}'"):
        find_run(RUN[:-1])
    with pytest.raises(UsageError, match="no section of this run has ended"):
        report_run()


def test_the_command_names_the_pages(section: Callable[..., Path], cells: list[Any]) -> None:
    folder = section("01_a", cells)
    result = CliRunner().invoke(main, ["report"])
    assert result.exit_code == 0, result.output
    assert str(folder.parent / "index.html") in result.output
    assert str(folder / "report.html") in result.output


@pytest.mark.browser
@pytest.mark.slow
def test_pages_show_every_figure_in_a_browser_without_network(
    section: Callable[..., Path], cells: list[Any]
) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    browser_path = find_browser()
    if browser_path is None:
        pytest.skip("no Chrome or Chromium")
    folder = section("01_a", cells)
    several = make_subplots(1, 3).add_trace(go.Scatter(y=[1, 2]))
    path = write_figure(
        finished(several, "Shows three.", 300), folder / "artifacts" / "figures", "01_a_three"
    )
    manifest = read_manifest(folder)
    more = describe_artifact(folder, path, "three", "figure")
    write_manifest(folder, manifest.model_copy(update={"artifacts": [*manifest.artifacts, more]}))
    gallery = report_run()
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=str(browser_path), args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        for page_path, figures in ((folder / "report.html", 2), (gallery, 1)):
            context = browser.new_context(offline=True)
            page = context.new_page()
            asked: list[str] = []
            errors: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
            page.goto(page_path.as_uri())
            page.wait_for_function(
                f"document.querySelectorAll('.js-plotly-plot .main-svg').length >= {figures}"
            )
            drawn = "[...document.querySelectorAll('.js-plotly-plot')].map(plot => plot.querySelectorAll('path.js-line').length)"
            assert page.evaluate(drawn) == [1] * figures
            assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
            assert errors == []
            page.set_viewport_size({"width": 390, "height": 844})
            page.evaluate("document.querySelectorAll('details').forEach((part) => part.open = true)")
            page.wait_for_function(
                "document.querySelectorAll('[data-figure]:not(.js-plotly-plot)').length == 0"
            )
            assert page.evaluate("document.documentElement.scrollWidth") == 390
            page.emulate_media(media="print")
            assert page.locator(".links").first.is_hidden()
            context.close()
        browser.close()

"""Every dashboard in a real JupyterLab, driven by a real browser: opened, moved, seen to change."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from toolkit.tests.widgets.lab import CHROMIUM, OpenDashboard, running_lab
from toolkit.viz import find_browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHECKOUT = Path(__file__).resolve().parents[3]
MOVES = {
    "learner_playground": ("attention 1", ("ArrowLeft", "ArrowLeft", "ArrowLeft")),
    "bandit_lab": ("learning rate positive", ("PageUp",)),
    "problem_browser": ("Trials", ("ArrowRight", "ArrowRight")),
}
"""A control of every dashboard, and keys that move it."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a JupyterLab with the dashboards."""
    if find_browser() is None:
        pytest.skip("no Chrome or Chromium")
    with running_lab(CHECKOUT / "notebooks" / "explore", CHECKOUT, tmp_path_factory.mktemp("lab")) as address:
        yield address


@pytest.fixture(scope="module")
def browser(lab: str) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(find_browser()), args=CHROMIUM)
        yield opened
        opened.close()


@pytest.fixture
def open_dashboard(lab: str, browser: Any, tmp_path: Path) -> Iterator[Callable[[str], OpenDashboard]]:
    """Opens a notebook by name and runs it; screenshots go to ``TOOLKIT_SCREENSHOTS`` or a temporary folder."""
    folder = Path(os.environ.get("TOOLKIT_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    page = browser.new_page(viewport={"width": 1400, "height": 1000})

    def opened(name: str) -> OpenDashboard:
        dashboard = OpenDashboard(page, folder, name)
        dashboard.open(lab)
        return dashboard

    yield opened
    page.close()


def test_every_notebook_is_tried() -> None:
    assert set(MOVES) == {path.stem for path in (CHECKOUT / "notebooks" / "explore").glob("*.ipynb")}


@pytest.mark.parametrize("name", MOVES)
def test_a_control_moves_the_figure(open_dashboard: Callable[[str], OpenDashboard], name: str) -> None:
    dashboard = open_dashboard(name)
    dashboard.wait_for_figure()
    dashboard.picture("opened")
    before = dashboard.figure()
    description, keys = MOVES[name]
    dashboard.press(description, *keys)
    dashboard.wait_for_change(before)
    dashboard.click("Show the code")
    code = dashboard.page.locator(".toolkit-code textarea")
    code.wait_for(state="visible")
    assert code.input_value().endswith("\nfigure")
    dashboard.picture("moved")
    assert dashboard.page.locator(".jp-OutputArea-error").count() == 0
    assert dashboard.errors == []

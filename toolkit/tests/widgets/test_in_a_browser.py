"""Every dashboard in a real JupyterLab, driven by a real browser: opened, moved, seen to change."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from toolkit.tests.widgets.lab import CHROMIUM, OpenDashboard, running_lab
from toolkit.viz import find_browser
from toolkit.widgets.participant_play import read_choices

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHECKOUT = Path(__file__).resolve().parents[3]
MOVES = {
    "learner_playground": ("attention 1", ("ArrowLeft", "ArrowLeft", "ArrowLeft")),
    "bandit_lab": ("learning rate positive", ("PageUp",)),
    "problem_browser": ("Trials", ("ArrowRight", "ArrowRight")),
    "model_comparison": ("Person", ("ArrowDown", "ArrowDown")),
    "discovery_board": ("Rounds", ("ArrowLeft",)),
}
"""A control of every dashboard, and keys that move it."""
PARTICIPANT = "be_the_participant"
"""The dashboard in which a person is to do something first."""
CLICKS = {
    "model_comparison": (".nsewdrag", (0.97, 0.5)),
    "discovery_board": (".scatterlayer .points path", (0.5, 0.5)),
}
"""What of a figure is clicked where a click chooses something, and where in it."""
_FRAME = "() => getComputedStyle(document.activeElement).outlineStyle"
_NAMELESS = "() => [...document.querySelectorAll('.toolkit-dashboard [role=slider]')].filter(one => !one.ariaLabel).length"


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
def screenshots(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where they are kept: ``TOOLKIT_SCREENSHOTS``, else pytest's cache, if it has one."""
    cache = getattr(request.config, "cache", None)
    kept = os.environ.get("TOOLKIT_SCREENSHOTS") or (cache.mkdir("screenshots") if cache else tmp_path)
    Path(kept).mkdir(parents=True, exist_ok=True)
    return Path(kept)


@pytest.fixture
def open_dashboard(lab: str, browser: Any, screenshots: Path) -> Iterator[Callable[[str], OpenDashboard]]:
    """Opens a notebook by name and runs it."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})

    def opened(name: str) -> OpenDashboard:
        dashboard = OpenDashboard(page, screenshots, name)
        dashboard.open(lab)
        return dashboard

    yield opened
    page.close()


def test_every_notebook_is_tried() -> None:
    assert {*MOVES, PARTICIPANT} == {
        path.stem for path in (CHECKOUT / "notebooks" / "explore").glob("*.ipynb")
    }


@pytest.mark.parametrize("name", MOVES)
def test_a_control_moves_the_figure(open_dashboard: Callable[[str], OpenDashboard], name: str) -> None:
    dashboard = open_dashboard(name)
    dashboard.wait_for_figure()
    dashboard.picture("opened")
    before = dashboard.figure()
    description, keys = MOVES[name]
    dashboard.press(description, *keys)
    dashboard.wait_for_change(before)
    assert dashboard.page.evaluate(_FRAME) == "solid"
    assert dashboard.page.evaluate(_NAMELESS) == 0
    dashboard.click("Show the code")
    code = dashboard.page.locator(".toolkit-code textarea")
    code.wait_for(state="visible")
    assert code.input_value().endswith("\nfigure")
    dashboard.picture("moved")
    if name in CLICKS:
        before = dashboard.figure()
        dashboard.click_figure(*CLICKS[name])
        dashboard.wait_for_change(before)
        dashboard.picture("clicked")
    assert dashboard.page.locator(".jp-OutputArea-error").count() == 0
    assert dashboard.errors == []


def test_a_script_is_the_participant(open_dashboard: Callable[[str], OpenDashboard]) -> None:
    dashboard = open_dashboard(PARTICIPANT)
    page, task = dashboard.page, dashboard.page.locator(".toolkit-task")
    page.wait_for_selector(".toolkit-task")
    dashboard.press("Trials", "Home")
    dashboard.press("Pace", "End")
    dashboard.click("Begin")
    typed = page.locator(".toolkit-task input")
    page.wait_for_function("() => document.activeElement === document.querySelector('.toolkit-task input')")
    expected = []
    for trial in range(16):
        task.get_by_text(f"{trial + 1} of 16", exact=True).wait_for()
        option, told = trial % 3 % 2, task.get_by_text(re.compile("^(✓ Right|✗ Wrong)"))
        assert told.count() == 0 and task.locator("svg[aria-label]").count() == 1
        if trial < 4:
            task.get_by_role("button", name=f"Category {'AB'[option]}").click()
        else:
            typed.press("fj"[option])
        told.wait_for()
        if trial == 3:
            page.screenshot(path=str(dashboard.screenshots / f"{PARTICIPANT}_told.png"))
        expected.append(option)
        if trial < 4:
            task.get_by_role("button", name="Next").click()
        else:
            typed.press("Space")
    dashboard.wait_for_figure()
    page.get_by_text(re.compile(r"You were right on \d+ of 16 trials\. .*nats a choice")).wait_for()
    dashboard.click("Save my choices")
    saved = task.get_by_text(re.compile(r"^Saved as .*\.csv\.")).inner_text()
    assert read_choices(re.match(r"Saved as (.*\.csv)\.", saved)[1]).choice.tolist() == [expected]
    dashboard.click("Show the code")
    assert f"choices = {expected}" in page.locator(".toolkit-code textarea").input_value()
    dashboard.picture("verdict")
    assert page.locator(".jp-OutputArea-error").count() == 0
    assert dashboard.errors == []

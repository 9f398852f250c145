"""A real JupyterLab on loopback, and notebooks opened in it by a real browser."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PATIENCE = 180_000
"""Milliseconds that a busy machine is waited for."""
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_OWN_FOLDERS = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
)
_PLOT = "document.querySelector('.toolkit-dashboard .js-plotly-plot')"
_FIGURE = f"() => JSON.stringify({_PLOT}.data)"
_DRAWN = f"() => {_PLOT} && {_PLOT}.data && {_PLOT}.data.length > 0 && {_PLOT}.querySelector('.main-svg')"
_RAN = "() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].every(one => /\\d/.test(one.textContent))"


@contextmanager
def running_lab(notebooks: Path, checkout: Path, folder: Path) -> Iterator[str]:
    """JupyterLab on a copy of ``notebooks``, with a token and without news; gives its address.

    Nothing that it writes is outside ``folder``, and it finds no data but those of the checkout.
    """
    copied = folder / "notebooks"
    shutil.copytree(notebooks, copied)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    _ask_for_no_news(folder / "jupyterlab_settings_dir")
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if name not in ("TOOLKIT_MIRROR", "PYTHONDONTWRITEBYTECODE")
        },
        **{name: str(folder / name.lower()) for name in _OWN_FOLDERS},
        "PYTHONPATH": str(checkout),
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        "TOOLKIT_HOME": str(folder),
        "TOOLKIT_DATA": str(folder / "nothing"),
    }
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", "--allow-root", f"--IdentityProvider.token={token}"]
    command += ["--LabApp.news_url=None", str(copied)]
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=copied)
        try:
            _wait_for(f"http://127.0.0.1:{port}/api?token={token}", server)
            yield f"http://127.0.0.1:{port}/lab/tree/{{name}}.ipynb?token={token}&reset"
        finally:
            server.terminate()
            server.wait(30)


def _ask_for_no_news(settings: Path) -> None:
    notification = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    notification.parent.mkdir(parents=True)
    notification.write_text('{"fetchNews": "false", "checkForUpdates": false}')


def _wait_for(url: str, server: subprocess.Popen) -> None:
    until = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("JupyterLab did not start; lab.log says why.")


@dataclass
class OpenDashboard:
    """A dashboard that has been opened and run.

    Attributes
    ----------
    errors
        What JavaScript complained about.
    """

    page: Any
    screenshots: Path
    name: str
    errors: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        """Open the notebook, run all its cells, and wait for the dashboard's figure."""
        self.page.set_default_timeout(PATIENCE)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._note)
        self.page.goto(address.format(name=self.name))
        self.page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        # A kernel that is asked too early is not there, and a dialog asks for one.
        self.page.wait_for_selector("text=| Idle")
        self.page.click("text=Run >> nth=0")
        self.page.click("text=Run All Cells")

    def _note(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def wait_for_figure(self) -> None:
        """Until all cells have run and the figure is drawn."""
        self.page.wait_for_function(_RAN)
        self.page.wait_for_function(_DRAWN)

    def figure(self) -> str:
        """Everything that the figures show."""
        return self.page.evaluate(_FIGURE)

    def wait_for_change(self, before: str) -> None:
        """Until the figures show something else."""
        self.page.wait_for_function(f"before => ({_FIGURE})() !== before", arg=before)

    def control(self, description: str) -> Any:
        """The focusable part of the control with this description."""
        box = self.page.locator(".jupyter-widgets", has=self.page.get_by_text(description, exact=True)).last
        return box.locator("select, .noUi-handle, input, button").first

    def click(self, name: str) -> None:
        """Press a button of the dashboard by the keyboard."""
        button = self.page.locator(".toolkit-dashboard").get_by_role("button", name=name)
        button.focus()
        self.page.keyboard.press("Enter")

    def press(self, description: str, *keys: str) -> None:
        """Move a control by the keyboard."""
        control = self.control(description)
        control.scroll_into_view_if_needed()
        control.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def click_figure(self, part: str, place: tuple[float, float]) -> None:
        """Click the first of some parts of the figure, at a place in it between (0, 0) and (1, 1)."""
        found = self.page.locator(f".toolkit-dashboard .js-plotly-plot {part}").first
        found.scroll_into_view_if_needed()
        box = found.bounding_box()
        at = (box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"])
        self.page.mouse.move(*at)
        self.page.wait_for_selector(".hoverlayer .hovertext")
        self.page.mouse.click(*at)

    def picture(self, what: str) -> None:
        """Keep what is seen."""
        self.page.locator(".toolkit-dashboard .js-plotly-plot").scroll_into_view_if_needed()
        self.page.screenshot(path=str(self.screenshots / f"{self.name}_{what}.png"))

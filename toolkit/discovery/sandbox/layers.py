"""The layers between a candidate and this machine: which there are, which are active, which are needed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.errors import UsageError


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes
    ----------
    name
        What it is.
    active
        Whether it holds on this machine, as a worker found out.
    needed
        Whether candidates are refused without it.
    detail
        What it does here, or why it is not active.
    """

    name: str
    active: bool
    needed: bool
    detail: str

    def __str__(self) -> str:
        return f"{self.name}: {'active' if self.active else 'NOT ACTIVE'}; {self.detail}"


_DENIED = ("reading files", "writing files", "the network", "starting processes")


def layers_of(report: Mapping[str, Any]) -> list[Layer]:
    """The layers, from what a worker reported after it had locked itself."""
    denied = {name: bool(report.get("denied", {}).get(name)) for name in _DENIED}
    limits = report.get("limits", [])
    confined = all(denied.values())
    open_to = ", ".join(name for name, closed in denied.items() if not closed)
    return [
        Layer("gate", True, True, "every construct and name in the text is one of a list"),
        Layer("process", True, True, "its own process with an empty environment, started anew, not forked"),
        Layer("limits", bool(limits), True, ", ".join(limits) or "the system has no resource limits"),
        *_kernel(report),
        Layer(
            "confinement",
            confined,
            True,
            f"tried and denied: {', '.join(_DENIED)}" if confined else f"still possible: {open_to}",
        ),
        Layer("watchdog", True, True, "time, memory and answers of every request are watched from outside"),
    ]


def _kernel(report: Mapping[str, Any]) -> list[Layer]:
    if sys.platform == "darwin":
        confined = bool(report.get("confined"))
        detail = "deny-by-default profile" if confined else "the program sandbox-exec is missing"
        return [Layer("sandbox-exec", confined, False, detail)]
    if sys.platform != "linux":
        return [Layer("kernel", False, False, "there is no confinement for this system; WSL 2 has it")]
    says = {
        "Landlock": "only the folders of Python can be read",
        "seccomp": "only system calls that calculating needs",
    }
    layers = [
        Layer("no_new_privs", bool(report.get("no_new_privileges")), False, "no program can gain privileges")
    ]
    for name, detail in says.items():
        why_not = report.get(name.lower(), "it was not tried")
        layers.append(Layer(name, not why_not, False, why_not or detail))
    return layers


def require(layers: list[Layer]) -> None:
    """Refuse to go on where a needed layer is not active."""
    absent = [layer for layer in layers if layer.needed and not layer.active]
    if absent:
        others = [layer for layer in layers if not layer.needed and not layer.active]
        raise UsageError(
            f"candidates would run here without {' and '.join(layer.name for layer in absent)} "
            f"({'; '.join(layer.detail for layer in [*absent, *others])}).",
            where="sandbox",
            fix="Use Linux 5.13 or newer with Landlock or seccomp, or macOS; or, where you trust every "
            "candidate as you trust your own code, pass Sandbox(accept_fewer_layers=True).",
        )

"""`toolkit doctor`."""

from __future__ import annotations

import sys

import click

from toolkit.doctor import Check, run_checks


@click.command()
def doctor() -> None:
    """Check Python, torch, browser, widgets, keys, data, sandbox and disk; one line each, with what mends it.

    ✓ is fine, – is optional and absent, ✗ must be mended (exit code 1).

    Example: toolkit doctor
    """
    checks = run_checks()
    for check in checks:
        click.echo(_as_line(check))
    if any(check.ok is False for check in checks):
        sys.exit(1)


def _as_line(check: Check) -> str:
    mark = {True: click.style("✓", fg="green"), None: "–", False: click.style("✗", fg="red")}[check.ok]
    advice = f"  →  {check.fix}" if check.fix else ""
    return f"{mark} {check.name:36} {check.detail}{advice}"

"""Where a result comes from: the commit, the packages and the machine."""

from __future__ import annotations

import os
import platform
import re
import shutil
import socket
import subprocess
from typing import Any

from toolkit.paths import project_root


def describe_git() -> dict[str, Any]:
    """Commit of the project and whether tracked files were changed; empty outside of git."""
    commit = _output(["git", "rev-parse", "HEAD"])
    if not commit:
        return {}
    changed = _output(["git", "status", "--porcelain", "--untracked-files=no"])
    return {"commit": commit, "dirty": bool(changed)}


def find_remote(name: str) -> str:
    """Address of a remote of the project's checkout; "" where there is none."""
    return _output(["git", "remote", "get-url", name])


def is_pushed() -> bool:
    """Whether some remote branch that the checkout knows has its commit."""
    return bool(_output(["git", "branch", "--remotes", "--contains", "HEAD"]))


def installed_packages() -> dict[str, str]:
    """Version of every installed package, by its name."""
    import sys
    from pathlib import Path

    found: dict[str, str] = {}
    for place in sys.path:
        folder = Path(place or ".")
        # The folders' names tell; reading 200 metadata files would take longer than all else here.
        for entry in folder.glob("*.dist-info") if folder.is_dir() else ():
            name, _, version = entry.name.removesuffix(".dist-info").rpartition("-")
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    return dict(sorted(found.items()))


def describe_machine() -> dict[str, Any]:
    """Python, system, cores, memory and GPUs."""
    import psutil

    return {
        "host": socket.gethostname(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "memory_mb": psutil.virtual_memory().total // 2**20,
        "gpus": list_gpus(),
    }


def list_gpus() -> list[str]:
    """Name and driver of every GPU that this process may use."""
    if shutil.which("nvidia-smi") is None:
        return []
    lines = _output(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]).splitlines()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        chosen = [device for device in visible.split(",") if device.strip()]
        lines = lines[: len(chosen)]
    return [line.strip() for line in lines if line.strip()]


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, cwd=project_root(), capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()

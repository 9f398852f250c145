"""The kernel a section runs in: this interpreter, reached through private sockets in a file system.

The kernel that a notebook names is ignored: it belongs to whoever saved the notebook. Sockets in a
folder of the user's own cannot clash between parallel runs, nor be reached by others on a shared host.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Left alone, every kernel starts as many threads as there are cores and they wait for each other."""

_LONGEST_SOCKET_FOLDER = 80
"""Unix sockets have paths of at most 108 bytes (104 on macOS)."""


@contextlib.contextmanager
def socket_folder() -> Iterator[Path]:
    """A short-named folder of our own for the kernel's sockets."""
    base = tempfile.gettempdir()
    if len(base) > _LONGEST_SOCKET_FOLDER and Path("/tmp").is_dir():
        base = "/tmp"
    folder = tempfile.mkdtemp(prefix="tk-", dir=base)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def kernel_environment(extra: dict[str, str]) -> dict[str, str]:
    """Environment of the kernel: ours, one thread for linear algebra, this very toolkit to import."""
    package_home = str(Path(__file__).resolve().parents[2])
    environment = dict.fromkeys(THREAD_VARIABLES, "1") | dict(os.environ) | extra
    paths = environment.get("PYTHONPATH", "").split(os.pathsep)
    if package_home not in paths:
        environment["PYTHONPATH"] = os.pathsep.join([package_home, *filter(None, paths)])
    return environment


def kernel_manager_class(
    sockets: Path, environment: dict[str, str], output: int, on_start: Callable[[Any], None]
) -> type:
    """Class of the manager that papermill starts the kernel with.

    Parameters
    ----------
    sockets
        Folder for the connection file and the sockets.
    environment
        The kernel's environment.
    output
        File descriptor that takes what the kernel's process prints outside of cells.
    on_start
        Called with the kernel's ``subprocess.Popen``.
    """
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    specification = KernelSpec(
        argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        display_name="Python 3",
        language="python",
    )

    class SectionKernelManager(AsyncKernelManager):
        """A kernel of the running interpreter on private sockets."""

        @property
        def kernel_spec(self) -> KernelSpec:
            return specification

        async def start_kernel(self, **options: Any) -> None:
            await super().start_kernel(**options, env=environment, stdout=output, stderr=output)
            on_start(self.provisioner.process)

    transport = "tcp" if sys.platform == "win32" else "ipc"
    traits = {"transport": transport, "connection_file": str(sockets / "kernel.json")}

    class Configured(SectionKernelManager):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options, **traits)

    return Configured

"""GPUs of this machine, shared out so that sections that run at once do not meet on the first one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from toolkit.errors import UsageError
from toolkit.pipeline.locks import hold
from toolkit.pipeline.runs import Run

GPUS_VARIABLE = "TOOLKIT_GPUS"
"""Environment variable by which `toolkit run` says how many GPUs its sections share."""


@contextlib.contextmanager
def take_gpus(run: Run, wanted: int) -> Iterator[dict[str, str]]:
    """Environment that shows a section the GPUs it has declared and no others.

    Outside of a local `toolkit run` nothing is changed: a cluster shares out its GPUs itself.
    """
    if GPUS_VARIABLE not in os.environ:
        yield {}
        return
    shared = int(os.environ[GPUS_VARIABLE])
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    devices = visible.split(",") if visible else [str(number) for number in range(shared)]
    with contextlib.ExitStack() as held:
        taken: list[str] = []
        for number, device in enumerate(devices[:shared]):
            if len(taken) == wanted:
                break
            with contextlib.suppress(UsageError):  # Another section has it.
                held.enter_context(hold(run.work / f"gpu_{number}.lock", f"GPU {device}"))
                taken.append(device)
        if len(taken) < wanted:
            raise UsageError(
                f"{wanted} GPUs are asked for, {len(taken)} are free.", fix="Wait, or run fewer jobs at once."
            )
        yield {"CUDA_VISIBLE_DEVICES": ",".join(taken)}

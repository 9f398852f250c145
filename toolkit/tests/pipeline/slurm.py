"""A Slurm of one node on loopback, for as long as a test needs it."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

CONFIGURATION = Path("/etc/slurm/slurm.conf")
"""Snakemake's plugin drops SLURM_* variables in its jobs, so only the usual place works."""

PARTITION = "short"
_MARK = "# Made for a test; it may be removed."

_TEMPLATE = """{mark}
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=5
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=8000 State=UNKNOWN
PartitionName={partition} Nodes={host} Default=YES MaxTime=60 State=UP
"""


def reason_to_skip() -> str | None:
    """Why no Slurm can be started here, or None."""
    missing = [name for name in ("slurmctld", "slurmd", "munged", "sbatch", "squeue") if not _find(name)]
    if missing:
        return f"not installed: {', '.join(missing)} (Debian: apt-get install slurm-wlm munge)"
    if os.geteuid() != 0:
        return "only root can start slurmd"
    if CONFIGURATION.exists() and _MARK not in CONFIGURATION.read_text():
        return f"{CONFIGURATION} belongs to another cluster"
    return None


@contextlib.contextmanager
def one_node_slurm(folder: Path) -> Iterator[None]:
    """Start munged, slurmctld and slurmd with everything they write in ``folder``; end them after."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    folder.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o400)
    CONFIGURATION.parent.mkdir(exist_ok=True)
    CONFIGURATION.write_text(
        _TEMPLATE.format(
            mark=_MARK,
            host=socket.gethostname(),
            folder=folder,
            controller_port=_free_port(),
            node_port=_free_port(),
            partition=PARTITION,
        )
    )
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        daemons.append(_start(folder, "munged", "--foreground", "--force", *_munge_places(folder)))
        _wait_until(lambda: (folder / "munge.socket").exists(), folder)
        daemons.append(_start(folder, "slurmctld", "-D"))
        daemons.append(_start(folder, "slurmd", "-D"))
        _wait_until(_is_idle, folder)
        yield
    finally:
        _cancel_all()
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in reversed(daemons):
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
        CONFIGURATION.unlink(missing_ok=True)


def jobs() -> list[tuple[str, str]]:
    """Number and comment of every job that is running."""
    listed = subprocess.run(
        ["squeue", "--noheader", "--states=RUNNING", "--format=%i %k"],
        capture_output=True,
        text=True,
        check=False,
    )
    return [tuple(line.split(maxsplit=1)) for line in listed.stdout.splitlines() if " " in line]  # type: ignore[misc]


def _munge_places(folder: Path) -> list[str]:
    return [
        f"--key-file={folder / 'munge.key'}",
        f"--socket={folder / 'munge.socket'}",
        f"--pid-file={folder / 'munged.pid'}",
        f"--log-file={folder / 'munged.log'}",
        f"--seed-file={folder / 'munged.seed'}",
    ]


def _start(folder: Path, name: str, *arguments: str) -> subprocess.Popen[bytes]:
    with (folder / f"{name}.out").open("wb") as output:
        return subprocess.Popen([_find(name) or name, *arguments], stdout=output, stderr=output, cwd=folder)


def _find(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _is_idle() -> bool:
    listed = subprocess.run(
        ["sinfo", "--noheader", "--format=%t"], capture_output=True, text=True, check=False
    )
    return listed.returncode == 0 and listed.stdout.strip() == "idle"


def _cancel_all() -> None:
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            ["scancel", "--user=root", "--signal=KILL", "--full"],
            capture_output=True,
            timeout=20,
            check=False,
        )
        subprocess.run(["scancel", "--user=root"], capture_output=True, timeout=20, check=False)


def _wait_until(condition, folder: Path, seconds: float = 60) -> None:
    until = time.time() + seconds
    while not condition():
        if time.time() > until:
            tails = [
                f"{path.name}: {path.read_text(errors='replace')[-800:]}" for path in folder.glob("*.log")
            ]
            tails += [
                f"{path.name}: {path.read_text(errors='replace')[-800:]}" for path in folder.glob("*.out")
            ]
            raise RuntimeError("Slurm did not come up\n" + "\n".join(tails))
        time.sleep(0.3)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

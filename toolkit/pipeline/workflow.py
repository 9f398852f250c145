"""Snakemake as the engine of a run: started in the run's folder, watched, and ended with it."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from toolkit.errors import ToolkitError, UsageError, did_you_mean
from toolkit.io import read_json, write_json
from toolkit.paths import figures_dir, mirror_dir, notebooks_dir, project_root, raw_dir, runs_dir
from toolkit.pipeline.devices import GPUS_VARIABLE
from toolkit.pipeline.locks import this_process
from toolkit.pipeline.planning import Step
from toolkit.pipeline.runs import Run
from toolkit.pipeline.secrets import Secrets
from toolkit.pipeline.section import RUNNER_VARIABLE

JOBS_NAME = "jobs.json"
LOCAL = "local"

_PACKAGE_HOME = Path(__file__).resolve().parents[2]
_END_AFTER_S = 30.0
"""Time that stopped sections have to say how far they were; Slurm kills a job 30 s after it asked."""


@dataclass(frozen=True)
class Job:
    """One rule of the Snakefile."""

    section: str
    needs: list[str]
    gpu: int
    mem_mb: int
    minutes: int
    command: str


@dataclass(frozen=True)
class Engine:
    """Where and how many jobs run.

    Attributes
    ----------
    executor
        "local", or the name of a folder in notebooks/profiles with Snakemake's settings.
    jobs
        How many sections at once; None leaves it to the profile of a cluster.
    gpus, mem_mb
        What this machine may give to sections that run at once.
    partition, account
        Slurm's, where it needs them.
    """

    executor: str = LOCAL
    jobs: int | None = None
    gpus: int = 0
    mem_mb: int = 0
    partition: str | None = None
    account: str | None = None


def write_jobs(run: Run, steps: list[Step], engine: Engine) -> None:
    """Write down what must run, for the Snakefile; Snakemake's state of earlier runs is removed."""
    names = {step.section.name for step in steps}
    jobs = []
    for section in (step.section for step in steps):
        # A section that wants more memory than there is would wait for ever; it may still succeed.
        mem_mb = section.resources.mem_mb
        mem_mb = min(mem_mb, engine.mem_mb) if engine.executor == LOCAL and engine.mem_mb else mem_mb
        command = [sys.executable, "-m", "toolkit", "run-section", section.name, "--run", run.run_id]
        needs = [need for need in section.needs if need in names]
        jobs.append(
            Job(
                section.name,
                needs,
                section.resources.gpu,
                mem_mb,
                section.resources.minutes,
                shlex.join(command),
            )
        )
    shutil.rmtree(run.folder / ".stamps", ignore_errors=True)
    for entry in (run.folder / ".snakemake").glob("*"):
        if entry.is_dir() and entry.name not in ("log", "slurm_logs"):
            shutil.rmtree(entry, ignore_errors=True)
    write_json(run.folder / JOBS_NAME, [asdict(job) for job in jobs])


def read_jobs(path: str | Path) -> list[Job]:
    """The jobs that `write_jobs` wrote."""
    return [Job(**job) for job in read_json(path)]


def is_stamped(run: Run, section: str) -> bool:
    """Whether the section's command came to a good end in this run of Snakemake."""
    return (run.folder / ".stamps" / section).exists()


def run_snakemake(run: Run, engine: Engine, look: Callable[[], None], stopped: Callable[[], bool]) -> Path:
    """Run the jobs of a run; returns the path of Snakemake's log, which holds no secrets.

    Parameters
    ----------
    look
        Called twice a second while it runs.
    stopped
        Says whether everything must be ended.
    """
    log = run.folder / ".snakemake" / "log" / "toolkit.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    # A file and not a pipe: whose reader is gone, Snakemake waits for ever.
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            snakemake_command(run, engine),
            cwd=run.folder,
            env=_environment(engine),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while process.poll() is None:
            look()
            if stopped():
                _end(process, engine)
            time.sleep(0.5)
    finally:
        if process.poll() is None:
            _end(process, engine)
        _clean_logs(run)
    return log


def snakemake_command(run: Run, engine: Engine) -> list[str]:
    """Command line of Snakemake for a run."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        str(_snakefile()),
        "--directory",
        str(run.folder),
    ]
    command += ["--keep-going", "--rerun-incomplete", "--nolock", "--rerun-triggers", "mtime"]
    command += ["--scheduler", "greedy"]
    if engine.executor == LOCAL:
        command += ["--cores", str(engine.jobs or 1)]
        return [*command, "--resources", f"gpu={engine.gpus}", f"mem_mb={engine.mem_mb}"]
    command += ["--profile", str(_cluster_profile(engine.executor))]
    command += ["--jobs", str(engine.jobs)] if engine.jobs else []
    settings = {"slurm_partition": engine.partition, "slurm_account": engine.account}
    given = [f"{name}={value}" for name, value in settings.items() if value]
    return [*command, "--default-resources", *given] if given else command


def _snakefile() -> Path:
    here = notebooks_dir() / "Snakefile"
    return here if here.is_file() else _PACKAGE_HOME / "notebooks" / "Snakefile"


def _cluster_profile(name: str) -> Path:
    folders = [notebooks_dir() / "profiles", _PACKAGE_HOME / "notebooks" / "profiles"]
    for folder in folders:
        if (folder / name / "config.yaml").is_file():
            return folder / name
    known = {path.parent.name for folder in folders for path in folder.glob("*/config.yaml")}
    raise UsageError(
        f"there is no executor '{name}'.", where=str(folders[0]), fix=did_you_mean(name, {*known, LOCAL})
    )


def check_executor(engine: Engine) -> None:
    """Raise if what an executor needs is not here, before anything starts."""
    if engine.executor == LOCAL:
        return
    profile = _cluster_profile(engine.executor)
    if "executor: slurm" not in (profile / "config.yaml").read_text(encoding="utf-8"):
        return
    import importlib.util

    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        raise UsageError(
            "Snakemake's Slurm plugin is not installed.",
            fix="pip install snakemake-executor-plugin-slurm",
        )
    if shutil.which("sbatch") is None:
        raise UsageError(
            "there is no `sbatch` here.", fix="Run this on the cluster's login node, or leave --executor out."
        )


def _environment(engine: Engine) -> dict[str, str]:
    """Our environment with every place as an absolute path: jobs work in another folder."""
    environment = dict(os.environ)
    environment |= {
        "TOOLKIT_HOME": str(project_root()),
        "TOOLKIT_RUNS": str(runs_dir()),
        "TOOLKIT_FIGURES": str(figures_dir()),
        "PYTHONUNBUFFERED": "1",
    }
    if "TOOLKIT_DATA" in os.environ:
        environment["TOOLKIT_DATA"] = str(raw_dir())
    if (mirror := mirror_dir()) is not None:
        environment["TOOLKIT_MIRROR"] = str(mirror)
    paths = [
        str(Path(path).resolve()) for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path
    ]
    environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([*paths, str(_PACKAGE_HOME)]))
    for name in (RUNNER_VARIABLE, GPUS_VARIABLE):
        environment.pop(name, None)
    if engine.executor == LOCAL:
        me = this_process()
        environment[GPUS_VARIABLE] = str(engine.gpus)
        environment[RUNNER_VARIABLE] = f"{me.pid}:{me.process_started}"
    return environment


def _end(process: subprocess.Popen[bytes], engine: Engine) -> None:
    """Have every section end and say how far it was, then Snakemake; kill what does not listen."""
    if engine.executor == LOCAL:
        process.send_signal(signal.SIGTERM)  # Snakemake starts no further job.
        for section in _section_processes(process.pid):
            with contextlib.suppress(OSError):
                os.kill(section, signal.SIGTERM)
    else:
        process.send_signal(signal.SIGINT)  # Snakemake cancels the jobs it has submitted.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=_END_AFTER_S)
        return
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _section_processes(pid: int) -> list[int]:
    import psutil

    found = []
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "run-section" in child.cmdline():
                    found.append(child.pid)
    return found


def _clean_logs(run: Run) -> None:
    """Drop Snakemake's own copies of its log, and take secrets out of ours and those of jobs."""
    secrets = Secrets()
    for path in (run.folder / ".snakemake" / "log").glob("*.snakemake.log"):
        path.unlink(missing_ok=True)
    for path in (run.folder / ".snakemake").rglob("*.log"):
        with contextlib.suppress(OSError, ToolkitError):
            secrets.redact_file(path)

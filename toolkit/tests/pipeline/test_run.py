"""`toolkit run` and `toolkit status` as a reader meets them, in processes of their own."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from toolkit.cli import main
from toolkit.pipeline.planning import make_plan
from toolkit.pipeline.runs import Run
from toolkit.pipeline.status import read_status
from toolkit.pipeline.workflow import Engine, read_jobs, snakemake_command, write_jobs
from toolkit.tests.pipeline.conftest import CANARY, Project, files_with, wait_for


def manifest_times(run: Run) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in run.folder.glob("*/manifest.json")}


@pytest.mark.slow
def test_a_chain_with_a_failure_is_explained_mended_and_continued(project: Project) -> None:
    project.add("01_a")
    project.add("02_b", "print(run.load('01_a/numbers'))", needs=["01_a"], before="# twice the number")
    project.add("03_c", before="raise ValueError('no such thing')")
    project.add("04_d", needs=["03_c"])
    planned = project.toolkit("run", "--profile", "smoke", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.count("not run yet") == 4 and "Nothing was run" in planned.stdout
    assert not (project.root / "runs").exists()

    run = project.run()
    first = project.toolkit("run", "--profile", "smoke", "--jobs", "2")
    assert first.returncode == 4
    assert re.search(r"04_d +not run +\(something it needs did not succeed\)", first.stdout)
    message = " ".join(first.stderr.split())
    assert "Error: section 03_c failed: cell 3 of 6" in message
    assert "ValueError: no such thing" in message and "failed.ipynb shows" in message
    assert str(run.section_folder("03_c") / "run.log") in message
    assert "Traceback" not in first.stderr and "snakemake" not in message.lower()
    states = {section.section: section.status for section in read_status(run).sections}
    assert states == {"01_a": "succeeded", "02_b": "succeeded", "03_c": "failed", "04_d": "not run"}
    assert "snakemake" in (run.folder / ".snakemake" / "log" / "toolkit.log").read_text().lower()

    # Mend the one; touch 01_a so that it is made again, with the same result.
    before = manifest_times(run)
    project.add("03_c", before="# mended")
    project.add("01_a", before="# the same result")
    second = project.toolkit("run", "--profile", "smoke", "--jobs", "2")
    assert second.returncode == 0, second.stdout + second.stderr
    after = manifest_times(run)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"01_a", "03_c", "04_d"}
    assert "last time" in second.stdout
    assert re.search(r"02_b +fresh .*what it needs came out the same", second.stdout)

    third = project.toolkit("run", "--profile", "smoke")
    assert third.returncode == 0 and "Everything is fresh" in third.stdout
    assert manifest_times(run) == after


@pytest.mark.slow
def test_progress_of_a_long_cell_can_be_followed(project: Project) -> None:
    wait_here = project.root / "go"
    cells = (
        "import pathlib, time\nfrom toolkit.progress import track\n"
        "for _ in track(range(100), 'fitting'):\n    time.sleep(0.3)\n"
        f"    if pathlib.Path({str(wait_here)!r}).exists(): break"
    )
    project.add("01_a", "print('a line of output')", cells)
    run = project.run()
    process = project.start("run", "--profile", "smoke", "--jobs", "1")
    try:
        seen = wait_for(
            lambda: (s := read_status(run).sections[0]).progress and s.progress["done"] > 2 and s,
            120,
            "progress",
        )
        assert seen.status == "running"
        assert (seen.cell, seen.cells, seen.text) == (5, 7, "import pathlib, time")
        assert seen.progress["what"] == "fitting" and seen.progress["total"] == 100
        assert seen.progress["left_s"] > 5 and seen.memory_mb > 20
        shown = project.toolkit("status").stdout
        assert "(running)" in shown and re.search(
            r"cell 5/7  import pathlib, time  for .* fitting \d+/100", shown
        )
        follower = project.start("status", "--follow")
        assert follower.stdout is not None
        first_line = follower.stdout.readline()
        wait_here.touch()
        output, _ = process.communicate(timeout=90)
        followed = follower.stdout.read()
        follower.wait(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, output
    assert follower.returncode == 0
    assert "01_a | a line of output" in first_line + followed
    assert re.search(r"01_a +succeeded", followed.splitlines()[-1])
    listed = json.loads(project.toolkit("status", "--json").stdout)
    assert listed[0]["run_id"] == run.run_id and listed[0]["sections"][0]["status"] == "succeeded"


@pytest.mark.slow
def test_a_canary_key_is_in_no_file_of_a_run(project: Project) -> None:
    """The notebooks print it, log it, raise it, plot it, save it and put it into their names."""
    tell = (
        "import logging, os, subprocess, sys\n"
        "key = os.environ['CANARY_API_KEY']\n"
        "for part in (key[:9], key[9:]): print(part, end='', flush=True)\n"
        "print(); print(key); print(repr(key), file=sys.stderr); logging.warning('the key %s', key)\n"
        "os.write(1, key.encode()); os.write(2, (key + '\\n').encode())\n"
        "subprocess.run([sys.executable, '-c', 'import os; print(os.environ[\"CANARY_API_KEY\"])'])\n"
        "from IPython.display import HTML, JSON, display\n"
        "display(HTML(key), JSON({key: [key]}), {'key': key}); key"
    )
    finish = "run.finish(f'the key is {key}')"
    project.add("01_a", tell + f"\n#{CANARY}", finish, finish=False)
    project.add("02_b", tell, "raise RuntimeError(f'the key {key} is wrong')")
    project.add("03_c", tell, "run.save('answers', {'headers': {'x-api-key': key}})")
    result = project.toolkit("run", "--profile", "smoke", "--jobs", "2", CANARY_API_KEY=CANARY)
    run = project.run()
    states = {section.section: section.status for section in read_status(run).sections}
    assert states == {"01_a": "succeeded", "02_b": "failed", "03_c": "failed"}
    assert "03_c" in result.stdout and result.returncode == 4
    reason = read_status(run).sections[2].reason
    assert "artifacts/answers.json holds the value of the environment variable CANARY_API_KEY" in reason

    spellings = [
        CANARY,
        json.dumps(CANARY)[1:-1],
        json.dumps(CANARY, ensure_ascii=False)[1:-1],
        "canary-4f1d",
    ]
    for spelling in spellings:
        assert files_with(project.root / "runs", spelling) == []
        assert spelling not in result.stdout + result.stderr
    assert "[secret CANARY_API_KEY]" in (run.section_folder("01_a") / "run.log").read_text()
    assert "[secret CANARY_API_KEY]" in (run.section_folder("01_a") / "executed.ipynb").read_text()
    failed = (run.section_folder("02_b") / "failed.ipynb").read_text()
    assert "[secret CANARY_API_KEY]" in failed and '"sk-canary"' not in failed  # its first nine letters


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "nummber=1"], "no section has a parameter 'nummber'. Did you mean 'number'?"),
        (["--set", "number=few"], "parameter 'number' (a number) is 'few'"),
        (["--set", "a=__import__('os').system('touch made')#=1"], "no section has a parameter 'a'"),
        (["--only", "07"], "there is no section '07'"),
        (["--executor", "slrum"], "there is no executor 'slrum'. Did you mean 'slurm'?"),
        (["--profile", "paper", "--gpus", "0"], "section 01_a: it asks for 1 GPU in profile paper"),
        (["--pipeline", "nowhere.yaml"], "there is no such pipeline file"),
    ],
)
def test_wrong_requests_end_at_once_in_one_paragraph(
    project: Project, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    project.add("01_a", profiles={"paper": {"resources": {"gpu": 1}}})
    result = CliRunner().invoke(main, ["run", *arguments])
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert not (project.root / "made").exists()


def test_a_key_as_a_parameter_is_refused_before_anything_is_written(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("CANARY_API_KEY", CANARY)
    project.add("01_a")
    result = CliRunner().invoke(main, ["run", "--set", f"words={json.dumps([CANARY])}"])
    assert result.exit_code == 2 and "environment variable CANARY_API_KEY" in " ".join(result.output.split())
    assert CANARY not in result.output and not (project.root / "runs").exists()


@pytest.mark.parametrize("command", ["run", "run-section", "status"])
def test_every_command_has_an_example(command: str) -> None:
    shown = CliRunner().invoke(main, [command, "--help"]).output
    assert f"Example: toolkit {command}" in shown


def test_status_without_runs(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    assert "Begin with: toolkit run" in CliRunner().invoke(main, ["status"]).output
    assert json.loads(CliRunner().invoke(main, ["status", "--json"]).output) == []
    assert CliRunner().invoke(main, ["status", "--follow"]).exit_code == 2


def test_the_engine_gets_declared_resources(project: Project) -> None:
    project.add("01_a", resources={"gpu": 1, "mem_mb": 3000, "minutes": 5})
    project.add("02_b", needs=["01_a"])
    run = project.run()
    engine = Engine(jobs=2, gpus=1, mem_mb=2500)
    write_jobs(run, make_plan(run, project.pipeline(), ["02_b"]), engine)
    first, second = read_jobs(run.folder / "jobs.json")
    assert (first.gpu, first.mem_mb, first.minutes, first.needs) == (1, 2500, 5, [])
    assert second.needs == ["01_a"] and "run-section 02_b" in second.command
    command = snakemake_command(run, engine)
    assert command[command.index("--resources") + 1 :][:2] == ["gpu=1", "mem_mb=2500"]
    cluster = snakemake_command(run, Engine("slurm", partition="long"))
    assert "slurm_partition=long" in cluster and "--cores" not in cluster
    assert Path(cluster[cluster.index("--profile") + 1]).name == "slurm"
    assert os.sep not in first.section

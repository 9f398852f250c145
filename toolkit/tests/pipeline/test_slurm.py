"""`toolkit run --executor slurm` on a real Slurm: a success, a failure and a cancelled job."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from toolkit.pipeline.status import read_status
from toolkit.tests.pipeline import slurm
from toolkit.tests.pipeline.conftest import CANARY, Project, files_with, wait_for
from toolkit.tests.pipeline.test_interruptions import LONG, in_long_cell, kernel_is_gone

pytestmark = [pytest.mark.slurm, pytest.mark.slow]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    if reason := slurm.reason_to_skip():
        pytest.skip(reason)
    with slurm.one_node_slurm(tmp_path_factory.mktemp("slurm")):
        yield


@pytest.mark.usefixtures("cluster")
def test_a_success_a_failure_and_a_cancelled_job(project: Project) -> None:
    project.add(
        "01_a", before="import os\nprint('in job', os.environ['SLURM_JOB_ID'], os.environ['CANARY_API_KEY'])"
    )
    project.add("02_b", before="1 / 0")
    project.add("03_c", before=LONG)
    for section in project.sections:
        section["resources"] = {"mem_mb": 500, "minutes": 10}
    project.write_pipeline()
    run = project.run(profile="paper")
    arguments = ("run", "--profile", "paper", "--executor", "slurm", "--slurm-partition", slurm.PARTITION)
    process = project.start(*arguments, CANARY_API_KEY=CANARY)
    try:
        in_long_cell(run, "03_c")
        (job,) = [number for number, comment in slurm.jobs() if "03_c" in comment]
        second = project.toolkit("run", "--profile", "paper")
        assert second.returncode == 2 and "is being worked on" in " ".join(second.stderr.split())
        wait_for(
            lambda: run.section_folder("02_b").exists() and run.section_folder("01_a").exists(),
            90,
            "the others",
        )
        subprocess.run(["scancel", job], check=True, timeout=30)
        output, _ = process.communicate(timeout=120)
    finally:
        process.kill()
    sections = {section.section: section for section in read_status(run).sections}
    assert sections["01_a"].status == "succeeded", sections["01_a"].reason
    assert sections["02_b"].status == "failed" and "ZeroDivisionError" in sections["02_b"].reason
    assert sections["03_c"].status == "interrupted", sections["03_c"].reason
    assert "stopped by SIGTERM" in sections["03_c"].reason
    assert process.returncode == 4, output
    message = " ".join(output.split())
    assert "Error: section 02_b failed: cell 3 of 6" in message and "ZeroDivisionError" in message
    assert "Traceback" not in output
    assert kernel_is_gone(run)
    assert "in job" in (run.section_folder("01_a") / "run.log").read_text()
    assert files_with(run.folder, CANARY) == []

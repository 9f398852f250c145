"""One section at a time, in this process: what counts as success, and what every failure leaves behind."""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest

from toolkit.errors import DataError, UsageError
from toolkit.manifest import Manifest, damaged_artifacts, read_manifest
from toolkit.pipeline.section import run_section
from toolkit.tests.pipeline.conftest import Project
from toolkit.tests.pipeline.test_freshness import pretend

WHERE_AM_I = """
import json, os, sys
from ipykernel.connect import get_connection_info
connection = get_connection_info(unpack=True)
facts = {
    "python": sys.executable,
    "transport": connection["transport"],
    "sockets": connection["ip"],
    "folder": os.getcwd(),
    "threads": os.environ["OMP_NUM_THREADS"],
}
run.save("facts", facts)
import plotly.graph_objects as go
run.figure(go.Figure(go.Scatter(x=[1, 2], y=[1, 2])), "line")
print("some words", flush=True)
print("a complaint", file=sys.stderr, flush=True)
os.write(2, b"from native code\\n")
"""


@pytest.fixture
def succeeded(project: Project) -> tuple[Project, Manifest]:
    project.add("01_a", WHERE_AM_I, "numbers = run.seeds.numpy('starts').integers(9)")
    return project, run_section(project.run({"01_a": {"number": 7, "words": ["ä", '"']}}), "01_a")


def test_a_section_that_succeeds(succeeded: tuple[Project, Manifest]) -> None:
    project, manifest = succeeded
    run = project.run({"01_a": {"number": 7, "words": ["ä", '"']}})
    folder = run.section_folder("01_a")
    assert manifest.status == "succeeded", manifest.reason
    assert read_manifest(folder) == manifest
    assert sorted(path.name for path in folder.iterdir()) == [
        "artifacts",
        "executed.ipynb",
        "manifest.json",
        "run.log",
    ]
    assert folder.stat().st_mode & 0o777 == 0o700

    assert manifest.params == {"profile": "smoke", "seed": 0, "number": 7, "words": ["ä", '"']}
    assert list(manifest.seed_streams) == ["starts"]
    assert {artifact.name for artifact in manifest.artifacts} == {"facts", "numbers", "line"}
    assert not damaged_artifacts(folder, manifest.artifacts)
    assert manifest.packages["papermill"] and manifest.packages["numpy"]
    assert manifest.machine["device"] in ("cpu", "cuda") and manifest.machine["memory_mb"] > 100
    assert manifest.takeaways == ["done"]
    assert 0 < sum(manifest.cell_seconds) < manifest.seconds
    assert len(manifest.cell_seconds) == manifest.last_cell == 7
    assert manifest.peak_memory_mb is not None and manifest.peak_memory_mb > 20
    assert re.fullmatch(r"[0-9a-f]{64}", manifest.key)

    facts = json.loads((folder / "artifacts" / "facts.json").read_text())
    assert facts["python"] == sys.executable  # The notebook asks for a kernel that does not exist.
    assert facts["folder"] == str(project.root)
    assert facts["threads"] == "1" or "OMP_NUM_THREADS" in os.environ
    if sys.platform != "win32":
        assert facts["transport"] == "ipc"
        assert not Path(facts["sockets"]).parent.exists()

    published = [path.name for path in (project.root / "figures").iterdir()]
    assert any(name.startswith("01_a_line") for name in published)

    log = (folder / "run.log").read_text()
    assert "[cell 3/7] import toolkit" in log
    for line in ("some words", "a complaint", "from native code"):
        assert f"\n{line}\n" in log
    notebook = nbformat.read(folder / "executed.ipynb", as_version=4)
    assert str(project.root / "notebooks") not in nbformat.writes(notebook)
    assert not list(run.work.glob("*"))

    again = run_section(run, "01_a")
    assert again == manifest


FAILURES = {
    "exit": (
        {"before": "import os\nos._exit(3)"},
        r"the kernel exited with code 3 in cell 3 of 6 \(\"import os\"\)",
        "os._exit",
    ),
    "exception": (
        {"before": "# first a comment\n1 / 0"},
        r"cell 3 of 6 \(\"1 / 0\"\) raised ZeroDivisionError: division by zero",
        "failed.ipynb",
    ),
    "early end": ({"before": "import sys\nsys.exit(0)"}, r"only 3 of 6 code cells ran", "sys.exit"),
    "slow cell": (
        {"before": "import time\ntime.sleep(60)", "deadline_s": {"cell": 1}},
        r"cell 3 of 6 \(\"import time\"\) took longer than its deadline of 1 s",
        "deadline_s.cell",
    ),
    "slow section": (
        {"before": "import time\ntime.sleep(60)", "deadline_s": {"section": 3}},
        r"the section took longer than its deadline of 3 s",
        "deadline_s.section",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_says_what_happened_and_what_helps(project: Project, name: str) -> None:
    fields, reason, advice = FAILURES[name]
    project.add("01_a", **fields)
    manifest = run_section(project.run(), "01_a")
    assert manifest.status == "failed"
    assert re.search(reason, manifest.reason), manifest.reason
    assert advice in manifest.advice
    folder = project.run().section_folder("01_a")
    assert sorted(path.name for path in folder.iterdir()) == ["failed.ipynb", "manifest.json", "run.log"]
    assert read_manifest(folder) == manifest
    assert manifest.last_cell == 3
    assert "[cell 3/6]" in (folder / "run.log").read_text()
    nbformat.read(folder / "failed.ipynb", as_version=4)
    assert not list(project.run().work.glob("*"))


def test_all_cells_ran_but_an_artifact_is_not_what_was_saved(project: Project) -> None:
    project.add("01_a", 'open(run.save("more", {"a": 1}), "a").write("x")')
    manifest = run_section(project.run(), "01_a")
    assert manifest.status == "failed"
    assert "artifact artifacts/more.json has sha256" in manifest.reason
    assert manifest.advice and not manifest.artifacts
    folder = project.run().section_folder("01_a")
    assert not (folder / "artifacts").exists() and not (folder / "executed.ipynb").exists()


def test_a_failure_keeps_the_last_success_beside_it(project: Project) -> None:
    project.add("01_a")
    run = project.run()
    first = pretend(project, run, "01_a")
    project.add("01_a", before="1 / 0")
    for _ in range(2):
        assert run_section(run, "01_a").status == "failed"
    assert read_manifest(run.folder / ".previous" / "01_a") == first


def test_a_section_that_cannot_begin_says_why(project: Project) -> None:
    project.add("01_a")
    project.add("02_b", needs=["01_a"])
    run = project.run({"01_a": {"nummber": 1}})
    with pytest.raises(UsageError, match="Did you mean 'number'"):
        run_section(run, "01_a")
    manifest = project.manifest("01_a", run)
    assert manifest is not None and manifest.status == "failed"
    assert "there is no parameter 'nummber'" in manifest.reason and "Did you mean" in manifest.advice
    with pytest.raises(DataError, match="needs section 01_a, which has not succeeded"):
        run_section(run, "02_b")
    assert not list(run.work.glob("*"))


def test_a_parameter_s_name_cannot_carry_code(project: Project) -> None:
    project.add("01_a")
    target = project.root / "made"
    evil = f"a=__import__('os').system('touch {target}')#"
    run = project.run({"01_a": {evil: 1}})
    with pytest.raises(UsageError, match="there is no parameter"):
        run_section(run, "01_a")
    project.sections[0]["profiles"] = {"smoke": {"params": {evil: 1}}}
    project.write_pipeline()
    with pytest.raises(UsageError, match="there is no parameter"):
        run_section(project.run(), "01_a")
    assert not target.exists()


def test_checkpoints_outlive_a_failure_but_not_a_change_of_parameters(project: Project) -> None:
    cells = textwrap.dedent(
        """
        path = run.scratch / "checkpoint"
        seen = path.read_text() if path.exists() else "nothing"
        path.write_text("step 5")
        print("found", seen)
        if seen == "nothing": raise RuntimeError("stopped")
        """
    )
    project.add("01_a", cells)
    run = project.run()
    run.scratch("01_a").mkdir(parents=True)
    (run.scratch("01_a") / "checkpoint").write_text("step 3 of an attempt with other parameters")
    assert run_section(run, "01_a").status == "failed"
    assert run_section(run, "01_a").status == "succeeded"
    assert "found step 5" in (run.section_folder("01_a") / "run.log").read_text()
    assert not run.scratch("01_a").exists()

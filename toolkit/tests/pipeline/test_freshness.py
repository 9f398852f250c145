"""A result is fresh while notebook, parameters, code and inputs are what they were."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from toolkit.errors import DataError, UsageError
from toolkit.io import write_json
from toolkit.manifest import Manifest, describe_artifact, write_manifest
from toolkit.pipeline import freshness
from toolkit.pipeline.planning import check_gpus, make_plan
from toolkit.pipeline.runs import Run, create_run, open_run
from toolkit.tests.pipeline.conftest import Project


def pretend(project: Project, run: Run, name: str, number: int = 1) -> Manifest:
    """Publish a section as if it had been run now."""
    pipeline = project.pipeline()
    parts = freshness.collect_parts(run, pipeline, pipeline.section(name, run.profile))
    folder = run.section_folder(name)
    write_json(folder / "artifacts" / "numbers.json", {"number": number})
    artifact = describe_artifact(folder, folder / "artifacts" / "numbers.json", "numbers", "json")
    manifest = Manifest(
        section=name,
        run_id=run.run_id,
        profile=run.profile,
        status="succeeded",
        key=parts.key,
        parts=freshness.digests(parts),
        params=parts.params,
        artifacts=[artifact],
        started="",
        ended="",
        seconds=4.5,
    )
    write_manifest(folder, manifest)
    return manifest


@pytest.fixture
def chain(project: Project) -> tuple[Project, Run]:
    """01_a and 02_b, which needs it, both fresh; 03_c stands alone, not run."""
    project.add("01_a")
    project.add("02_b", needs=["01_a"])
    project.add("03_c")
    run = project.run()
    pretend(project, run, "01_a")
    pretend(project, run, "02_b")
    return project, run


def reasons(project: Project, run: Run, *wanted: str) -> dict[str, str]:
    pipeline = project.pipeline()
    return {step.section.name: step.why for step in make_plan(run, pipeline, list(wanted) or pipeline.names)}


def test_what_is_fresh_is_not_repeated(chain: tuple[Project, Run]) -> None:
    assert reasons(*chain) == {"01_a": "fresh", "02_b": "fresh", "03_c": "not run yet"}
    assert reasons(*chain, "02_b") == {"01_a": "fresh", "02_b": "fresh"}


def test_outputs_and_metadata_of_a_notebook_do_not_matter(chain: tuple[Project, Run]) -> None:
    project, run = chain
    path = project.root / "notebooks" / "01_a.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["kernelspec"]["name"] = "other"
    for cell in notebook.cells:
        cell.id = f"x{cell.id}"
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text="words")]
            cell.execution_count = 4
    nbformat.write(notebook, path)
    assert reasons(project, run)["01_a"] == "fresh"


def test_a_changed_cell_makes_a_section_and_what_needs_it_stale(chain: tuple[Project, Run]) -> None:
    project, run = chain
    project.add("01_a", "# another comment")
    project.add("02_b", needs=["01_a"])
    assert reasons(project, run)["01_a"] == "the notebook changed"
    assert reasons(project, run)["02_b"] == "01_a will be made again"


def test_changed_code_of_the_toolkit(chain: tuple[Project, Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "digest_of_toolkit", lambda: "another")
    assert reasons(*chain)["01_a"] == "the toolkit's code changed"


def test_a_changed_parameter_is_named(chain: tuple[Project, Run]) -> None:
    project, run = chain
    project.sections[0]["profiles"] = {"smoke": {"params": {"number": 2}}}
    project.write_pipeline()
    assert reasons(project, run)["01_a"] == "parameter number changed"


def test_another_result_upstream(chain: tuple[Project, Run]) -> None:
    project, run = chain
    pretend(project, run, "01_a", number=2)
    assert reasons(project, run)["01_a"] == "fresh"
    assert reasons(project, run)["02_b"] == "a section it needs has other results"
    pretend(project, run, "01_a", number=1)
    assert reasons(project, run)["02_b"] == "fresh"


def test_a_corrupt_artifact_is_noticed(chain: tuple[Project, Run]) -> None:
    project, run = chain
    path = run.section_folder("01_a") / "artifacts" / "numbers.json"
    path.write_bytes(path.read_bytes()[:-3])
    assert "artifact artifacts/numbers.json has sha256" in reasons(project, run)["01_a"]
    path.unlink()
    assert reasons(project, run)["01_a"] == "artifact artifacts/numbers.json is missing"


def test_a_corrupt_manifest_is_no_success(chain: tuple[Project, Run]) -> None:
    project, run = chain
    (run.section_folder("01_a") / "manifest.json").write_text('{"status": "succ')
    assert reasons(project, run)["01_a"] == "its manifest cannot be read"


def test_changed_data(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    checksums = {"bandit/trials.csv": "1" * 64}
    monkeypatch.setattr(freshness, "data_checksums", lambda section: dict(checksums))
    project.add("01_a", data=["bandit"])
    run = project.run()
    pretend(project, run, "01_a")
    assert reasons(project, run)["01_a"] == "fresh"
    checksums["bandit/trials.csv"] = "2" * 64
    assert reasons(project, run)["01_a"] == "its data changed"


def test_data_that_a_section_can_do_without(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absent data do not stop it, and it is stale once they have been fetched."""
    monkeypatch.delenv("TOOLKIT_MIRROR", raising=False)
    project.add("01_a", data_if_here=["lefebvre2017_exp1"])
    project.add("02_b", data=["lefebvre2017_exp1"])
    run = project.run()
    pretend(project, run, "01_a")
    assert reasons(project, run, "01_a")["01_a"] == "fresh"
    with pytest.raises(DataError, match="toolkit fetch lefebvre2017"):
        reasons(project, run, "02_b")
    monkeypatch.setattr("toolkit.data.checksums", lambda name: {f"{name}.mat": "1" * 64})
    assert reasons(project, run, "01_a")["01_a"] == "its data changed"
    assert freshness.data_checksums(project.pipeline().section("02_b", "smoke")) == {
        "lefebvre2017/lefebvre2017.mat": "1" * 64
    }


def test_the_same_request_continues_the_same_run(project: Project) -> None:
    project.add("01_a")
    run = project.run()
    assert project.run() == run
    others = [project.run({"01_a": {"number": 2}}), project.run(profile="paper")]
    assert len({run.run_id, *(other.run_id for other in others)}) == 3
    fresh = open_run(project.pipeline_file, "smoke", {}, fresh=True)
    assert fresh.run_id != run.run_id and fresh.run_id[-8:] == run.run_id[-8:]
    assert run.pipeline == "notebooks/pipeline.yaml"


def test_a_run_begun_after_the_clock_was_set_back_is_the_newest(project: Project) -> None:
    project.add("01_a")
    create_run(project.run().model_copy(update={"run_id": "29990101-000000-0123abcd"}))
    fresh = open_run(project.pipeline_file, "smoke", {}, fresh=True)
    assert fresh.run_id.startswith("29990101-000001-")


def test_more_gpus_than_there_are(project: Project) -> None:
    project.add("01_a", resources={"gpu": 1})
    run = project.run(profile="paper")
    steps = make_plan(run, project.pipeline(), ["01_a"])
    check_gpus(steps, run, gpus=1)
    with pytest.raises(
        UsageError, match="asks for 1 GPU in profile paper, 0 can be used here.*--executor slurm"
    ):
        check_gpus(steps, run, gpus=0)


def test_the_digest_of_the_toolkit_leaves_out_what_makes_no_results() -> None:
    root = Path(freshness.__file__).parent.parent
    assert freshness._NOT_PART_OF_RESULTS.isdisjoint({"io", "trials", "models", "viz", "session.py"})
    assert all((root / name).exists() for name in ("tests", "cli", "pipeline", "bench"))
    assert len(freshness.digest_of_toolkit()) == 64


def test_the_bank_is_part_of_what_results_depend_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bank.jsonl").write_text("{}")
    monkeypatch.setattr(freshness, "data_dir", lambda: tmp_path)
    before = freshness.digest_of_toolkit.__wrapped__()
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "fetched.jsonl").touch()
    assert freshness.digest_of_toolkit.__wrapped__() == before
    (tmp_path / "bank.jsonl").write_text("{ }")
    changed = freshness.digest_of_toolkit.__wrapped__()
    (tmp_path / "answers.parquet").touch()
    assert len({before, changed, freshness.digest_of_toolkit.__wrapped__()}) == 3

"""The pipeline file: what it may say, and what its errors name."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import DataError, UsageError
from toolkit.pipeline.plan import load_pipeline
from toolkit.tests.pipeline.conftest import REPOSITORY, Project


def test_the_project_s_own_file_is_right() -> None:
    pipeline = load_pipeline(REPOSITORY / "notebooks" / "pipeline.yaml")
    assert pipeline.names[0] == "00_start_here"
    for name in pipeline.names:
        assert pipeline.section(name, "smoke").resources.gpu == 0
        assert pipeline.section(name, "workshop").resources.gpu == 0
        pipeline.section(name, "paper").params_model()


def test_a_section_s_profile_counts_more_than_the_section_and_that_more_than_the_file(
    project: Project,
) -> None:
    project.add(
        "01_a",
        resources={"mem_mb": 500},
        profiles={"paper": {"resources": {"gpu": 2}, "params": {"number": 9}}},
    )
    project.write_pipeline(profiles={"paper": {"resources": {"gpu": 1, "mem_mb": 900, "minutes": 7}}})
    pipeline = project.pipeline()
    assert pipeline.section("01_a", "paper").resources.model_dump() == {"gpu": 2, "mem_mb": 500, "minutes": 7}
    assert pipeline.section("01_a", "smoke").resources.gpu == 0
    assert pipeline.params("01_a", "paper") == {"profile": "paper", "number": 9}


def test_sections_are_found_by_their_beginning_and_bring_what_they_need(project: Project) -> None:
    project.add("01_a")
    project.add("02_b", needs=["01_a"])
    project.add("03_c", needs=["02_b"])
    project.add("04_d")
    pipeline = project.pipeline()
    assert pipeline.find("03") == pipeline.find("3") == "03_c"
    assert pipeline.with_needs(["03_c"]) == ["01_a", "02_b", "03_c"]
    with pytest.raises(UsageError, match="could be any of 01_a, 02_b, 03_c, 04_d"):
        pipeline.find("0")
    with pytest.raises(UsageError, match="Did you mean '03_c'"):
        pipeline.find("3_c")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"resources": {"mem": 1}}, r"section 02_b, field resources.mem: .*Did you mean 'mem_mb'"),
        ({"resources": {"gpu": "one"}}, r"section 02_b, field resources.gpu: .*'one'"),
        ({"deadline_s": {"cell": 0}}, r"section 02_b, field deadline_s.cell"),
        ({"need": []}, r"section 02_b, field need: .*Did you mean 'needs'"),
        ({"needs": ["01_b"]}, r"section 02_b, field needs: .*'01_b'.*Did you mean '01_a'"),
        ({"needs": ["02_b"]}, r"section 02_b, field needs: .*comes later"),
        ({"notebook": "none.ipynb"}, r"section 02_b, field notebook: there is no notebook"),
        ({"params": "os.system('true')"}, r"section 02_b, field params"),
        ({"name": "../02"}, r"section ../02, field name"),
        ({"profiles": {"tiny": {}}}, r"section 02_b, field profiles.tiny"),
    ],
)
def test_errors_name_file_section_and_field(project: Project, fields: dict[str, Any], message: str) -> None:
    project.add("01_a")
    project.add("02_b")
    project.sections[1] |= fields
    project.write_pipeline()
    with pytest.raises(DataError, match=message) as caught:
        project.pipeline()
    assert str(project.pipeline_file) in str(caught.value)


def test_files_that_are_no_pipeline(project: Project) -> None:
    with pytest.raises(UsageError, match="no such pipeline file"):
        project.pipeline()
    for content, message in [
        ("", "no sections"),
        ("sections: [", "not valid YAML"),
        ("{}", "Field required"),
    ]:
        project.pipeline_file.write_text(content)
        with pytest.raises(DataError, match=message):
            project.pipeline()


def test_yaml_builds_no_objects(project: Project) -> None:
    target = project.root / "made"
    project.pipeline_file.write_text(f"sections: !!python/object/apply:os.system ['touch {target}']")
    with pytest.raises(DataError, match="not valid YAML"):
        project.pipeline()
    assert not target.exists()


def test_the_parameters_model_must_be_one(project: Project) -> None:
    project.add("01_a", params="pathlib:Path")
    with pytest.raises(UsageError, match="no toolkit.sections.SectionParams"):
        project.pipeline().section("01_a", "smoke").params_model()
    project.add("01_a", params="tiny_models:Tinny")
    with pytest.raises(UsageError, match="cannot be imported"):
        project.pipeline().section("01_a", "smoke").params_model()

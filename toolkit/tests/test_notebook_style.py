"""Every notebook of a section is built the same way and stays small enough to read at one sitting."""

from __future__ import annotations

import ast
import copy
import re
import statistics
from pathlib import Path
from typing import Any, get_args, get_origin

import nbformat
import pytest
from nbformat import NotebookNode
from pydantic import ValidationError

from toolkit.sections import SECTIONS, list_sections

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("[0-9]*.ipynb"))
MOST_KB = 60
CELLS, WORDS = (12, 30), (300, 900)
MOST_CODE_LINES, MOST_FIGURES, MOST_LINES_IN_A_CELL, MEDIAN_LINES, LINES_OF_IMPORTS = 150, 6, 25, 8, 10
LINES_OF_A_DEF = 10

FORBIDDEN = {
    "a shell command": re.compile(r"^\s*[!%]", re.MULTILINE),
    "an absolute path": re.compile(r"""["'(\s](?:/(?:home|root|work|tmp|Users|mnt|data)/|[A-Z]:\\)"""),
    "a pause": re.compile(r"\btime\.sleep\b"),
    "a literal secret": re.compile(
        r"sk-[A-Za-z0-9_-]{16}|(?:api_key|token|password)\s*=\s*[\"']\w", re.IGNORECASE
    ),
    "print": re.compile(r"\bprint\("),
    "a call of .show()": re.compile(r"\.show\(\)"),
    "a figure widget": re.compile(r"FigureWidget|ipywidgets"),
    "a global random stream": re.compile(r"np\.random\.(?!Generator\b)|\brandom\.seed\b"),
    "a bare environment": re.compile(r"os\.environ"),
}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    """One notebook."""
    return request.param


@pytest.fixture
def notebook(path: Path) -> NotebookNode:
    """Its content."""
    return nbformat.read(path, as_version=4)


def _code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _prose(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def _lines(source: str) -> int:
    return sum(bool(line.strip()) for line in source.splitlines())


def _tagged(notebook: NotebookNode, tag: str) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def _parameters(notebook: NotebookNode) -> NotebookNode:
    (cell,) = _tagged(notebook, "parameters")
    return cell


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


def test_every_notebook_is_a_section_and_every_section_a_notebook() -> None:
    names = {path.stem for path in NOTEBOOKS}
    assert names == set(SECTIONS)
    assert names == set(list_sections().loc[list_sections()["here"], "section"])


def test_the_notebook_asks_what_the_map_says(path: Path, notebook: NotebookNode) -> None:
    question = list_sections().set_index("section").loc[path.stem, "question"]
    assert f"**{question}**" in notebook.cells[0].source


def test_file_is_small_valid_and_for_any_python(path: Path, notebook: NotebookNode) -> None:
    nbformat.validate(notebook)
    assert path.stat().st_size <= MOST_KB * 1024
    assert notebook.metadata.kernelspec.name == "python3"
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


def test_outputs_are_stripped(notebook: NotebookNode) -> None:
    from nbstripout import strip_output

    keys = ["metadata.papermill", "cell.metadata.papermill", "metadata.language_info.version"]
    stripped = strip_output(
        copy.deepcopy(notebook),
        keep_output=False,
        keep_count=False,
        keep_id=True,
        extra_keys=[*keys, "metadata.signature", "metadata.widgets"],
        drop_tagged_cells=["injected-parameters"],
    )
    assert stripped == notebook


def test_sizes(notebook: NotebookNode) -> None:
    code = _code(notebook)
    lines = [_lines(cell.source) for cell in code]
    words = sum(len(re.findall(r"\w[\w'’-]*", cell.source)) for cell in _prose(notebook))
    assert CELLS[0] <= len(notebook.cells) <= CELLS[1]
    assert sum(lines) <= MOST_CODE_LINES
    assert statistics.median(lines) <= MEDIAN_LINES
    assert max(lines) <= MOST_LINES_IN_A_CELL
    assert WORDS[0] <= words <= WORDS[1]
    assert sum(cell.source.count("run.figure(") for cell in code) <= MOST_FIGURES


def test_beginning(notebook: NotebookNode) -> None:
    title, imports, *_ = notebook.cells
    assert title.cell_type == "markdown" and title.source.startswith("# ")
    for said in ("?**", "You will see", "Minutes"):
        assert said in title.source
    assert imports.cell_type == "code" and _lines(imports.source) <= LINES_OF_IMPORTS
    *statements, last = ast.parse(imports.source).body
    assert all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in statements)
    assert ast.unparse(last) == "viz.setup()"
    code = _code(notebook)
    assert code[1] is _parameters(notebook)
    assert "toolkit.start_section(" in code[2].source


def test_only_the_second_cell_imports(notebook: NotebookNode) -> None:
    for cell in _code(notebook)[1:]:
        imports = [
            node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        assert not imports, cell.source


def test_end(notebook: NotebookNode) -> None:
    takeaways, last = _prose(notebook)[-1], notebook.cells[-1]
    assert "Takeaways" in takeaways.source and takeaways.source.count("\n* ") in range(3, 6)
    assert last.cell_type == "code" and last.source.lstrip().startswith("run.finish(")


def test_every_figure_is_read_in_a_sentence_right_after_it(notebook: NotebookNode) -> None:
    for cell, following in zip(notebook.cells, [*notebook.cells[1:], None], strict=True):
        if cell.cell_type == "code" and "run.figure(" in cell.source:
            assert cell.source.count("run.figure(") == 1
            assert following is not None
            assert following.cell_type == "markdown" or "Markdown(" in following.source


def test_prose_states_no_result(notebook: NotebookNode) -> None:
    """Numbers with a decimal point or a per cent sign are results, and results are computed."""
    for cell in _prose(notebook):
        assert not re.findall(r"\b\d+\.\d+\b|\d\s?%", cell.source), cell.source


def test_every_heading_is_followed_by_prose(notebook: NotebookNode) -> None:
    for cell in _prose(notebook):
        heading, _, text = cell.source.partition("\n")
        if heading.startswith("#"):
            assert len(text.split()) >= 10, heading


def test_no_classes_and_at_most_one_short_function(notebook: NotebookNode) -> None:
    nodes = [node for cell in _code(notebook) for node in ast.walk(ast.parse(cell.source))]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert not [node for node in nodes if isinstance(node, ast.ClassDef)]
    assert len(functions) <= 1
    assert all(node.end_lineno - node.lineno < LINES_OF_A_DEF for node in functions)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_forbidden(notebook: NotebookNode, what: str) -> None:
    for cell in _code(notebook):
        assert not FORBIDDEN[what].search(cell.source), f"{what}: {cell.source}"


def test_parameters_are_literals_with_a_type_and_a_meaning(notebook: NotebookNode) -> None:
    source = _parameters(notebook).source
    for line in source.splitlines():
        (statement,) = ast.parse(line).body
        assert isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name), line
        ast.literal_eval(statement.value)
        assert re.search(r"  # \w.{4,}$", line), line


def test_parameters_are_the_fields_of_the_section(path: Path, notebook: NotebookNode) -> None:
    model = SECTIONS[path.stem]
    written = {
        statement.target.id: (ast.unparse(statement.annotation), ast.literal_eval(statement.value))
        for statement in ast.parse(_parameters(notebook).source).body
    }
    assert list(written) == list(model.model_fields)
    for name, field in model.model_fields.items():
        annotation, value = written[name]
        assert value == field.default, name
        assert annotation.partition("[")[0] == _plain(field.annotation), name
        assert field.description, name


def test_the_section_starts_with_every_parameter(path: Path, notebook: NotebookNode) -> None:
    call = next(
        node
        for node in ast.walk(ast.parse(_code(notebook)[2].source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "toolkit.start_section"
    )
    assert ast.literal_eval(call.args[0]) == path.stem
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    assert given == {name: name for name in SECTIONS[path.stem].model_fields}


def test_a_wrong_value_is_refused(path: Path) -> None:
    with pytest.raises(ValidationError):
        SECTIONS[path.stem](seed="0")


def _plain(annotation: Any) -> str:
    """Type of a field as the parameters cell writes it: a choice among texts is a str."""
    if get_origin(annotation) is None:
        return annotation.__name__
    arguments = get_args(annotation)
    if all(isinstance(argument, str) for argument in arguments):
        return "str"
    return get_origin(annotation).__name__

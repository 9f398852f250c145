"""A section's report: its executed notebook as one HTML file that needs neither server nor network."""

from __future__ import annotations

import copy
import html
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from toolkit import io
from toolkit.errors import DataError
from toolkit.manifest import Manifest, read_manifest
from toolkit.paths import notebooks_dir
from toolkit.pipeline.drawing import DRAW_FIGURES, FIGURE_STYLE, figure_card
from toolkit.pipeline.execution import read_notebook
from toolkit.viz.files import plotly_script

if TYPE_CHECKING:
    from nbformat import NotebookNode

REPORT_NAME = "report.html"
NOTEBOOK_NAME = "executed.ipynb"
GALLERY_NAME = "index.html"

PLOTLY_MIME = "application/vnd.plotly.v1+json"
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"

PACKAGES = ("human-like-learning", "numpy", "pandas", "plotly", "scikit-learn", "scipy", "torch")
"""Versions that a page shows; the manifest has all."""

CONTENT_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data: blob:; font-src data:; '
    "style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:\">"
)
"""Whatever a page may still name elsewhere, the browser does not ask for it."""

STYLE = """<style>
:root { color-scheme: light }
.tk { font: 16px/1.5 Helvetica, Arial, sans-serif; color: #333; max-width: 62rem; margin: 0 auto; padding: 0 1rem }
.tk a { color: #0072B2 } .tk code { font-size: 13px; overflow-wrap: anywhere }
.tk summary { cursor: pointer; color: #555 } .tk table { border-collapse: collapse; font-size: 13px }
.tk td, .tk th { padding: 2px 12px 2px 0; text-align: left; vertical-align: top; font-weight: normal }
.tk th { color: #666; white-space: nowrap } .tk td { overflow-wrap: anywhere }
.tk .badge { border-radius: 3px; padding: 1px 7px; color: white; font-size: 12px; font-weight: normal; vertical-align: middle }
.tk .succeeded { background: #00785a } .tk .failed, .tk .damaged { background: #b34700 }
.tk .interrupted { background: #6b6b6b }
@media (max-width: 720px) {
  .tk tr, .tk td, .tk th { display: block; padding-right: 0 }
}
@media print {
  @page { margin: 14mm }
  .tk { padding: 0 } .tk details:not([open]), .tk .links { display: none }
  h1, h2, h3 { break-after: avoid }
}
</style>"""
"""Of every page."""

_NOTEBOOK_STYLE = """<style>
main { max-width: 62rem; margin: 0 auto }
body:has(#without-code:checked) .jp-CodeCell .jp-Cell-inputWrapper { display: none }
@media (max-width: 800px) {
  body.jp-Notebook { padding: 0 } body .jp-InputPrompt, body .jp-OutputPrompt { display: none }
  body .highlight pre { white-space: pre-wrap; overflow-wrap: anywhere }
}
@media print {
  body.jp-Notebook { padding: 0 } body .jp-Cell { break-inside: auto; padding: 0 }
  body .jp-InputPrompt, body .jp-OutputPrompt, .tk label { display: none }
  body .highlight pre { white-space: pre-wrap; overflow-wrap: anywhere; break-inside: avoid }
  body .jp-OutputArea-output, body .jp-RenderedHTMLCommon { overflow: visible }
  body .jp-RenderedHTMLCommon table { font-size: 9px } body tr { break-inside: avoid }
}
</style>"""

_TEMPLATE = """{% extends 'lab/index.html.j2' %}
{% block html_head_js %}{{ resources.toolkit.head }}{% endblock html_head_js %}
{% block html_head_js_mathjax %}{% endblock html_head_js_mathjax %}
{% block html_head_js_mermaidjs %}{% endblock html_head_js_mermaidjs %}
{% block jupyter_widgets %}{% endblock jupyter_widgets %}
{%- block body_header -%}
<body class="jp-Notebook" data-jp-theme-light="true" data-jp-theme-name="JupyterLab Light">
{{ resources.toolkit.top }}
<main>
{%- endblock body_header -%}
{%- block body_footer -%}
</main>
{{ resources.toolkit.end }}
</body>
{%- endblock body_footer -%}
"""

_REMOTE_MARKDOWN_IMAGE = re.compile(r"!\[([^\]]*)\]\(\s*<?https?:[^)]*\)")
_REMOTE_IMAGE = re.compile(r"<img\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//[^>]*>", re.IGNORECASE)
_ALT = re.compile(r"\balt\s*=\s*[\"']([^\"']*)[\"']", re.IGNORECASE)
_REMOTE_CODE = re.compile(
    r"<script\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//[^>]*>.*?</script>"
    r"|<link\b[^>]*\bhref\s*=\s*[\"']?(?:https?:)?//[^>]*>",
    re.IGNORECASE | re.DOTALL,
)


def write_report(folder: str | Path) -> Path:
    """Write ``report.html`` into the folder of a section that succeeded.

    Every plotly figure is drawn by the one plotly.js in the page; nothing is asked of the network.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if manifest is None or manifest.status != "succeeded":
        status = "has no manifest" if manifest is None else f"is {manifest.status}"
        raise DataError(
            f"the section {status}, so there is no result to report.",
            where=str(folder),
            fix=f"Run it again: toolkit run --only {folder.name}",
        )
    page = render_report(read_notebook(folder / NOTEBOOK_NAME), manifest, folder)
    io.write_text(folder / REPORT_NAME, page)
    return folder / REPORT_NAME


def render_report(notebook: NotebookNode, manifest: Manifest, folder: Path) -> str:
    """The page of an executed notebook, to lie in this folder."""
    from nbconvert.exporters import HTMLExporter

    notebook = copy.deepcopy(notebook)
    figures = _make_static(notebook)
    head = [CONTENT_POLICY, STYLE, _NOTEBOOK_STYLE, *([FIGURE_STYLE, plotly_script()] if figures else [])]
    resources = {
        "metadata": {"name": manifest.section},
        "toolkit": {
            "head": "\n".join(head),
            "top": _top(manifest, folder),
            "end": DRAW_FIGURES if figures else "",
        },
    }
    exporter = HTMLExporter(raw_template=_TEMPLATE)
    return exporter.from_notebook_node(notebook, resources)[0]


def provenance(manifest: Manifest, data_page: str) -> str:
    """Table of what a section's results depend on; inputs link to their place in ``data_page``."""
    commit = str(manifest.git.get("commit", "")) + (
        " with local changes" if manifest.git.get("dirty") else ""
    )
    rows = {
        "parameters": _pairs(manifest.params),
        "data and results used": _inputs(manifest, data_page),
        "git commit": f"<code>{html.escape(commit)}</code>" if commit else "",
        "machine": _pairs(manifest.machine),
        "packages": _packages(manifest.packages),
        "finished": html.escape(f"{manifest.ended} after {manifest.seconds:.0f} s"),
        "run": f"<code>{html.escape(manifest.run_id)}</code>, profile {html.escape(manifest.profile)}",
    }
    cells = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows.items() if value)
    return f"<table>{cells}</table>"


def notebook_link(section: str, folder: Path) -> str:
    """HTML that leads from a page in this folder to the section's own notebook, where the project has it."""
    notebook = notebooks_dir() / f"{section}.ipynb"
    if not notebook.is_file():
        return ""
    target = html.escape(link_to(notebook, folder))
    return f'<a href="{target}">notebook to change</a> (<code>make lab</code> opens it)'


def link_to(path: Path, folder: Path) -> str:
    """Address of a file as seen from a page in this folder; names of folders may hold #, ? and blanks."""
    return quote(Path(os.path.relpath(path, folder.resolve())).as_posix())


def _top(manifest: Manifest, folder: Path) -> str:
    gallery = f"../{GALLERY_NAME}"
    links = [
        f'<a href="{gallery}">all sections</a>',
        f'<a href="{NOTEBOOK_NAME}">executed notebook</a>',
        '<a href="manifest.json">manifest</a>',
        notebook_link(manifest.section, folder),
    ]
    return (
        f'<div class="tk"><p><span class="badge {manifest.status}">{manifest.status}</span> '
        f"{html.escape(manifest.section)}, profile {html.escape(manifest.profile)}"
        f'<span class="links"> · {" · ".join(filter(None, links))}</span></p>'
        f'<p><label><input type="checkbox" id="without-code"> Without the code</label></p>'
        f"<details><summary>What this depends on</summary>{provenance(manifest, gallery)}</details></div>"
    )


def _packages(packages: dict[str, str]) -> str:
    named = {name: packages[name] for name in PACKAGES if name in packages}
    more = len(packages) - len(named)
    return _pairs(named) + (f" and {more} more in the manifest" if more else "")


def _pairs(values: dict[str, Any]) -> str:
    pairs = (f"{name} = {value}" for name, value in values.items() if value not in (None, "", {}, []))
    return ", ".join(f"<code>{html.escape(pair)}</code>" for pair in pairs)


def _inputs(manifest: Manifest, data_page: str) -> str:
    lines = []
    for name, sha256 in manifest.inputs.items():
        target = html.escape(f"{data_page}#{name.partition('/')[0]}")
        lines.append(
            f'<a href="{target}">{html.escape(name)}</a> <code>sha256 {html.escape(sha256[:16])}…</code>'
        )
    return "<br>".join(lines)


def _make_static(notebook: NotebookNode) -> int:
    """Turn outputs into what a page shows without a kernel or network; gives the number of figures."""
    notebook.metadata.pop("widgets", None)
    figures = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = without_remote(_REMOTE_MARKDOWN_IMAGE.sub(r"\1", cell.source))
        if cell.cell_type != "code":
            continue
        kept = []
        for output in cell.outputs:
            data = output.get("data", {})
            if PLOTLY_MIME in data:
                figures += 1
                output["data"] = {"text/html": figure_card(data[PLOTLY_MIME], f"figure-{figures}")}
            elif WIDGET_MIME in data or _loads_plotly(data):
                continue
            elif "text/html" in data:
                data["text/html"] = without_remote(data["text/html"])
            kept.append(output)
        cell.outputs = kept
    return figures


def _loads_plotly(data: dict[str, Any]) -> bool:
    """Whether an output does nothing but fetch plotly.js for the figures that follow."""
    content = data.get("text/html", "")
    return "plotly" in content and "<script" in content and "Plotly.newPlot" not in content


def without_remote(text: str) -> str:
    """HTML without scripts, styles and images from elsewhere; an image leaves its description."""

    def description(match: re.Match[str]) -> str:
        found = _ALT.search(match[0])
        return found[1] if found else ""

    return _REMOTE_CODE.sub("", _REMOTE_IMAGE.sub(description, text))

"""The gallery of a run: every figure with the notebook, manifest and data behind it."""

from __future__ import annotations

import html
import json
import os
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path

from toolkit import io
from toolkit.errors import ToolkitError, UsageError, did_you_mean
from toolkit.manifest import Manifest, damaged_artifacts, read_manifest
from toolkit.paths import data_dir, runs_dir
from toolkit.pipeline.report import (
    CONTENT_POLICY,
    GALLERY_NAME,
    NOTEBOOK_NAME,
    REPORT_NAME,
    STYLE,
    provenance,
    write_report,
)
from toolkit.sections import list_sections
from toolkit.viz.files import plotly_script, read_figure
from toolkit.viz.theme import caption_of

_STYLE = """<style>
body { margin: 2rem 0 } .tk { max-width: 88rem } .tk h2 { margin: 2.5rem 0 .2rem; font-size: 20px }
.tk .figures { display: flex; flex-wrap: wrap; gap: 1.5rem; margin-top: .8rem }
.tk figure { margin: 0; max-width: 660px; border: 1px solid #e2e2e2; border-radius: 4px; padding: 10px; overflow-x: auto }
.tk figcaption { font-size: 13px; line-height: 1.4; color: #555 } .tk p { margin: .3rem 0; max-width: 62rem }
.tk .question { font-size: 16px; font-style: italic } .tk .verdict { font-weight: bold } .tk h1 { font-size: 24px }
.tk .swipe { display: none }
@media (max-width: 720px) {
  body { margin: 1rem 0 } .tk figure { max-width: 100%; box-sizing: border-box } .tk .wide .swipe { display: inline }
}
@media print {
  body { margin: 0 } .tk figure { max-width: 174mm; border: 0; overflow: visible; break-inside: avoid }
  .tk section { break-inside: auto } .tk h2 { break-after: avoid } .tk details, .tk .links { display: none }
}
</style>"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{run}</title>
{head}
</head>
<body><div class="tk">
<h1>{run}</h1>
<p>Each figure leads to its notebook, the manifest that says how it came about, and the data it stands on.
This page and the reports open from disk; they ask nothing of the network.</p>
{sections}
{data}
</div>
{script}
</body>
</html>
"""

# Figures are drawn as they scroll into view, so that a page of fifty opens at once; for print all that are
# not folded away. A figure of one panel takes the width of a narrow screen; several would be too small there.
_DRAW = """<script>
const waiting = new Set(document.querySelectorAll('[data-figure]'));
const draw = (place) => {
  waiting.delete(place);
  const content = JSON.parse(document.getElementById(place.dataset.figure).textContent);
  const panels = Object.keys(content.layout).filter((name) => /^xaxis\\d*$/.test(name)).length;
  const room = place.clientWidth;
  if (room < (content.layout.width || 0)) {
    if (panels < 2) content.layout.width = room;
    else place.closest('figure').classList.add('wide');
  }
  Plotly.newPlot(place, content.data, content.layout, {displaylogo: false, responsive: true});
};
const seen = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting)
  .forEach((entry) => { seen.unobserve(entry.target); if (waiting.has(entry.target)) draw(entry.target); }),
  {rootMargin: '400px'});
waiting.forEach((place) => seen.observe(place));
window.addEventListener('beforeprint', () => waiting.forEach((place) => place.closest('details:not([open])') || draw(place)));
</script>"""


@dataclass
class _Entry:
    """A section of the run, and whether its results can be shown."""

    folder: Path
    manifest: Manifest
    problems: list[str] = field(default_factory=list)

    @property
    def badge(self) -> str:
        return "damaged" if self.manifest.status == "succeeded" and self.problems else self.manifest.status

    @property
    def shown(self) -> bool:
        return self.badge == "succeeded"


def report_run(run: str | Path | None = None) -> Path:
    """Write the reports of a run's sections that succeeded, and its gallery.

    Parameters
    ----------
    run
        Name or folder of the run; without it the newest one.

    Returns
    -------
    The gallery's path.
    """
    folder = find_run(run)
    entries = _entries(folder)
    if not entries:
        raise UsageError(
            "no section of this run has ended yet.", where=str(folder), fix="See `toolkit status`."
        )
    for entry in entries:
        if entry.shown:
            try:
                write_report(entry.folder)
            except ToolkitError as error:
                entry.problems.append(str(error))
    io.write_text(folder / GALLERY_NAME, render_gallery(folder.name, entries, folder))
    return folder / GALLERY_NAME


def find_run(run: str | Path | None = None) -> Path:
    """Folder of the run with this name or path, or of the newest run."""
    names = sorted((path.name for path in runs_dir().glob("[0-9]*-*") if path.is_dir()), reverse=True)
    if run is None:
        if not names:
            raise UsageError("there is no run yet.", where=str(runs_dir()), fix="Make one: toolkit run")
        return runs_dir() / names[0]
    for folder in (runs_dir() / run, Path(run)):
        if folder.is_dir() and folder.resolve() != runs_dir():
            return folder.resolve()
    advice = did_you_mean(str(run), names) if names else "Make one: toolkit run"
    raise UsageError(f"there is no run '{run}'.", where=str(runs_dir()), fix=advice)


def render_gallery(name: str, entries: list[_Entry], folder: Path) -> str:
    """The gallery's page."""
    sections = "\n".join(map(_section, entries))
    drawn = "data-figure=" in sections
    return _PAGE.format(
        run=html.escape(name),
        head="\n".join([CONTENT_POLICY, STYLE, _STYLE, *([plotly_script()] if drawn else [])]),
        sections=sections,
        data=_data(entries, folder),
        script=_DRAW if drawn else "",
    )


def _entries(folder: Path) -> list[_Entry]:
    entries = []
    for place in sorted(folder.glob("[!.]*/")):
        manifest = read_manifest(place)
        if manifest is not None:
            damaged = damaged_artifacts(place, manifest.artifacts) if manifest.status == "succeeded" else []
            entries.append(_Entry(place, manifest, damaged))
    return entries


def _section(entry: _Entry) -> str:
    manifest, section = entry.manifest, entry.folder.name
    names = {"report": REPORT_NAME, "executed notebook": NOTEBOOK_NAME} if entry.shown else {}
    names |= {"failed notebook": "failed.ipynb", "manifest": "manifest.json", "log": "run.log"}
    links = " · ".join(
        f'<a href="{section}/{target}">{label}</a>'
        for label, target in names.items()
        if (entry.folder / target).is_file()
    )
    lines = [manifest.reason, manifest.advice, *entry.problems] if not entry.shown else manifest.takeaways
    said = [html.escape(line) for line in lines if line]
    text = "".join(
        f"<p{verdict}>{line}</p>"
        for line, verdict in zip(said, chain([' class="verdict"'], repeat("")), strict=False)
    )
    main, *others = _figures(entry) or [""] if entry.shown else [""]
    return (
        f'<section id="{html.escape(section)}"><h2>{html.escape(section)} '
        f'<span class="badge {entry.badge}">{entry.badge}</span></h2>{_question(section)}{text}'
        f'<div class="figures">{main}</div>{_folded(others)}<p class="links">{links}</p>'
        f"<details><summary>What this depends on</summary>{provenance(manifest, '')}</details></section>"
    )


def _question(section: str) -> str:
    """What the section asks, where it is one of the project's."""
    known = list_sections().set_index("section")["question"]
    return f'<p class="question">{html.escape(known[section])}</p>' if section in known else ""


def _folded(figures: list[str]) -> str:
    if not figures:
        return ""
    what = "1 more figure" if len(figures) == 1 else f"{len(figures)} more figures"
    return f'<details><summary>{what}</summary><div class="figures">{"".join(figures)}</div></details>'


def _figures(entry: _Entry) -> list[str]:
    cards = []
    for artifact in entry.manifest.artifacts:
        if artifact.kind != "figure":
            continue
        figure = read_figure(entry.folder / artifact.path)
        identifier = html.escape(f"{entry.folder.name}-{artifact.name}")
        height = int(figure.layout.height or 450)
        # "</script>" in a label must not end the element that holds the figure.
        content = json.dumps(json.loads(figure.to_json())).replace("<", "\\u003c")
        file = html.escape(f"{entry.folder.name}/{artifact.path}")
        cards.append(
            f'<figure id="{identifier}"><script type="application/json" id="json-{identifier}">{content}</script>'
            f'<div data-figure="json-{identifier}" style="min-height:{height}px"></div>'
            f'<figcaption><span class="swipe">Swipe sideways to see all panels. </span>'
            f'{html.escape(caption_of(figure))} <a href="{entry.folder.name}/{REPORT_NAME}">report</a> · '
            f'<a href="{entry.folder.name}/{NOTEBOOK_NAME}">notebook</a> · <a href="{file}">json</a>'
            "</figcaption></figure>"
        )
    return cards


def _data(entries: list[_Entry], folder: Path) -> str:
    """Cards of the data sets that the sections used."""
    sections = {entry.folder.name for entry in entries}
    used = dict.fromkeys(name.partition("/")[0] for entry in entries for name in entry.manifest.inputs)
    cards = "".join(_data_card(name, folder) for name in used if name not in sections)
    return f"<h2>Data</h2>{cards}" if cards else ""


def _data_card(name: str, folder: Path) -> str:
    from toolkit.data import describe

    title = f'<p id="{html.escape(name)}"><b>{html.escape(name)}</b>'
    try:
        entry = describe(name)
    except ToolkitError as error:
        return f"{title}: {html.escape(str(error))}</p>"
    registry = html.escape(Path(os.path.relpath(data_dir() / "registry.toml", folder)).as_posix())
    caveats = "".join(f"<li>{html.escape(caveat)}</li>" for caveat in entry.caveats)
    return (
        f"{title}: {html.escape(entry.title)}. {html.escape(entry.citation)} Licence: {html.escape(entry.licence)}. "
        f'<a href="{registry}">Registry</a>; <code>toolkit data {html.escape(name)}</code> shows the whole card.</p>'
        f"<ul>{caveats}</ul>"
    )

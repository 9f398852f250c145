"""The gallery of a run: each section's question, verdict and figures, and what stands behind them."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path

from toolkit import io
from toolkit.errors import ToolkitError, UsageError, did_you_mean
from toolkit.manifest import Manifest, damaged_artifacts, read_manifest
from toolkit.paths import data_dir, runs_dir
from toolkit.pipeline.drawing import DRAW_FIGURES, FIGURE_STYLE, figure_card
from toolkit.pipeline.report import (
    CONTENT_POLICY,
    GALLERY_NAME,
    NOTEBOOK_NAME,
    REPORT_NAME,
    STYLE,
    link_to,
    notebook_link,
    provenance,
    write_report,
)
from toolkit.sections import list_sections
from toolkit.viz.files import plotly_script, read_figure

_STYLE = """<style>
body { margin: 2rem 0 } .tk { max-width: 68rem } .tk h1 { font-size: 28px; line-height: 1.25 }
.tk h2 { margin: 3rem 0 .2rem; font-size: 22px; line-height: 1.3 }
.tk p { margin: .4rem 0; max-width: 46rem } .tk li { max-width: 46rem }
.tk nav ol { list-style: none; padding: 0 } .tk nav li { margin: .35rem 0 }
.tk .question { font-size: 18px; font-style: italic } .tk .verdict { font-weight: bold }
.tk .more { display: flex; flex-wrap: wrap; gap: 1.5rem } .tk .more .tk-figure { flex: 0 1 660px; min-width: 0 }
.tk .data { font-size: 14px }
.tk summary { padding: .3rem 0 }
@media (max-width: 720px) { body { margin: 1rem 0 } .tk h1 { font-size: 24px } }
@media print { body { margin: 0 } .tk section { break-inside: avoid } .tk nav a { color: inherit; text-decoration: none } }
</style>"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Results of run {run}</title>
{head}
</head>
<body><div class="tk">
<header>
<h1>Which computational agent learns as people do?</h1>
<p>People learn categories and rewards by trial and error. Each section asks one question about that; here are the
answers of one run, each with its main figure. {run_in_words}</p>
<p class="links">A section's report is its whole notebook with every figure. To try something else, open the
notebook: <code>make lab</code> starts JupyterLab. This page and the reports ask nothing of the network.</p>
{contents}
<noscript><p><b>The figures need JavaScript; this reader does not run it. Open the page in a browser.</b></p></noscript>
</header>
<main>
{sections}
{data}
</main>
</div>
{script}
</body>
</html>
"""

_PROFILES = {
    "smoke": "which computes as little as it can: its numbers show that everything runs and are no findings",
    "workshop": "which takes some of the people and problems, for a laptop",
    "paper": "which takes all people and problems",
}


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
        if not entry.shown:
            (entry.folder / REPORT_NAME).unlink(missing_ok=True)  # of what is no result any more
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
        run_in_words=_run_in_words(name, entries),
        contents=_contents(entries),
        head="\n".join([CONTENT_POLICY, STYLE, FIGURE_STYLE, _STYLE, *([plotly_script()] if drawn else [])]),
        sections=sections,
        data=_data(entries, folder),
        script=DRAW_FIGURES if drawn else "",
    )


def _run_in_words(name: str, entries: list[_Entry]) -> str:
    profile = entries[0].manifest.profile
    meaning = f", {_PROFILES[profile]}" if profile in _PROFILES else ""
    ended = max(entry.manifest.ended for entry in entries).replace("T", " ")[:16]
    shown = sum(entry.shown for entry in entries)
    return (
        f"This is run <code>{html.escape(name)}</code> with the profile {html.escape(profile)}{meaning}. "
        f"It ended {html.escape(ended)}; {shown} of {len(entries)} sections succeeded."
    )


def _contents(entries: list[_Entry]) -> str:
    """The list of sections, with their questions."""
    lines = []
    for entry in entries:
        title, question = _named(entry.folder.name)
        asked = f": {html.escape(question)}" if question else ""
        badge = "" if entry.shown else f" {_badge(entry)}"
        lines.append(
            f'<li><a href="#{html.escape(entry.folder.name)}">{html.escape(title)}</a>{asked}{badge}</li>'
        )
    return f'<nav aria-label="Sections"><ol>{"".join(lines)}</ol></nav>'


def _named(section: str) -> tuple[str, str]:
    """Title and question of a section; its name and nothing if it is none of the project's."""
    known = list_sections().set_index("section")
    if section not in known.index:
        return section, ""
    return f"{section.partition('_')[0]} · {known['title'][section]}", known["question"][section]


def _badge(entry: _Entry) -> str:
    return f'<span class="badge {entry.badge}">{entry.badge}</span>'


def _entries(folder: Path) -> list[_Entry]:
    entries = []
    for place in sorted(folder.glob("[!.]*/")):
        manifest = read_manifest(place)
        if manifest is not None:
            damaged = damaged_artifacts(place, manifest.artifacts) if manifest.status == "succeeded" else []
            entries.append(_Entry(place, manifest, damaged))
    return entries


def _section(entry: _Entry) -> str:
    manifest, section = entry.manifest, html.escape(entry.folder.name)
    title, question = _named(entry.folder.name)
    lines = [manifest.reason, manifest.advice, *entry.problems] if not entry.shown else manifest.takeaways
    said = [html.escape(line) for line in lines if line]
    text = "".join(
        f"<p{verdict}>{line}</p>"
        for line, verdict in zip(said, chain([' class="verdict"'], repeat("")), strict=False)
    )
    main, *others = _figures(entry) or [""] if entry.shown else [""]
    asked = f'<p class="question">{html.escape(question)}</p>' if question else ""
    return (
        f'<section id="{section}" aria-labelledby="title-{section}">'
        f'<h2 id="title-{section}">{html.escape(title)} {_badge(entry)}</h2>{asked}{text}'
        f'{main}{_folded(others)}<p class="links">{_links(entry)}</p>'
        f"<details><summary>What this depends on</summary>{provenance(manifest, '')}</details></section>"
    )


def _links(entry: _Entry) -> str:
    names = {"report": REPORT_NAME, "executed notebook": NOTEBOOK_NAME} if entry.shown else {}
    names |= {"failed notebook": "failed.ipynb", "manifest": "manifest.json", "log": "run.log"}
    links = [
        f'<a href="{html.escape(entry.folder.name)}/{target}">{label}</a>'
        for label, target in names.items()
        if (entry.folder / target).is_file()
    ]
    own = notebook_link(entry.folder.name, entry.folder.parent)
    return " · ".join([*links, own] if own else links)


def _folded(figures: list[str]) -> str:
    if not figures:
        return ""
    what = "1 more figure" if len(figures) == 1 else f"{len(figures)} more figures"
    return f'<details><summary>{what}</summary><div class="more">{"".join(figures)}</div></details>'


def _figures(entry: _Entry) -> list[str]:
    section = entry.folder.name
    cards = []
    for artifact in entry.manifest.artifacts:
        if artifact.kind == "figure":
            figure = json.loads(read_figure(entry.folder / artifact.path).to_json())
            file = html.escape(f"{section}/{artifact.path}")
            links = (
                f'<span class="links"><a href="{section}/{REPORT_NAME}">report</a> · '
                f'<a href="{section}/{NOTEBOOK_NAME}">notebook</a> · <a href="{file}">json</a></span>'
            )
            cards.append(figure_card(figure, f"{section}-{artifact.name}", links))
    return cards


def _data(entries: list[_Entry], folder: Path) -> str:
    """Cards of the data sets that the sections used."""
    sections = {entry.folder.name for entry in entries}
    used = dict.fromkeys(name.partition("/")[0] for entry in entries for name in entry.manifest.inputs)
    cards = "".join(_data_card(name, folder) for name in used if name not in sections)
    return f'<h2>Data</h2><div class="data">{cards}</div>' if cards else ""


def _data_card(name: str, folder: Path) -> str:
    from toolkit.data import describe

    title = f'<p id="{html.escape(name)}"><b>{html.escape(name)}</b>'
    try:
        entry = describe(name)
    except ToolkitError as error:
        return f"{title}: {html.escape(str(error))}</p>"
    registry = html.escape(link_to(data_dir() / "registry.toml", folder))
    caveats = "".join(f"<li>{html.escape(caveat)}</li>" for caveat in entry.caveats)
    count = "1 caveat" if len(entry.caveats) == 1 else f"{len(entry.caveats)} caveats"
    folded = f"<details><summary>{count}</summary><ul>{caveats}</ul></details>" if caveats else ""
    return (
        f"{title}: {html.escape(entry.title)}. {html.escape(entry.citation)} Licence: {html.escape(entry.licence)}. "
        f'<a href="{registry}">Registry</a>; <code>toolkit data {html.escape(name)}</code> shows the whole card.</p>'
        f"{folded}"
    )

"""Figures on pages: fitted to the screen, whole in print, described to who cannot see them."""

from __future__ import annotations

import html
import json
from typing import Any

from toolkit.viz.theme import DEFAULT_HEIGHT, caption_of

FIGURE_STYLE = """<style>
.tk-figure { margin: .8rem 0 0; max-width: 660px }
.tk-figure .scroll { overflow-x: auto; overflow-y: hidden }
.tk-figure figcaption { font: 13px/1.45 Helvetica, Arial, sans-serif; color: #555; max-width: 44rem }
.tk-figure .swipe { display: none; margin: 0 0 .3rem; font: 13px/1.4 Helvetica, Arial, sans-serif; color: #555 }
.tk-figure.wide .swipe { display: block }
@media print {
  .tk-figure { max-width: none; break-inside: avoid } .tk-figure .scroll { overflow: visible }
  .tk-figure .modebar, .tk-figure.wide .swipe { display: none }
}
</style>"""

# A page of fifty figures opens at once since they are drawn as they come into view; for print all are that are
# not folded away. A figure of one panel takes the width of a narrow screen; several would be too small there.
DRAW_FIGURES = """<script>
const waiting = new Set(document.querySelectorAll('[data-figure]'));
const draw = (place) => {
  waiting.delete(place);
  const content = JSON.parse(document.getElementById(place.dataset.figure).textContent);
  const panels = Object.keys(content.layout).filter((name) => /^xaxis\\d*$/.test(name)).length;
  const box = place.parentElement, room = box.clientWidth;
  if (room && room < (content.layout.width || 0)) {
    if (panels < 2) content.layout.width = room;
    else { box.parentElement.classList.add('wide'); box.tabIndex = 0; }
  }
  Plotly.newPlot(place, content.data, content.layout, {displaylogo: false, responsive: true});
};
const seen = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting)
  .forEach((entry) => { seen.unobserve(entry.target); if (waiting.has(entry.target)) draw(entry.target); }),
  {rootMargin: '400px'});
waiting.forEach((place) => seen.observe(place));
window.addEventListener('beforeprint', () => waiting.forEach((place) => place.closest('details:not([open])') || draw(place)));
</script>"""


def figure_card(figure: dict[str, Any], identifier: str, links: str = "") -> str:
    """HTML of a figure with its caption, for a page that has plotly.js and :data:`DRAW_FIGURES`.

    Parameters
    ----------
    figure
        JSON content of a plotly figure: data and layout.
    identifier
        Of the element, unique on the page.
    links
        HTML behind the caption.
    """
    content = {name: figure[name] for name in ("data", "layout") if figure.get(name) is not None}
    layout = content.setdefault("layout", {})
    caption = caption_of(content)
    described = html.escape(" ".join(filter(None, (_title_of(layout), caption))) or "A figure.")
    name = html.escape(identifier)
    # "</script>" in a label must not end the element that holds the figure.
    text = json.dumps(content).replace("<", "\\u003c")
    below = " ".join(filter(None, (html.escape(caption), links)))
    return (
        f'<figure class="tk-figure" id="{name}"><p class="swipe">Swipe sideways to see all panels.</p>'
        f'<div class="scroll"><div data-figure="json-{name}" role="img" aria-label="{described}" '
        f'style="min-height:{int(layout.get("height") or DEFAULT_HEIGHT)}px"></div></div>'
        f'<script type="application/json" id="json-{name}">{text}</script>'
        f"{f'<figcaption>{below}</figcaption>' if below else ''}</figure>"
    )


def _title_of(layout: dict[str, Any]) -> str:
    title = layout.get("title")
    text = title.get("text") if isinstance(title, dict) else title
    return f"{str(text).replace('<br>', ' ').rstrip('.')}." if text else ""

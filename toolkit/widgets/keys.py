"""Keys that are pressed inside a dashboard belong to it; where they go is seen, and said to screen readers."""

from __future__ import annotations

import anywidget

from toolkit.viz.agents import BLUE


class OwnKeys(anywidget.AnyWidget):
    """Invisible; keeps JupyterLab from taking keys that move a control for commands of the notebook.

    Without it an arrow on a list goes to the next cell, and a letter may turn the cell into another kind. Controls
    that have the focus are framed, and sliders and icons have names, which ipywidgets does not give them.
    """

    # JupyterLab asks the very element that has the focus, and none around it.
    _esm = """
    const ICONS = {
      "fa-play": "Play", "fa-pause": "Pause", "fa-stop": "Back to the beginning", "fa-retweet": "Repeat",
      "fa-repeat": "Repeat",
    };
    const ENDS = { "noUi-handle-lower": ", from", "noUi-handle-upper": ", to" };
    const called = (one) => {
      const box = one.closest(".jupyter-widgets");
      const label = box && box.querySelector(".widget-label");
      return label ? label.textContent : "";
    };
    const nameAll = (dashboard) => {
      for (const one of dashboard.querySelectorAll(".noUi-handle, .widget-readout")) {
        const both = one.parentElement.parentElement.querySelectorAll(".noUi-handle").length > 1;
        const end = Object.keys(ENDS).find((name) => one.classList.contains(name));
        one.setAttribute("aria-label", called(one) + (both && end ? ENDS[end] : ""));
        if (one.classList.contains("widget-readout")) one.setAttribute("role", "textbox");
      }
      for (const one of dashboard.querySelectorAll(".widget-play button")) {
        const icon = Object.keys(ICONS).find((name) => one.querySelector("." + name));
        if (icon) one.setAttribute("aria-label", ICONS[icon]);
      }
    };
    function render({ el }) {
      let tries = 600;
      let waiting = false;
      const begin = () => {
        const dashboard = el.closest(".toolkit-dashboard");
        if (!dashboard) {
          if (tries-- > 0) requestAnimationFrame(begin);
          return;
        }
        dashboard.addEventListener("focusin", (event) => {
          event.target.setAttribute("data-lm-suppress-shortcuts", "true");
          nameAll(dashboard);
        });
        const later = () => {
          if (waiting) return;
          waiting = true;
          setTimeout(() => { waiting = false; nameAll(dashboard); }, 200);
        };
        const controls = dashboard.querySelector(".toolkit-controls") || dashboard;
        new MutationObserver(later).observe(controls, { childList: true, subtree: true });
        later();
      };
      begin();
    }
    export default { render };
    """
    _css = f"""
    .toolkit-dashboard :is(select, input, textarea, button, a, [role], [contenteditable]):focus-visible {{
      outline: 3px solid {BLUE} !important;
      outline-offset: 1px;
    }}
    """

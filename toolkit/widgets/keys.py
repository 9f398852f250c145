"""Keys that are pressed inside a dashboard belong to it."""

from __future__ import annotations

import anywidget


class OwnKeys(anywidget.AnyWidget):
    """Invisible; keeps JupyterLab from taking keys that move a control for commands of the notebook.

    Without it an arrow on a list goes to the next cell, and a letter may turn the cell into another kind.
    """

    # JupyterLab asks the very element that has the focus, and none around it.
    _esm = """
    const own = (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true");
    function render({ el }) {
      let tries = 600;
      const begin = () => {
        const dashboard = el.closest(".toolkit-dashboard");
        if (dashboard) dashboard.addEventListener("focusin", own);
        else if (tries-- > 0) requestAnimationFrame(begin);
      };
      begin();
    }
    export default { render };
    """

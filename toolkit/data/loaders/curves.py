"""Published group curves as tidy tables."""

from __future__ import annotations

import pandas as pd

from toolkit.data.cache import locate_one
from toolkit.data.rdata import read_rdata
from toolkit.io import read_json


def load_nosofsky(*, digitised: bool = False) -> pd.DataFrame:
    """Nosofsky et al. (1994): ``type`` (1-6), ``block`` (1-16) and mean ``error``.

    Parameters
    ----------
    digitised
        Points read off the figure, as ERMI plots them, instead of the published table.
    """
    if not digitised:
        return read_rdata(locate_one("nosofsky1994", "nosof94.RData"))["nosof94"].astype(
            {"type": int, "block": int}
        )
    curves = read_json(locate_one("nosofsky1994", "nosofsky1994.json"))
    table = _tidy(curves, "type", "block", "error")
    table["type"] = table["type"].str.removeprefix("type").astype(int)
    return table


def load_johansen() -> pd.DataFrame:
    """Johansen & Palmeri (2002), 5-4 structure: ``stimulus``, ``role`` and ``probability_a`` after block 32."""
    curve = read_json(locate_one("johansen2002", "johanssen2002.json"))
    table = pd.DataFrame({"stimulus": curve["x"], "probability_a": curve["y"]})
    table.insert(1, "role", table["stimulus"].str[0].map({"A": "A", "B": "B", "T": "transfer"}))
    return table


def load_levering() -> pd.DataFrame:
    """Levering et al. (2020): ``structure`` (linear, nonlinear), ``block`` (1-25) and ``accuracy``."""
    curves = read_json(locate_one("levering2020", "levering2020.json"))
    return _tidy(curves, "structure", "block", "accuracy")


def load_smith() -> pd.DataFrame:
    """Smith & Minda (1998): ``model`` (exemplar, prototype), ``segment`` (1-10) and ``misfit``."""
    curves = read_json(locate_one("smith1998", "smith1998.json"))
    return _tidy(curves, "model", "segment", "misfit")


def _tidy(curves: dict[str, dict[str, list]], name: str, x: str, y: str) -> pd.DataFrame:
    """One row a point; x is the position of a digitised point, so it is rounded."""
    parts = [
        pd.DataFrame({name: key, x: pd.Series(curve["x"]).round().astype(int), y: curve["y"]})
        for key, curve in curves.items()
    ]
    return pd.concat(parts, ignore_index=True)

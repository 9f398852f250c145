"""One module a data set or small family: original files in, Trials out."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from toolkit.errors import UsageError, check_options, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.trials import Trials

_HOME = "toolkit.data.loaders."

TRIALS = {
    "badham2017": ("badham2017:load", {}),
    "devraj2022_exp1": ("devraj2022:load", {"experiment": 1}),
    "devraj2022_exp2": ("devraj2022:load", {"experiment": 2}),
    "leenavarro2002": ("leenavarro2002:load", {}),
    "bartlema2014_crisscross": ("bartlema2014:load", {"structure": "crisscross"}),
    "bartlema2014_diagonal": ("bartlema2014:load", {"structure": "diagonal"}),
    "speekenbrink2008": ("speekenbrink2008:load", {}),
    "kruschke1993": ("by_block:load_kruschke", {}),
    "zeithamovamaddox2006": ("by_block:load_zeithamova", {}),
    "navarro2005": ("by_block:load_navarro", {}),
    "smithminda1998_exp1": ("smithminda1998:load", {"experiment": 1}),
    "smithminda1998_exp2": ("smithminda1998:load", {"experiment": 2}),
    "piantadosi2016": ("piantadosi2016:load", {}),
    "demircan2024": ("demircan2024:load", {}),
    "lefebvre2017_exp1": ("pairs:load_lefebvre", {"experiment": 1}),
    "lefebvre2017_exp2": ("pairs:load_lefebvre", {"experiment": 2}),
    "palminteri2017_exp1": ("pairs:load_palminteri", {"experiment": 1}),
    "palminteri2017_exp2": ("pairs:load_palminteri", {"experiment": 2}),
    "chambon2020_exp1": ("chambon2020:load", {"experiment": 1}),
    "chambon2020_exp2": ("chambon2020:load", {"experiment": 2}),
    "chambon2020_exp3": ("chambon2020:load", {"experiment": 3}),
    "chambon2020_exp4": ("chambon2020:load", {"experiment": 4}),
    "feher2020_two_step": ("gecco:load_two_step", {}),
    "rlwm": ("gecco:load_rlwm", {}),
    "hilbig2014_multi_attribute": ("gecco:load_multi_attribute", {}),
}

CURVES = {
    "nosofsky1994": ("curves:load_nosofsky", {}),
    "johansen2002": ("curves:load_johansen", {}),
    "levering2020": ("curves:load_levering", {}),
    "smith1998": ("curves:load_smith", {}),
}


def load(name: str, **options: Any) -> Any:
    """Whatever the registry has under this name: Trials, a curve, or a table."""
    if name in TRIALS:
        return load_data(name, **options)
    if name in CURVES:
        return load_curve(name, **options)
    from toolkit.data.tables import list_tables, load_table

    if name in list_tables():
        return load_table(name, **options)
    known = {**TRIALS, **CURVES, **dict.fromkeys(list_tables(), ("", {}))}
    raise UsageError(f"there is no data set '{name}' to load.", fix=_suggest(name, known))


def load_data(name: str, **options: Any) -> Trials:
    """Trials of a data set, read from its original files in the cache or the mirror.

    Nothing is downloaded: if a file is absent, the error says which ``toolkit fetch`` brings it.

    Parameters
    ----------
    name
        For instance "badham2017" or "chambon2020_exp2"; an unknown name gives the closest known one.
    options
        What the loader of that data set understands, described in its module.
    """
    return _call(name, TRIALS, "data set", options)


def load_curve(name: str, **options: Any) -> pd.DataFrame:
    """A published group curve as a tidy table: nosofsky1994, johansen2002, levering2020 or smith1998."""
    return _call(name, CURVES, "curve", options)


def _call(name: str, homes: dict[str, tuple[str, dict]], what: str, options: dict[str, Any]) -> Any:
    if name not in homes:
        raise UsageError(f"there is no {what} '{name}' to load.", fix=_suggest(name, homes))
    home, fixed = homes[name]
    module, _, function = home.partition(":")
    loader: Callable = getattr(importlib.import_module(_HOME + module), function)
    check_options(options, loader.__kwdefaults__ or {}, f"the loader of '{name}'")
    return loader(**fixed, **options)


def _suggest(name: str, homes: dict[str, tuple[str, dict]]) -> str:
    parts = [known for known in homes if known.startswith(f"{name}_")]
    if parts:
        return f"It has parts: {', '.join(parts)}."
    other = CURVES if homes is TRIALS else TRIALS
    if name in other:
        return f"Use {'load_curve' if other is CURVES else 'load_data'}('{name}')."
    return did_you_mean(name, homes)

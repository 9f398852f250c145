"""The explorer of model comparisons without a browser: groups, failures, files, and a click."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from toolkit import fitting
from toolkit.errors import UsageError
from toolkit.io import write_table
from toolkit.viz.standings import person_curves
from toolkit.widgets.model_comparison import EVERYONE, FITTED_HERE, ModelComparison

LOG_LIKELIHOOD = {"gcm": [-10.0, -30.0, np.nan], "prototype": [-20.0, -25.0, -20.0], "random": [-27.0] * 3}


@pytest.fixture(autouse=True)
def _no_run_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_RUNS", str(tmp_path / "runs"))


def fits(**about: list) -> pd.DataFrame:
    """Three models fitted to three people, one of whom one model failed for."""
    parts = [
        pd.DataFrame({"model": name, "participant": ["a", "b", "c"], "log_likelihood": values, **about})
        for name, values in LOG_LIKELIHOOD.items()
    ]
    return pd.concat(parts, ignore_index=True).assign(n_trials=40, n_parameters=1, reason="")


def test_a_failed_fit_is_said_and_everyone_else_is_compared() -> None:
    dashboard = ModelComparison(fits())
    assert "2 people: Exemplars (GCM) has the smallest BIC in total" in dashboard.message.value
    assert "1 person without an estimate, for instance c under Exemplars (GCM)" in dashboard.message.value
    dashboard.person.value = "c"
    assert "Person c: Prototypes describes them best, by 14.0 BIC before Random" in dashboard.message.value


def test_groups_and_ages_choose_people_and_nobody_left_is_a_sentence() -> None:
    dashboard = ModelComparison(fits(group=["old", "old", "young"], age=[71, 65, 20]))
    assert dashboard.ages.value == (20, 71) and "age" in dashboard.order.options
    dashboard.group.value = "old"
    assert [person for _, person in dashboard.person.options] == ["a", "b"]
    assert "2 people" in dashboard.message.value
    before = dashboard.shown.to_json()
    dashboard.ages.value = (20, 30)
    assert "Nobody belongs to old and is 20 to 30 years old" in dashboard.message.value
    assert dashboard.shown.to_json() == before
    dashboard.group.value = EVERYONE
    assert [person for _, person in dashboard.person.options] == ["c"]
    assert "nothing can be compared" in dashboard.message.value


def test_a_table_without_ages_has_no_control_for_them() -> None:
    dashboard = ModelComparison(fits())
    assert dashboard.ages.layout.display == "none"
    assert dashboard.order.options == ("winner", "table")
    assert "age" not in dashboard.code


def test_one_person_alone_is_shown() -> None:
    dashboard = ModelComparison(fits().query("participant == 'a'"))
    assert "1 person: Exemplars (GCM) has the smallest BIC" in dashboard.message.value
    assert np.shape(dashboard.shown.data[0].z) == (3, 1)


def test_a_click_on_a_column_chooses_the_person() -> None:
    dashboard = ModelComparison(fits())
    order = dashboard.view().shown.in_order("winner")
    dashboard._click(None, SimpleNamespace(xs=[2.0]), None)
    assert dashboard.person.value == order[2]
    frame = next(shape for shape in dashboard.shown.layout.shapes if shape.type == "rect")
    assert frame.x0 < 2 < frame.x1


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_of_fits_is_read_and_its_code_draws_the_same(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"my_fits{suffix}"
    write_table(path, fits(group=["old", "old", "young"]))
    dashboard = ModelComparison(path)
    dashboard.group.value, dashboard.by.value = "old", "nats"
    names: dict = {}
    exec(dashboard.code, names)
    assert names["figure"].to_json() == dashboard.view().figure().to_json()


def test_what_was_given_comes_back_in_the_code() -> None:
    standings = fitting.gather(fits(), title="Mine")
    names: dict = {"standings": standings}
    dashboard = ModelComparison(standings)
    exec(dashboard.code, names)
    assert names["figure"].layout.title.text == "Mine"
    names = {"fits": fits()}
    exec(ModelComparison(fits()).code, names)
    assert len(names["figure"].data[0].z) == 3


def test_a_table_of_something_else_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="no table of fits"):
        ModelComparison(pd.DataFrame({"participant": [1]}))


def test_without_a_run_people_are_simulated_fitted_and_said_to_be() -> None:
    dashboard = ModelComparison()
    assert dashboard.source.options == (FITTED_HERE,)
    assert dashboard.shown.layout.title.text == "Simulated people, fitted here and now"
    assert [one.type for one in dashboard.shown.data][:2] == ["heatmap", "scatter"]
    ast.parse(dashboard.code)
    before = dashboard.shown.data[0].z
    dashboard.condition.value, dashboard.by.value = "II", "nats"
    assert not np.array_equal(before, dashboard.shown.data[0].z)
    curves = person_curves(dashboard.view().shown, dashboard.person.value)
    assert set(curves["agent"]) == {"people", "gcm", "prototype", "win_stay_lose_shift", "random"}
    shown = {trace.name: np.array(trace.y) for trace in dashboard.shown.data if trace.legend == "legend2"}
    np.testing.assert_allclose(shown["The person"], curves.query("agent == 'people'")["correct"])

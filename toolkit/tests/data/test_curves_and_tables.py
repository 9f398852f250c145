"""Group curves and tables of the registry."""

from __future__ import annotations

import numpy as np
import pytest

from toolkit.data import describe, list_datasets, load_curve, load_data, load_table
from toolkit.data.loaders import TRIALS
from toolkit.errors import UsageError

TABLES = [file.table for name in list_datasets() for file in describe(name).file if file.table]
needs_data = [pytest.mark.data, pytest.mark.usefixtures("public_data")]


class TestCurves:
    pytestmark = needs_data

    def test_nosofsky(self):
        table, points = load_curve("nosofsky1994"), load_curve("nosofsky1994", digitised=True)
        assert len(table) == len(points) == 6 * 16
        means = points.groupby("type")["error"].mean().round(3).tolist()
        assert means == [0.019, 0.053, 0.096, 0.105, 0.115, 0.199]
        both = table.merge(points, on=["type", "block"], validate="one_to_one")
        assert (both["error_x"] - both["error_y"]).abs().max() < 0.02
        assert table.groupby("type")["error"].mean().is_monotonic_increasing

    def test_johansen(self):
        table = load_curve("johansen2002").set_index("stimulus")
        assert table["role"].value_counts().to_dict() == {"transfer": 7, "A": 5, "B": 4}
        assert table.loc[["A1", "B4", "T3"], "probability_a"].tolist() == [0.909, 0.039, 0.933]

    def test_levering(self):
        table = load_curve("levering2020")
        assert table.groupby("structure")["block"].agg(list).map(len).tolist() == [25, 25]
        last = table[table["block"] == 25].set_index("structure")["accuracy"]
        assert last.to_dict() == {"linear": 0.865, "nonlinear": 0.932}

    def test_smith(self):
        table = load_curve("smith1998")
        first = {"exemplar": 0.728, "prototype": 0.693}
        assert table[table["segment"] == 1].set_index("model")["misfit"].to_dict() == first
        assert sorted(table["segment"].unique()) == list(range(1, 11))


class TestTables:
    pytestmark = needs_data

    @pytest.mark.parametrize("name", TABLES)
    def test_every_table_loads(self, name):
        table = load_table(name)
        assert len(table) > 5 and not any(column.startswith("Unnamed") for column in table)

    def test_problems_written_by_claude(self):
        table = load_table("llm_tasks_claude")
        sizes = table.groupby("task_id").size()
        assert len(sizes) == 1_000 and sizes.min() == 20 and sizes.max() == 140 and sizes.median() == 66
        assert len(load_table("llm_labels_dim3")) == 23_421

    def test_benchmark_results(self):
        means = load_table("ermi_benchmark_accuracy").drop(columns="task_id").mean().round(3)
        assert means.tolist()[:4] == [0.628, 0.693, 0.702, 0.705]
        assert means["ERMI"] == pytest.approx(0.7095, abs=6e-4)
        ranks = load_table("ermi_benchmark_ranks").drop(columns="task_id").mean().round(2).tolist()
        assert ranks == [5.48, 3.28, 3.17, 3.33, 2.65, 3.09]

    def test_fits_of_ermi(self, derived):
        table = load_table("ermi_fits")
        totals = table[table["run"] == 0].groupby(["dataset", "model"])["nll"].sum().round()
        badham = {"GCM": 16_848, "RMC": 19_006, "ERMI": 19_078, "PM": 19_113, "PFN": 20_247, "MI": 20_912}
        for model, total in {**badham, "Rulex": 22_402}.items():
            assert totals["badham2017", model] == pytest.approx(total, abs=1.5)
        published = derived("human/ermi_reference_fits/ermi_reference_fits.csv")
        assert np.sort(table["nll"]) == pytest.approx(np.sort(published["nll"]), rel=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: load_data("chambon2020"), "chambon2020_exp1, chambon2020_exp2"),
        (lambda: load_data("nosofsky1994"), r"load_curve\('nosofsky1994'\)"),
        (lambda: load_data("badham"), "Did you mean 'badham2017'"),
        (lambda: load_curve("levering"), "Did you mean 'levering2020'"),
        (lambda: load_data("smithminda1998_exp1", feature=True), "Did you mean 'features'"),
        (lambda: load_data("badham2017", fast=True), "It has none"),
        (lambda: load_table("llm_tasks_claud"), "Did you mean 'llm_tasks_claude'"),
    ],
)
def test_an_unknown_name_or_option_is_an_error_with_a_suggestion(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_every_loader_says_what_it_gives():
    import importlib

    for home, _ in TRIALS.values():
        module, _, function = home.partition(":")
        loader = getattr(importlib.import_module(f"toolkit.data.loaders.{module}"), function)
        assert "sequence" in loader.__doc__ or "participants" in loader.__doc__

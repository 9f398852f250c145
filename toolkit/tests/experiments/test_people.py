"""People's results beside the designs, and that designs are what people were shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from toolkit.data import load_data
from toolkit.data.loaders.devraj2022 import stimulus_table
from toolkit.errors import DataError, UsageError
from toolkit.experiments import get_design, list_designs, smith_minda, weather

pytestmark = pytest.mark.data


def test_nosofsky_curves_are_by_type_and_block(public_data: Path) -> None:
    people = get_design("shepard").people()
    assert people.columns.tolist() == ["condition", "block", "error"] and len(people) == 6 * 16
    means = people.groupby("condition")["error"].mean()
    assert means.sort_values().index.tolist() == ["I", "II", "III", "IV", "V", "VI"]
    assert people.query("condition == 'VI' and block == 1")["error"].item() == pytest.approx(0.498, abs=0.01)


def test_transfer_items_of_johansen_and_palmeri(public_data: Path) -> None:
    people = get_design("five_four").people().set_index("stimulus")
    assert people["stimulus_id"].tolist() == list(range(16)) and (people["block"] == 32).all()
    assert people["share"].loc["T1":"T7"].tolist() == [0.703, 0.281, 0.933, 0.314, 0.218, 0.676, 0.066]


def test_nonlinear_is_easier_in_levering(public_data: Path) -> None:
    means = get_design("levering").people().groupby("condition")["error"].mean()
    assert means["nonlinear"] < means["linear"] and means.between(0.1, 0.35).all()


def test_frequent_colours_are_named_more_surely(public_data: Path) -> None:
    people = get_design("instance_frequency").people()
    share = people.pivot_table("share", "stimulus_id", "condition")
    assert share.loc[1, "E2"] > share.loc[1, "B"] and share.loc[6, "E7"] > share.loc[6, "B"]
    right = np.where(people["category"] == 1, people["share"], 1 - people["share"])
    # Colour 3 is on the boundary and is not learned in two of three conditions.
    assert ((right > 0.5) | (people["stimulus_id"] == 2)).all()


def test_exemplar_models_overtake_prototypes_in_smith_and_minda(public_data: Path) -> None:
    misfit = get_design("smith_minda").people().pivot_table("misfit", "segment", "model")
    assert misfit["exemplar"].iloc[-1] < misfit["prototype"].iloc[-1]


def test_devraj_showed_the_table_of_smith_and_minda(public_data: Path) -> None:
    np.testing.assert_array_equal(stimulus_table(2), smith_minda.STIMULI)
    people = get_design("smith_minda").people_trials().where(condition="control").take([0])
    design = get_design("smith_minda").draw(1, rng=np.random.default_rng(0))
    assert design.n_trials == people.n_trials == 11 * smith_minda.SEGMENT
    assert np.bincount(people.stimulus_id[0]).tolist() == np.bincount(design.stimulus_id[0]).tolist()


def test_weather_is_the_structure_that_people_saw(public_data: Path) -> None:
    """Frequencies exactly; probabilities as the nearest whole numbers that are equal for mirror images."""
    people = load_data("speekenbrink2008")
    pattern = (people.stimulus @ [8, 4, 2, 1]).astype(int)
    rain = {}
    for cards, (count, _) in weather.PATTERNS.items():
        shown = pattern == int(cards, 2)
        assert (shown.sum(1) == count).all()
        rain[cards] = people.category[shown].mean()
    for cards, (count, expected) in weather.PATTERNS.items():
        mirrored = (rain[cards] + 1 - rain[cards[::-1]]) / 2
        assert round(mirrored * count) == expected
    observed = np.array(list(rain.values()))
    spread = np.sqrt(weather.CHANCE_OF_RAIN * (1 - weather.CHANCE_OF_RAIN) / (25 * np.array(weather.COUNTS)))
    misfit = (((observed - weather.CHANCE_OF_RAIN) / spread) ** 2).sum()
    assert misfit < 31.3  # Chi square with 14 degrees of freedom, p = .005.


def test_every_design_with_trials_of_people_loads_them(public_data: Path) -> None:
    for name in list_designs():
        design = get_design(name)
        for study in design.studies:
            assert design.people_trials(study).schema.name == "category_learning"


def test_absent_data_are_named_with_the_command_that_fetches_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOOLKIT_DATA", str(tmp_path))
    monkeypatch.setenv("TOOLKIT_MIRROR", str(tmp_path))
    with pytest.raises(DataError, match="toolkit fetch nosofsky1994"):
        get_design("shepard").people()


def test_designs_without_people_say_so() -> None:
    with pytest.raises(UsageError, match="no group results.*people_trials.*speekenbrink2008"):
        get_design("weather").people()
    with pytest.raises(UsageError, match="no trials of people.*people\\(\\)"):
        get_design("levering").people_trials()
    with pytest.raises(UsageError, match="no study of design 'shepard'.*Did you mean 'badham2017'"):
        get_design("shepard").people_trials("badham")

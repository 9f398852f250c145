"""One look an agent, apart from all others even in grey."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from toolkit.models import list_models
from toolkit.viz.agents import BLACK, DASHES, OKABE_ITO, agent_style, known_agents


def test_people_are_black_and_nobody_else_is() -> None:
    black = [name for name in known_agents() if agent_style(name).colour == BLACK]
    assert black == ["people"]


def test_known_agents_differ_in_colour_and_dash_and_in_colour_and_marker() -> None:
    styles = [agent_style(name) for name in known_agents()]
    assert len({style.label for style in styles}) == len(styles)
    assert len({(style.colour, style.dash) for style in styles}) == len(styles)
    assert len({(style.colour, style.symbol) for style in styles}) == len(styles)


def test_every_model_of_the_registry_has_a_look_of_its_own() -> None:
    assert set(list_models()) <= set(known_agents())


def test_rules_that_notebook_06_compares_have_looks_of_their_families() -> None:
    from toolkit.fitting.surprised import _NAMES

    known = {agent_style(name) for name in known_agents()}
    assert {agent_style(name) for name in _NAMES} <= known


def test_names_are_found_however_they_are_written() -> None:
    assert agent_style("Win-stay lose-shift") == agent_style("win_stay_lose_shift")
    assert agent_style("humans") == agent_style("people")


@given(st.text(min_size=1))
def test_a_name_of_ones_own_gets_a_stable_look_that_no_known_agent_has(name: str) -> None:
    style = agent_style(name)
    assert style == agent_style(name)
    if style not in map(agent_style, known_agents()):
        assert style.colour in OKABE_ITO and style.dash in DASHES
        taken = {(known.colour, known.dash) for known in map(agent_style, known_agents())}
        assert (style.colour, style.dash) not in taken


def test_looks_do_not_change_between_sessions() -> None:
    style = agent_style("my own model")
    assert (style.label, style.colour, style.dash, style.symbol) == (
        "my own model",
        "#0072B2",
        "9px,3px,2px,3px,2px,3px",
        "square",
    )

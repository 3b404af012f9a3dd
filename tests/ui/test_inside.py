"""The page Inside, without a browser."""

import pytest

from pages.parts.inside.tour import STEPS
from tests.ui.conftest import Open, words

pytestmark = pytest.mark.xdist_group("ui screens")


def test_both_networks_show_their_stages_and_votes(open_page: Open) -> None:
    app = open_page("inside")
    said = words(app)
    assert said.count("that is the logit") == 2
    assert "Its guess: **house**" in said
    assert "The products add up to" in said
    before = said
    app.slider(key="inside_row_resnet18").set_value(0).run()
    assert not app.exception
    assert words(app) != before


def test_the_tour_ends_in_spanish(open_page: Open) -> None:
    app = open_page("inside", tour="1", lang="es")
    seen = []
    for number in range(1, len(STEPS) + 1):
        seen.append(words(app))
        assert f"Recorrido, paso {number} de {len(STEPS)}" in seen[-1]
        app.button(key="tour_next").click().run()
        assert not app.exception
    assert len(set(seen)) == len(STEPS)
    assert "Recorrido, paso" not in words(app)
    assert "tour" not in app.query_params


def test_an_unknown_sketch_or_step_is_told_or_passed_over(open_page: Open) -> None:
    app = open_page("inside", sketch="no/such.png", tour="99")
    assert "no test sketch of that name" in words(app)
    assert "that is the logit" in words(app)

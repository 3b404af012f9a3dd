"""The page Inside, without a browser."""

from pathlib import Path

import pytest

from core.inference import excitation
from core.ownership import READ_ONLY_VARIABLE
from core.runs.excitation import EXCITATION
from pages.parts.inside import indexing
from pages.parts.inside.tour import STEPS
from tests.ui.conftest import Open, words
from tests.unit.inference.test_robustness import run_dir

__all__ = ["run_dir"]

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
    # The tour can be begun from an address that names none of its steps.
    assert any(button.label == "Take the tour" for button in app.button)


def test_the_address_holds_the_open_channel(open_page: Open) -> None:
    app = open_page("inside", channel="simple:conv2:7")
    assert "Channel 7 of conv2" in [head.value for head in app.subheader]
    assert app.query_params["channel"] == "simple:conv2:7"
    for wrong in (
        "simple:conv2:9999",
        "simple:nothing:7",
        "other:conv2:7",
        "²",
        "9" * 5000,
    ):
        app = open_page("inside", channel=wrong)
        assert not [head for head in app.subheader if "Channel" in head.value]


def test_the_owner_indexes_channels_bit_by_bit(
    open_page: Open, run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run_dir / EXCITATION).unlink()
    # A few sketches at a time, so that it takes more than one.
    monkeypatch.setattr(indexing, "SLICE_S", 0.0)
    monkeypatch.setattr(excitation, "CHUNK", 2)
    address = {"run": "a", "channel": "a:conv3:5"}
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    app = open_page("inside", **address)
    assert "`python -m core runs index a --channels` does it" in words(app)
    assert "can be looked at and drawn on, not changed" in words(app)
    assert not [button for button in app.button if button.key == "inside_index_a"]
    monkeypatch.delenv(READ_ONLY_VARIABLE)
    app = open_page("inside", **address)
    app.button(key="inside_index_a").click().run()
    assert not app.exception
    app.button(key="inside_indexing_a_stop").click().run()
    assert " is not finished: " in words(app)
    app.button(key="inside_index_a").click().run()
    while "is not finished" in words(app):
        app.run()
    assert not app.exception
    assert (run_dir / EXCITATION).exists()
    assert not [button for button in app.button if "inside_index" in str(button.key)]

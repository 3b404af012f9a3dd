"""Every page in another language than it is written in."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from core.runs.status import Status
from pages.shared.told import TEMPLATES, pattern, told
from tests.ui.conftest import Open

TITLES = {
    "overview": "SketchScope",
    "dataset": "Datos",
    "train": "Entrenar",
    "curves": "Curvas",
    "confusion": "Confusión",
    "classes": "Clases",
    "failures": "Fallos",
    "map": "Mapa",
    "compare": "Comparar",
    "families": "Familias",
    "sweeps": "Barridos",
    "trust": "Confianza",
    "draw": "Dibujar",
}
ENGLISH = re.compile(r"\b(the|of|and|are|with|your|them|sketches|networks|run|taken)\b")
"""Words that stand in any English sentence and in no Spanish one."""


def sentences(app: AppTest) -> list[str]:
    """What a page says, without names in code and in addresses."""
    parts = (app.markdown, app.caption, app.info, app.warning, app.success)
    said = [str(element.value) for part in parts for element in part]
    labelled = (app.button, app.toggle, app.selectbox, app.text_input, app.metric)
    said += [str(element.label) for part in labelled for element in part]
    return [re.sub(r"`[^`]*`", "", text) for text in said]


@pytest.mark.parametrize("page", TITLES)
def test_a_page_opened_in_spanish_says_nothing_in_english(
    open_page: Open, page: str
) -> None:
    app = open_page(page, lang="es")
    assert app.title[0].value == TITLES[page]
    for text in sentences(app):
        assert not ENGLISH.search(text), text


def test_a_language_that_nobody_speaks_here_is_english(open_page: Open) -> None:
    assert open_page("classes", lang="xx").title[0].value == "Classes"


def test_the_switch_changes_the_language_at_once_and_on_the_next_page(
    open_page: Open,
) -> None:
    app = open_page("classes")
    app.segmented_control(key="lang").set_value("es").run()
    assert app.title[0].value == "Clases"
    app.switch_page("pages/confusion.py").run()
    assert app.title[0].value == "Confusión"
    app.segmented_control(key="lang").set_value("en").run()
    assert app.title[0].value == "Confusion"


def test_the_address_holds_the_same_words_in_every_language(open_page: Open) -> None:
    for language in ("en", "es"):
        app = open_page("confusion", view="Full matrix", order="name", lang=language)
        assert app.segmented_control(key="view").value == "Full matrix"
        assert app.selectbox(key="order").value == "name"
        assert app.query_params["view"] in ("Full matrix", ["Full matrix"])


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_core_says_is_known_again_by_its_template(template: str) -> None:
    names = re.findall(r"{(\w+)}", template)
    values = {name: f"{name}.1" for name in names}
    sentence = template.format(**values)
    assert told(sentence) == sentence  # In English nothing changes.
    found = pattern(template).fullmatch(sentence)
    assert found is not None
    assert found.groupdict() == values


def test_what_core_says_that_is_not_known_stays_as_it_is() -> None:
    assert told("Something {new} happened.") == "Something {new} happened."
    assert told(Status().message) == ""

"""Every page in another language than it is written in."""

import re
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import RunError, Sentence
from core.language import LANGUAGES, class_word, translations
from core.paths import TRAINED_DIR
from core.runs.folder import runs_dir
from core.runs.reading import read_config
from core.runs.status import Status, write_status
from tests.conftest import PAGES
from tests.ui.conftest import Open

ENGLISH = re.compile(r"\b(the|of|and|are|with|your|them|sketches|networks|run|taken)\b")
"""Words that stand in any English sentence and in no Spanish one."""


def sentences(app: AppTest) -> list[str]:
    """What a page says, without names in code and in addresses."""
    parts = (app.markdown, app.caption, app.info, app.warning, app.success)
    said = [str(element.value) for part in parts for element in part]
    said += [str(e.value) for part in (app.header, app.subheader) for e in part]
    labelled = (app.button, app.toggle, app.selectbox, app.text_input, app.metric)
    said += [str(element.label) for part in labelled for element in part]
    said += [link.proto.label for link in app.get("page_link")]
    return [re.sub(r"`[^`]*`", "", text) for text in said]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opened_in_spanish_says_nothing_in_english(
    open_page: Open, page: str
) -> None:
    app = open_page(page, lang="es")
    title = translations("es").gettext(page.capitalize())
    assert app.title[0].value == ("SketchScope" if page == "home" else title)
    for text in sentences(app):
        assert not ENGLISH.search(text), text


RAW_NAMES = sorted(
    name
    for name in read_config(TRAINED_DIR / "resnet18").class_names
    if class_word(name, translations("en")) != name
)
"""Classes of the dataset whose names are no words."""
PERCENT = {
    "en": re.compile(r"\d%|\d,\d+\s%"),
    "es": re.compile(r"\d%|\d\.\d+\s%|\d\.\d+ puntos"),
}
"""Percents and numbers as another language, or none, writes them."""


BEARS = {"class": "bear_animal", "drawn": "bear_animal", "guess": "person_walking"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_writes_names_and_numbers_as_its_language_does(
    open_page: Open, page: str, language: str
) -> None:
    app = open_page(page, lang=language, **BEARS)
    said = [*sentences(app), *(str(metric.value) for metric in app.metric)]
    said += [option for menu in app.selectbox for option in menu.options]
    said += [option for menu in app.multiselect for option in menu.options]
    said += [
        str(cell)
        for table in app.dataframe
        for column in table.value
        if table.value[column].dtype == object
        for cell in table.value[column]
    ]
    assert said
    for text in said:
        assert not PERCENT[language].search(text), text
    everything = "\n".join(said).replace("\\", "")
    for name in RAW_NAMES:
        assert not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", everything), name


def test_a_class_is_chosen_by_its_word_and_stands_in_the_address_by_its_name(
    open_page: Open,
) -> None:
    app = open_page("classes", lang="es", **{"class": "bear_animal"})
    menu = app.selectbox(key="class")
    assert menu.value == "bear_animal"
    assert {"oso", "auriculares"} <= set(menu.options)
    assert any("oso" in text for text in sentences(app))
    app = open_page("classes")
    app.selectbox(key="class").set_value("head-phones").run()
    assert app.query_params["class"] in ("head-phones", ["head-phones"])
    assert any("headphones" in text for text in sentences(app))


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


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            Sentence(
                "{missed}: {reason}",
                missed=Sentence("It was not evaluated"),
                reason=RunError("Run {run!r} was removed meanwhile.", run="mine"),
            ),
            "No se evaluó: El entrenamiento 'mine' se eliminó entretanto.",
        ),
        # Of an earlier version, or of what no one has translated.
        ("It was not evaluated.", "No se evaluó."),
        ("Something {new} happened.", r"Something \{new\} happened."),
    ],
)
def test_what_a_run_says_of_itself_is_read_in_spanish(
    open_page: Open, data_dir: Path, message: str, said: str
) -> None:
    run_dir = runs_dir(data_dir) / "mine"
    shutil.copytree(TRAINED_DIR / "simple", run_dir)
    write_status(run_dir, Status("trained", message=message))
    assert said in sentences(open_page("train", run="mine", lang="es"))


def test_a_page_refuses_in_spanish(open_page: Open) -> None:
    app = open_page("dataset", lang="es")
    app.text_input[0].set_value("/nowhere")
    next(b for b in app.button if b.label == "Verlo antes").click().run()
    assert app.error[0].value == "/nowhere no existe."

"""Numbers and names of classes are written as each language writes them."""

import json

import pytest

from core.datasets.starter_things import DRAW
from core.errors import join_sentences
from core.language import (
    LANGUAGES,
    class_names,
    class_word,
    number,
    translate,
    translations,
    write_number,
)
from core.paths import TRAINED_DIR
from core.runs.reading import read_config
from core.sentences.numbers import p_words, percent, span

SPACE = "\N{NO-BREAK SPACE}"
CLASSES = sorted(
    {
        *DRAW,
        *read_config(TRAINED_DIR / "resnet18").class_names,
        *read_config(TRAINED_DIR / "simple").class_names,
    }
)


@pytest.mark.parametrize(
    ("value", "form", "english", "spanish"),
    [
        (0.642, ".1%", f"64.2{SPACE}%", f"64,2{SPACE}%"),
        (-0.05, "+.0%", f"−5{SPACE}%", f"−5{SPACE}%"),
        (4000, ",", "4,000", "4000"),
        (20_000, ",", "20,000", f"20{SPACE}000"),
        (-1_234_567, ",", "−1,234,567", f"−1{SPACE}234{SPACE}567"),
        (1234.5, ",.1f", "1,234.5", "1234,5"),
        (12.3, "+.1f", "+12.3", "+12,3"),
        (0.05, "g", "0.05", "0,05"),
        (7, "", "7", "7"),
        (-7, "", "−7", "−7"),
    ],
)
def test_a_number_is_written_as_its_language_writes_it(
    value: float, form: str, english: str, spanish: str
) -> None:
    assert write_number(value, form, "en") == english
    assert write_number(value, form, "es") == spanish
    # A sentence that holds it says the same.
    for language, told in (("en", english), ("es", spanish)):
        template = translations(language).gettext(f"{{value:{form}}}")
        assert template.format(value=value) == told
        assert number(value, form, translations(language)) == told


def test_only_numbers_are_written_anew() -> None:
    words = translations("es")
    told = words.gettext("{run} {count} {flag} {name!r}").format(
        run="a-1.5", count=3, flag=True, name="x-1"
    )
    assert told == "a-1.5 3 True 'x-1'"
    assert words.ngettext("{n:,} a", "{n:,} b", 2).format(n=20_000) == f"20{SPACE}000 b"


def test_shares_intervals_and_p_values_have_one_form() -> None:
    english, spanish = map(translations, ("en", "es"))
    assert percent(0.5, english) == f"50{SPACE}%"
    assert span(0.613, 0.931, spanish, digits=1) == f"61,3–93,1{SPACE}%"
    assert p_words(0.031, spanish) == "p = 0,031"
    assert p_words(0.0001, english) == "p < 0.001"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_class_has_words_of_its_own(language: str) -> None:
    words = translations(language)
    told = [class_word(name, words) for name in CLASSES]
    assert len(CLASSES) > 250
    assert len(set(told)) == len(CLASSES)
    assert not any("_" in word for word in told)
    assert set(class_names(language)) <= set(CLASSES)
    if language != "en":
        assert set(class_names(language)) == set(CLASSES)


def test_classes_are_called_what_people_call_them() -> None:
    english, spanish = map(translations, ("en", "es"))
    for name, told, es in (
        ("bear_animal", "bear (animal)", "oso"),
        ("car_sedan", "car (sedan)", "coche (sedán)"),
        ("head-phones", "headphones", "auriculares"),
        ("seagull", "seagull", "gaviota"),
        ("my_own_class", "my own class", "my own class"),
    ):
        assert (class_word(name, english), class_word(name, spanish)) == (told, es)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_of_a_language_is_in_order(language: str) -> None:
    names = class_names(language)
    assert list(names) == sorted(names)
    assert json.dumps(names)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_nothing_in_each_language(language: str) -> None:
    assert translate(join_sentences([]), translations(language)) == ""

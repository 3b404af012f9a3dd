"""Each sentence that people read in their language, and words as each form holds them.

What the pages and the report say is written in English, as `_("…")`, and looked up in
`words/<language>/*.po`, gettext's form, a file a page. The numbers that a sentence is
filled in with are written as its language does: 64.2 % and 20,000, or 64,2 % and
20 000.
"""

import html
import json
import re
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from numbers import Number
from pathlib import Path
from string import Formatter
from typing import Any

from core.errors import Sentence, SketchScopeError

LANGUAGES = {"en": "English", "es": "Español"}
"""The first is what the sentences are written in."""

WORDS = Path(__file__).with_name("words")

MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&])")

STEERING = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    r"\ud800-\udfff]"
)
"""Control characters but line feed and tab, changes of direction, lone surrogates."""


CODE = re.compile(r"`([^`\n]+)`")
SENTENCE_SIGNS = re.compile(r"[\\`*_{}\[\]<>$~|]|:(?=\S)|&(?=#?\w+;)|^[#+-]|\n")
"""Of `MARKDOWN_SIGNS` those that mean something within a sentence."""
MINUS, SPACE = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class NumberMarks:
    """How a language writes numbers.

    Attributes:
        decimal: What stands before the fraction.
        thousands: What groups digits by three.
        grouped_from: The least number of digits that are grouped.
    """

    decimal: str
    thousands: str
    grouped_from: int


NUMBER_MARKS = {
    "en": NumberMarks(".", ",", grouped_from=4),
    # Real Academia Española 2010, Ortografía: none in four digits.
    "es": NumberMarks(",", SPACE, grouped_from=5),
}


@cache
def class_names(language: str) -> dict[str, str]:
    """Reads what a language calls the classes of the datasets that are known.

    Returns:
        Words by the name of a class in its dataset. English has only those that are
        not words already.
    """
    content = (WORDS / language / "class_names.json").read_bytes()
    return dict(json.loads(content))


def class_word(name: str, words: NullTranslations) -> str:
    """Returns what people call a class, such as *bear (animal)* for `bear_animal`.

    Addresses and files have the class's own name. One that no language knows is as it
    is, with spaces.
    """
    plain_name = name.replace("_", " ")
    english = class_names(next(iter(LANGUAGES))).get(name, plain_name)
    return class_names(language_of(words)).get(name, english)


def write_number(value: Any, form: str, language: str) -> str:
    """Writes a number as a language does.

    Args:
        value: The number.
        form: What Python formats it by, such as `.1%`, `,` or `+.0f`.
        language: One of `LANGUAGES`.

    Returns:
        The number with that language's decimal mark and groups of thousands, a real
        minus, and a space that doesn't break before a percent sign.
    """
    marks = NUMBER_MARKS[language]
    text = format(value, form)
    if "," in form:
        digits = re.split(r"\D", text.replace(",", "").lstrip("+-"), maxsplit=1)[0]
        if len(digits) < marks.grouped_from:
            text = text.replace(",", "")
    signs: dict[str, str | int | None] = {
        ",": marks.thousands,
        ".": marks.decimal,
        "-": MINUS,
        "%": f"{SPACE}%",
    }
    return text.translate(str.maketrans(signs))


def number(value: Any, form: str, words: NullTranslations) -> str:
    """Writes a number as the language of some words does; see `write_number`."""
    return write_number(value, form, language_of(words))


def language_of(words: NullTranslations) -> str:
    """Returns which of `LANGUAGES` words are of."""
    return getattr(words, "language", next(iter(LANGUAGES)))


class Phrase(str):
    """A sentence of a language, which writes what it is filled in with as that does.

    Attributes:
        language: One of `LANGUAGES`.
    """

    language: str

    def __new__(cls, text: str, language: str = "en") -> "Phrase":
        """Makes a sentence of a language; who copies it, such as Plotly, names none."""
        phrase = super().__new__(cls, text)
        phrase.language = language
        return phrase

    def format(self, *args: object, **values: object) -> str:
        """Fills the sentence in."""
        return _Filler(self.language).vformat(str(self), args, values)


class _Filler(Formatter):
    """Fills in sentences of a language."""

    def __init__(self, language: str) -> None:
        self._language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        """Writes a number as the language does, and anything else as Python does."""
        if isinstance(value, Number) and not isinstance(value, bool):
            return write_number(value, format_spec, self._language)
        return format(value, format_spec)


class _ErrorFiller(_Filler):
    """Fills in what `core` says.

    Fractions stand in commands there, such as `--set dropout=0.1`: they stay Python's.
    """

    def format_field(self, value: Any, format_spec: str) -> str:
        """Writes grouped numbers and percents as the language does."""
        if "," in format_spec or "%" in format_spec:
            return super().format_field(value, format_spec)
        return format(value, format_spec)


def phrase(text: str, words: NullTranslations) -> Phrase:
    """Returns text, such as several sentences, as one of the language of its words."""
    return Phrase(text, language_of(words))


class _Words(GNUTranslations):
    """The sentences of a language that has a catalog."""

    language: str

    def gettext(self, message: str) -> str:
        """Returns a sentence; nothing for nothing, where a catalog has its header."""
        return Phrase(super().gettext(message) if message else "", self.language)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Returns the one of two sentences that suits a number."""
        return Phrase(super().ngettext(msgid1, msgid2, n), self.language)


class _English(NullTranslations):
    """The sentences as they are written."""

    language = next(iter(LANGUAGES))

    def gettext(self, message: str) -> str:
        """Returns a sentence."""
        return Phrase(message, self.language)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Returns the one of two sentences that suits a number."""
        return Phrase(super().ngettext(msgid1, msgid2, n), self.language)


def noop(message: str) -> str:
    """Marks a sentence that is looked up later, where it is shown."""
    return message


@cache
def translations(language: str) -> NullTranslations:
    """Reads the sentences of a language, one of `LANGUAGES`; English needs none."""
    if language == _English.language:
        return _English()
    # Only who reads another language waits for the reader of its words.
    from babel.messages import Catalog
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    # How many plurals there are is what the files say, not what Babel knows: since 2.19
    # it has three for Spanish, and would find none of those that need a third.
    catalog: Catalog | None = None
    for path in sorted((WORDS / language).glob("*.po")):
        with path.open("rb") as stream:
            part = read_po(stream, locale=language)
        if catalog is None:
            catalog = part
            continue
        for message in part:
            if message.id:
                catalog[message.id] = message
    assert catalog is not None, f"no words in {WORDS / language}"
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    words = _Words(compiled)
    words.language = language
    return words


def translate(message: str | SketchScopeError, words: NullTranslations) -> str:
    """Returns what an error says, or a message of `core`, in another language."""
    text = message.args[0] if isinstance(message, SketchScopeError) else message
    if not isinstance(text, Sentence):
        return words.gettext(text)
    values = {
        name: translate(value, words) if isinstance(value, Sentence) else value
        for name, value in text.values.items()
    }
    template = words.gettext(text.template)
    filler = _ErrorFiller(language_of(words))
    return filler.vformat(str(template), (), values) if values else template


def printable(text: str) -> str:
    """Shows what would steer a terminal or turn its text around, as Python does."""
    return STEERING.sub(lambda match: repr(match[0])[1:-1], text)


def plain_label(text: str) -> str:
    """Escapes what Plotly would take for a tag."""
    return html.escape(text, quote=False)


def plain(text: str) -> str:
    """Escapes what Streamlit's Markdown would take for more than text."""
    return MARKDOWN_SIGNS.sub(r"\\\1", text)


def plain_but_code(text: str) -> str:
    """Escapes a sentence of ours, in which there may be text from elsewhere.

    Commands stay code, since nothing in code is more than text.
    """
    # Text and code by turns, since the pattern has one group.
    parts = CODE.split(text)
    parts[::2] = [
        SENTENCE_SIGNS.sub(lambda m: " " if m[0] == "\n" else f"\\{m[0]}", part)
        for part in parts[::2]
    ]
    parts[1::2] = [f"`{part}`" for part in parts[1::2]]
    return "".join(parts)

"""Each sentence that people read in their language, and words as each form holds them.

What the pages and the report say is written in English, as `_("…")`, and looked up in
`words/<language>/*.po`, gettext's form, a file a page. Numbers keep the decimal point.
"""

import html
import re
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

LANGUAGES = {"en": "English", "es": "Español"}
"""The first is what the sentences are written in."""

WORDS = Path(__file__).with_name("words")

MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&])")


def noop(message: str) -> str:
    """Marks a sentence that is looked up later, where it is shown."""
    return message


@cache
def translations(language: str) -> NullTranslations:
    """Reads the sentences of a language, one of `LANGUAGES`; English needs none."""
    if language == next(iter(LANGUAGES)):
        return NullTranslations()
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
    return GNUTranslations(compiled)


def plain_label(text: str) -> str:
    """Escapes what Plotly would take for a tag."""
    return html.escape(text, quote=False)


def plain(text: str) -> str:
    """Escapes what Streamlit's Markdown would take for more than text."""
    return MARKDOWN_SIGNS.sub(r"\\\1", text)

"""Which language a visitor reads, and each sentence in it.

The address holds words of no language, so that it means the same to everyone.
"""

from collections.abc import Sequence
from gettext import NullTranslations

import streamlit as st

from core.errors import SketchScopeError
from core.language import (
    LANGUAGES,
    class_word,
    plain_but_code,
    translate,
    translations,
    write_number,
)
from core.sentences import numbers

LANGUAGE = "lang"
"""The session's choice, and the address's parameter."""

NAME_LANGUAGE = """
export default ({ data }) => {
  document.documentElement.lang = data.language;
};
"""


def gettext(message: str) -> str:
    """Returns a sentence in the visitor's language."""
    return words().gettext(message) if message else message


def listed(names: Sequence[str]) -> str:
    """Returns names as a list in words, such as "cat, dog and fox"."""
    return numbers.listed(names, words())


def number(value: float, form: str) -> str:
    """Writes a number as the visitor's language does; see `core.language`."""
    return write_number(value, form, language())


def percent(share: float, *, digits: int = 0) -> str:
    """Returns a fraction in percent, as the visitor's language writes it."""
    return number(share, f".{digits}%")


def thing(class_name: str) -> str:
    """Returns what the visitor's language calls a class; see `class_word`."""
    return class_word(class_name, words())


def thing_to_search(class_name: str) -> str:
    """Returns the same for a choice that is searched by typing, in English too."""
    name, english = thing(class_name), class_word(class_name, NullTranslations())
    return name if name == english else f"{name} · {english}"


def say(message: str | SketchScopeError) -> str:
    """Returns what an error says, or a message of `core`, in the visitor's language.

    As Markdown, in which nothing but our own code is more than text: a path, or what a
    file from elsewhere says, is among its values.
    """
    return plain_but_code(say_plain(message))


def say_plain(message: str | SketchScopeError) -> str:
    """Returns the same where Markdown is not read, as in a table's cell."""
    return translate(message, words())


def ngettext(singular: str, plural: str, number: int) -> str:
    """Returns the one of two sentences that suits a number, in that language."""
    return words().ngettext(singular, plural, number)


def words() -> NullTranslations:
    """Returns all sentences in the visitor's language."""
    return translations(language())


def language() -> str:
    """Returns the visitor's language: as chosen, or else the browser's first."""
    chosen = st.session_state.get(LANGUAGE) or st.query_params.get(LANGUAGE)
    if chosen not in LANGUAGES:
        chosen = (st.context.locale or "").partition("-")[0]
    return chosen if chosen in LANGUAGES else next(iter(LANGUAGES))


def name_language() -> None:
    """Tells browsers and screen readers in which language the page is.

    Streamlit's own page says English, in which a Spanish one would be read aloud.
    """
    component = st.components.v2.component("language", js=NAME_LANGUAGE)
    component(key="language", data={"language": language()}, height=1)


def choose_language() -> None:
    """Lets the visitor choose; the choice holds for the session."""
    if LANGUAGE not in st.session_state:
        st.session_state[LANGUAGE] = language()
    st.segmented_control(
        gettext("Language"),
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        required=True,
        key=LANGUAGE,
        label_visibility="collapsed",
        width="content",
    )

"""Which language a visitor reads, and each sentence in it.

The address holds words of no language, so that it means the same to everyone.
"""

from collections.abc import Sequence
from gettext import NullTranslations

import streamlit as st

from core.language import LANGUAGES, translations

LANGUAGE = "lang"
"""The session's choice, and the address's parameter."""


def gettext(message: str) -> str:
    """Returns a sentence in the visitor's language."""
    return words().gettext(message) if message else message


def listed(names: Sequence[str]) -> str:
    """Returns names as a list in words, such as "cat, dog and fox"."""
    if len(names) < 2:
        return "".join(names)
    return gettext("{names} and {last}").format(
        names=", ".join(names[:-1]), last=names[-1]
    )


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


def choose_language() -> None:
    """Lets the visitor choose; the choice holds for the session."""
    if LANGUAGE not in st.session_state:
        st.session_state[LANGUAGE] = language()
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.segmented_control(
            gettext("Language"),
            list(LANGUAGES),
            format_func=LANGUAGES.__getitem__,
            required=True,
            key=LANGUAGE,
            label_visibility="collapsed",
            width="content",
        )

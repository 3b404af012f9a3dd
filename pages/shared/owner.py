"""Who may change things here, and how one shows to be the owner."""

import functools
import os
from pathlib import Path

import streamlit as st

from core.errors import OwnerError
from core.language import noop as N_
from core.ownership import (
    PUBLIC_VARIABLE,
    READ_ONLY_VARIABLE,
    Access,
    PassphraseChecker,
    decide_access,
    passphrase_mark,
    sits_at_machine,
)
from core.paths import data_dir
from pages.shared.language import gettext as _
from pages.shared.language import say

LOGGED_IN = "owner"
"""The session's note of the passphrase that its visitor has given: its mark."""

REASONS = {
    Access.LOGIN: N_("Only the owner may do that. Log in at the foot of the page."),
    Access.UNSET: N_(
        "Nobody may do that from elsewhere until the owner has set a passphrase: "
        "`python -m core owner set`."
    ),
    Access.DAMAGED: N_(
        "Nobody may do that while the file of the passphrase can't be read. "
        "`python -m core owner set` replaces it."
    ),
    Access.READ_ONLY: N_("This dashboard can be looked at and drawn on, not changed."),
}


@functools.cache
def _passphrase_checker(data: Path) -> PassphraseChecker:
    """One for all visitors, so that their wrong tries add up.

    Not in Streamlit's cache, which any visitor's browser can have emptied.
    """
    return PassphraseChecker(data)


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "") not in ("", "0")


def access() -> Access:
    """Returns what this visitor may do."""
    try:
        mark = passphrase_mark(data_dir())
    except OwnerError:
        return Access.DAMAGED
    return decide_access(
        is_read_only=_is_set(READ_ONLY_VARIABLE),
        is_local=sits_at_machine(
            st.context.headers,
            server_address=st.get_option("server.address"),
            is_public=_is_set(PUBLIC_VARIABLE),
        ),
        mark=mark,
        shown=st.session_state.get(LOGGED_IN),
    )


def is_owner(*, explain: bool = True) -> bool:
    """Returns whether this visitor may change things; if not, says why on the page.

    Args:
        explain: Whether to say it.
    """
    visitor = access()
    if explain and visitor is not Access.OWNER:
        st.caption(_(REASONS[visitor]))
    return visitor is Access.OWNER


def must_be_owner() -> None:
    """Refuses what only the owner may do, whatever the page offers.

    Raises:
        OwnerError: If this visitor is not the owner.
    """
    visitor = access()
    if visitor is not Access.OWNER:
        raise OwnerError(REASONS[visitor])


def show_login() -> None:
    """Lets the owner log in and out; shows nothing where that makes no difference."""
    visitor = access()
    if visitor is Access.LOGIN:
        with (
            st.popover(_("Log in"), icon=":material/lock:"),
            st.form("owner_login", border=False),
        ):
            passphrase = st.text_input(
                _("Passphrase"), type="password", key="owner_passphrase"
            )
            if st.form_submit_button(_("Log in"), type="primary"):
                _log_in(passphrase)
    elif (
        visitor is Access.OWNER
        and st.session_state.get(LOGGED_IN)
        and st.button(_("Log out"), icon=":material/lock_open:", key="owner_logout")
    ):
        del st.session_state[LOGGED_IN]
        st.rerun()


def _log_in(passphrase: str) -> None:
    try:
        # Taken before, lest it is changed while this one is looked at.
        mark = passphrase_mark(data_dir())
        if _passphrase_checker(data_dir()).knows(passphrase):
            st.session_state[LOGGED_IN] = mark
            st.rerun()
    except OwnerError as error:
        st.error(say(error), icon=":material/error:")
    else:
        st.error(_("That is not the passphrase."), icon=":material/error:")

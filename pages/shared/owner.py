"""Who may change things here, and how one shows to be the owner."""

import os
from pathlib import Path

import streamlit as st

from core.errors import OwnerError
from core.language import noop as N_
from core.ownership import (
    FORWARDING_HEADERS,
    READ_ONLY_VARIABLE,
    Access,
    Door,
    decide_access,
    has_passphrase,
    is_local,
)
from core.paths import data_dir
from pages.shared.language import gettext as _

LOGGED_IN = "owner"
"""The session's note that its visitor has given the passphrase."""

REASONS = {
    Access.LOGIN: N_("Only the owner may do that. Log in at the foot of the page."),
    Access.UNSET: N_(
        "Nobody may do that from elsewhere until the owner has set a passphrase: "
        "`python -m core owner set`."
    ),
    Access.READ_ONLY: N_("This dashboard can be looked at and drawn on, not changed."),
}


@st.cache_resource(show_spinner=False)
def _door(data: Path) -> Door:
    """One for all visitors, so that their wrong tries add up."""
    return Door(data)


def access() -> Access:
    """Returns what this visitor may do.

    Raises:
        OwnerError: If the passphrase's file is damaged.
    """
    headers = st.context.headers
    return decide_access(
        is_read_only=os.environ.get(READ_ONLY_VARIABLE, "") not in ("", "0"),
        is_local=is_local(
            st.get_option("server.address"),
            headers.get("Host"),
            any(name in headers for name in FORWARDING_HEADERS),
        ),
        has_passphrase=has_passphrase(data_dir()),
        is_logged_in=bool(st.session_state.get(LOGGED_IN)),
    )


def is_owner(*, aloud: bool = True) -> bool:
    """Returns whether this visitor may change things; if not, says why on the page.

    Args:
        aloud: Whether to say it.
    """
    found = access()
    if aloud and found is not Access.OWNER:
        st.caption(_(REASONS[found]))
    return found is Access.OWNER


def must_be_owner() -> None:
    """Refuses what only the owner may do, whatever the page offers.

    Raises:
        OwnerError: If this visitor is not the owner.
    """
    found = access()
    if found is not Access.OWNER:
        raise OwnerError(_(REASONS[found]))


def show_login() -> None:
    """Lets the owner log in and out; shows nothing where that makes no difference."""
    found = access()
    if found is Access.LOGIN:
        with (
            st.popover(_("Log in"), icon=":material/lock:"),
            st.form("owner_login", border=False),
        ):
            passphrase = st.text_input(
                _("Passphrase"), type="password", key="owner_passphrase"
            )
            if st.form_submit_button(_("Log in"), type="primary"):
                _log_in(passphrase)
    elif st.session_state.get(LOGGED_IN) and st.button(
        _("Log out"), icon=":material/lock_open:", key="owner_logout"
    ):
        del st.session_state[LOGGED_IN]
        st.rerun()


def _log_in(passphrase: str) -> None:
    try:
        if _door(data_dir()).knows(passphrase):
            st.session_state[LOGGED_IN] = True
            st.rerun()
    except OwnerError as error:
        st.error(str(error), icon=":material/error:")
    else:
        st.error(_("That is not the passphrase."), icon=":material/error:")

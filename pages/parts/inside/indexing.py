"""The index of the sketches that excite channels, made from the page, with progress."""

import time

import streamlit as st

from core.language import plain
from core.paths import data_dir
from core.runs.folder import is_shipped
from core.runs.reading import Run
from pages.shared.actions import index_channels
from pages.shared.fragments import fragment
from pages.shared.language import gettext as _
from pages.shared.owner import is_owner
from pages.shared.sketches import offer_dataset, sketch_dataset

SLICE_S = 4.0
"""So long the index is gone on with at a time; *Stop* is heard between two."""

PAUSE_S = 0.5


def offer_index(run: Run) -> None:
    """Lets the owner index a run's channels where it can be done, and stop it."""
    if is_shipped(run.path):
        return
    if sketch_dataset(run) is None:
        offer_dataset(run)
        return
    if not is_owner():
        return
    being_made = f"inside_indexing_{run.run_id}"
    if being_made in st.session_state:
        fragment(_go_on, run_every=PAUSE_S)(run, being_made)
    elif st.button(
        _("Index its channels"),
        icon=":material/manage_search:",
        key=f"inside_index_{run.run_id}",
    ):
        st.session_state[being_made] = _("Looking at the test sketches"), 0.0
        st.rerun()


def _go_on(run: Run, being_made: str) -> None:
    """Indexes some more sketches, and shows how far it is."""
    text, share = st.session_state[being_made]
    bar = st.progress(share, text=text)
    if st.button(_("Stop"), icon=":material/stop:", key=f"{being_made}_stop"):
        del st.session_state[being_made]
        st.rerun()

    def tell(done: int, total: int) -> None:
        text = _(
            "{run}: {done:,} of {total:,} test sketches. What is done is kept when you "
            "stop or close this."
        ).format(run=plain(run.run_id), done=done, total=total)
        share = done / max(total, 1)
        st.session_state[being_made] = text, share
        bar.progress(share, text=text)

    ends_at = time.monotonic() + SLICE_S
    try:
        is_whole = index_channels(
            run.path,
            data_dir=data_dir(),
            report=tell,
            is_stop_requested=lambda: time.monotonic() > ends_at,
        )
    except BaseException:  # An error, or the page was left or the channel closed.
        del st.session_state[being_made]
        raise
    if is_whole:
        del st.session_state[being_made]
        st.rerun()

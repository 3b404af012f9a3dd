"""What the owner noted of a run, and the form that changes it."""

import streamlit as st

from core.analysis.listing import all_tags
from core.errors import SketchScopeError
from core.language import plain
from core.runs.folder import is_shipped
from core.runs.notes import MAX_NAME, MAX_NOTE, MAX_TAGS
from core.runs.reading import Run
from pages.shared import reads
from pages.shared.actions import change_notes
from pages.shared.language import gettext as _
from pages.shared.language import say
from pages.shared.owner import is_owner


def show_notes(run: Run) -> None:
    """Shows a run's tags and note and, to the owner, how to change them."""
    notes = run.notes
    if notes.is_pinned or notes.tags:
        with st.container(horizontal=True, gap="small"):
            if notes.is_pinned:
                st.badge(_("pinned"), icon=":material/keep:", color="orange")
            for tag in notes.tags:
                st.badge(plain(tag), icon=":material/label:")
    if notes.note:
        # Two spaces before its end break a line of Markdown.
        st.markdown("  \n".join(map(plain, notes.note.split("\n"))))
    if is_shipped(run.path):
        st.caption(_("It ships with the program, so nothing can be noted of it."))
    elif is_owner(explain=False):
        with st.expander(
            _("Name, note, tags and pin"),
            icon=":material/edit_note:",
            key="runs_notes",
        ):
            _show_form(run)


def _show_form(run: Run) -> None:
    """Shows the form; what was there is what it begins with."""
    notes, key = run.notes, run.run_id
    known = dict.fromkeys([*notes.tags, *all_tags(reads.runs())])
    with st.form(f"runs_notes_{key}", border=False):
        name = st.text_input(
            _("Name"),
            notes.name,
            key=f"runs_name_{key}",
            max_chars=MAX_NAME,
            placeholder=run.run_id,
            help=_("What menus call it. Its id and its address stay."),
        )
        note = st.text_area(
            _("Note"), notes.note, key=f"runs_note_{key}", max_chars=MAX_NOTE
        )
        tags = st.multiselect(
            _("Tags"),
            list(known),
            default=list(notes.tags),
            key=f"runs_tags_{key}",
            accept_new_options=True,
            max_selections=MAX_TAGS,
            placeholder=_("Choose, or write a new one"),
        )
        is_pinned = st.toggle(
            _("Pinned: it comes first in the list"),
            notes.is_pinned,
            key=f"runs_pin_{key}",
        )
        if not st.form_submit_button(_("Save"), type="primary"):
            return
    try:
        change_notes(run.path, name=name, note=note, tags=tags, is_pinned=is_pinned)
    except SketchScopeError as error:
        st.error(say(error), icon=":material/error:")
    else:
        reads.look_again()
        st.rerun()

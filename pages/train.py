"""Train: start a run, watch it learn, stop it, go on with it."""

import streamlit as st

from core.errors import SketchScopeError
from core.language import plain
from core.runs.folder import is_shipped
from core.runs.status import ACTIVE_STATES
from pages.parts.train.form import show_form
from pages.parts.train.panel import RESTORED, show_run, show_undo
from pages.shared import reads
from pages.shared.fragments import fragment
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import say
from pages.shared.owner import is_owner
from pages.shared.pickers import pick_run
from pages.shared.training import DATASET

LIVE_INTERVAL_S = 1.0

require_frame()
st.title(_("Train"))
opened = st.session_state.pop("train_opened", None)
if opened == "":
    st.session_state.pop("run", None)
elif opened is not None:
    st.session_state["run"] = opened
    st.session_state["train_run_id"] = ""
    st.toast(
        _("{run} is on its way.").format(run=plain(opened)),
        icon=":material/play_arrow:",
    )
if restored := st.session_state.pop(RESTORED, None):
    st.session_state["run"] = restored
if chosen_dataset := st.session_state.pop(DATASET, None):
    st.session_state["dataset"] = chosen_dataset
form, panel = st.columns([2, 3], gap="large")
with form:
    st.subheader(_("New run"))
    if not is_owner():
        pass
    elif reads.datasets():
        try:
            show_form()
        except SketchScopeError as error:
            st.error(say(error), icon=":material/error:")
    else:
        st.info(
            _("Training needs a dataset. Add one first: the starter takes one click."),
            icon=":material/photo_library:",
        )
        st.page_link(
            "pages/dataset.py", label=_("Add a dataset"), icon=":material/add:"
        )
with panel:
    st.subheader(_("Runs"))
    try:
        show_undo()
    except SketchScopeError as error:
        st.error(say(error), icon=":material/error:")
    own = [run for run in reads.runs() if not is_shipped(run.path)]
    own.sort(key=lambda run: run.state not in ACTIVE_STATES)
    if own:
        chosen = pick_run(_("Run"), own, key="run")
        is_live = chosen.state in ACTIVE_STATES
        fragment(show_run, run_every=LIVE_INTERVAL_S if is_live else None)(
            chosen.run_id, chosen.state
        )
    else:
        st.info(
            _(
                "Nothing has been trained here yet. What you start on the left appears "
                "here, and goes on when you close this page."
            ),
            icon=":material/school:",
        )

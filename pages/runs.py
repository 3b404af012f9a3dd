"""Runs: what is being trained now, all runs, and one of them."""

from functools import partial

import streamlit as st

from core.analysis.lineage import family_tree
from core.analysis.metrics import COLUMNS, metric_values
from core.analysis.overview import REFERENCES
from core.language import noop as N_
from core.language import plain
from core.runs.folder import is_shipped
from core.runs.reading import Run
from core.runs.status import ACTIVE_STATES
from core.sentences.lineage import lineage_words, tree_words
from pages.parts.runs.listed import RUN, show_runs
from pages.parts.runs.noted import show_notes
from pages.shared import reads
from pages.shared.fragments import fragment
from pages.shared.frame import require_frame
from pages.shared.header import begin_at_top
from pages.shared.language import gettext as _
from pages.shared.language import number, say, words
from pages.shared.pickers import run_words

PHASES = {
    "starting": N_("{run}: starting, epoch {epoch} of {epochs}"),
    "training": N_("{run}: training, epoch {epoch} of {epochs}"),
    "validating": N_("{run}: validating, epoch {epoch} of {epochs}"),
    "evaluating": N_("{run}: evaluating, epoch {epoch} of {epochs}"),
}


@partial(fragment, run_every=2.0)
def show_active() -> None:
    """Tells of what runs now, and redraws the page when that changes."""
    active = [run for run in reads.runs() if run.state in ACTIVE_STATES]
    for run in active:
        done = run.status.epoch + run.status.step / max(run.status.steps_per_epoch, 1)
        said = (
            _("{run} waits for its turn")
            if run.state == "queued"
            else _(PHASES[run.status.phase])
        )
        text = said.format(
            run=run.run_id,
            epoch=min(run.status.epoch + 1, run.status.epochs),
            epochs=run.status.epochs,
        )
        st.progress(min(done / max(run.status.epochs, 1), 1.0), text=text)
        st.page_link(
            "pages/train.py",
            label=_("Watch it"),
            icon=":material/visibility:",
            query_params={"run": run.run_id},
        )
    if {run.run_id for run in active} != shown_active:
        st.rerun()


def show_one(run: Run) -> None:
    """Shows one run: its metrics, and the pages that tell more of it."""
    begin_at_top(run.run_id, key="opened")
    if st.button(_("All runs"), icon=":material/arrow_back:", key="runs_back"):
        del st.query_params[RUN]
        st.rerun()
    st.header(plain(run.name))
    words_of_it = run_words(run)
    if run.notes.name:
        # Not within an f-string, where words are found from Python 3.12 on only.
        words_of_it += " · " + _("id {run}").format(run=plain(run.run_id))
    st.caption(words_of_it)
    show_notes(run)
    with st.container(horizontal=True, gap="large"):
        st.metric(_("State"), _(run.state), width="content")
        st.metric(
            _("Epoch"),
            _("{done} of {total}").format(
                done=run.status.epoch, total=run.status.epochs
            ),
            width="content",
        )
        for name, metric in COLUMNS.items():
            value = metric_values(run.metrics or {}).get(name)
            if value is not None:
                st.metric(
                    _(metric.column), number(value, metric.format), width="content"
                )
    if run.config is not None:
        st.write(plain(" ".join(lineage_words(run, words()))))
        tree = family_tree(run, runs)
        if len(tree) > 1:
            with st.expander(_("Lineage"), icon=":material/account_tree:"):
                st.markdown(tree_words(tree, words()))
    if remark := run.problem or run.status.message:
        st.caption(say(remark))
    pages = {"curves": (_("Curves"), ":material/show_chart:", "runs")}
    if run.metrics:
        pages |= {
            "classes": (_("Classes"), ":material/category:", RUN),
            "confusion": (_("Confusion"), ":material/grid_on:", RUN),
            "failures": (_("Failures"), ":material/rule:", RUN),
            "map": (_("Map"), ":material/scatter_plot:", RUN),
            "compare": (_("Compare"), ":material/compare:", RUN),
            "trust": (_("Trust"), ":material/verified:", RUN),
        }
    if not is_shipped(run.path):
        pages["train"] = (_("Train"), ":material/school:", RUN)
    with st.container(horizontal=True):
        for page, (label, icon, parameter) in pages.items():
            st.page_link(
                f"pages/{page}.py",
                label=label,
                icon=icon,
                query_params={parameter: run.run_id},
            )


require_frame()
st.title(_("Runs"))
runs = reads.runs()
asked = st.query_params.get(RUN)
chosen = next((run for run in runs if run.run_id == asked), None)
shown_active = {run.run_id for run in runs if run.state in ACTIVE_STATES}
if chosen is not None:
    show_one(chosen)
else:
    if asked is not None:
        st.warning(_("There is no run of that name."))
    if shown_active:
        show_active()
    if runs:
        show_runs(runs)
        if not shown_active:
            st.caption(_("Nothing is being trained at the moment."))
        st.caption(
            _("To compare, top-1 accuracy on TU-Berlin sketches: {figures}").format(
                figures=" · ".join(
                    f"{_(name)} {number(100 * top1, 'g')}\N{NO-BREAK SPACE}%"
                    for name, top1 in REFERENCES.items()
                )
            )
        )
    else:
        st.info(
            _(
                "There are no runs yet. Draw a small dataset and train a network on "
                "it; it takes about two minutes."
            ),
            icon=":material/school:",
        )
        st.page_link("pages/train.py", label=_("Train"), icon=":material/school:")

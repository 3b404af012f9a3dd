"""Classes: how each class fares, in one run or beside another."""

from collections.abc import Sequence

import streamlit as st

from core.analysis.classes import pair_classes
from core.paths import data_dir
from core.runs.reading import Run
from core.sentences.classes import tally_words
from pages.parts.classes.one_class import show_class
from pages.parts.classes.rankings import show_all, show_pictures
from pages.shared import reads
from pages.shared.frame import require_frame
from pages.shared.header import begin_at_top
from pages.shared.language import gettext as _
from pages.shared.language import language, words
from pages.shared.pickers import (
    MENU_WIDTH,
    evaluated_runs,
    no_evaluation_yet,
    pick_class,
    pick_networks,
    run_words,
)
from pages.shared.sets import pick_part


def offer_report(runs: Sequence[Run]) -> None:
    """Offers the report of one run or two; it is made when it is asked for."""
    run_dirs = [run.path for run in runs]
    # Where it is made, nobody knows the visitor's language or the data folder.
    chosen, data = language(), data_dir()

    def make() -> bytes:
        # Its libraries are loaded by those only who want it.
        from core.report import make_report

        return make_report(run_dirs, data_dir=data, language=chosen).zip()

    st.download_button(
        _("Report"),
        make,
        file_name="-".join(("report", *(run.run_id for run in runs))) + ".zip",
        mime="application/zip",
        icon=":material/description:",
        help=_(
            "A written report of what is shown here and on Curves and Confusion: a "
            "page that works offline, with its tables as CSV."
        ),
        on_click="ignore",
        key="classes_report",
    )


def show(runs: list[Run]) -> None:
    """Shows the page of one run, by default beside the other network's best."""
    run, other = pick_networks(runs)
    shown_runs = [shown for shown in (run, other) if shown]
    with st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="bottom",
    ):
        name = pick_class(
            _("Class"),
            reads.evaluation(run).class_names,
            key="class",
            placeholder=_("All"),
            width=MENU_WIDTH,
        )
        offer_report(shown_runs)
    st.caption(" · ".join(map(run_words, shown_runs)))
    part = pick_part(run, key="classes_set")
    begin_at_top(name or "", key="class")
    if name is None:
        pairs = (
            pair_classes(part.class_metrics(run), part.class_metrics(other))
            if other
            else []
        )
        st.write(tally_words(run, part.class_metrics(run), other, pairs, words()))
        show_pictures(run, other, part)
        show_all(run, other, part)
    else:
        show_class(run, other, part, name)


require_frame()
st.title(_("Classes"))
candidates = evaluated_runs()
if candidates:
    show(candidates)
else:
    no_evaluation_yet()

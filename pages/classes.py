"""Classes: how each class fares, in one run or beside another."""

from collections.abc import Sequence

import streamlit as st

from core.analysis.classes import pair_classes
from core.paths import data_dir
from core.runs.reading import Run
from core.sentences.classes import tally_words
from pages.parts.classes.one_class import show_class
from pages.parts.classes.rankings import show_all
from pages.shared import reads
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import language, words
from pages.shared.pickers import (
    comparable_runs,
    evaluated_runs,
    no_evaluation_yet,
    pick_run,
    run_words,
    short_name,
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
    run_column, other_column, class_column = st.columns([2, 2, 1])
    with run_column:
        run = pick_run(_("Run"), runs, key="run")
    assert run is not None
    others = comparable_runs(run, runs)
    others.sort(key=lambda other: short_name(other) == short_name(run))
    with other_column:
        other = None
        if others:
            other = pick_run(_("Beside"), others, key="beside")
        else:
            st.selectbox(
                _("Beside"),
                [],
                disabled=True,
                placeholder=_("No other run of the same test sketches"),
            )
    with class_column:
        name = st.selectbox(
            _("Class"),
            sorted(reads.evaluation(run).class_names),
            index=None,
            key="class",
            bind="query-params",
            placeholder=_("All"),
        )
    shown_runs = [shown for shown in (run, other) if shown]
    with st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
    ):
        st.caption(" · ".join(map(run_words, shown_runs)), width="content")
        offer_report(shown_runs)
    part = pick_part(run, key="classes_set")
    if name is None:
        pairs = pair_classes(part.figures(run), part.figures(other)) if other else []
        st.write(tally_words(run, part.figures(run), other, pairs, words()))
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

"""Trust: how far a run's probabilities can be believed, and which labels can't."""

from collections.abc import Sequence

import streamlit as st

from core.analysis.trust import trust
from core.runs.reading import Run
from pages.parts.trust.classes import show_classes
from pages.parts.trust.coverage import show_declining
from pages.parts.trust.reliability import show_reliability
from pages.parts.trust.suspects import show_suspects
from pages.shared import reads
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.pickers import (
    comparable_runs,
    evaluated_runs,
    no_evaluation_yet,
    other_network_first,
    pick_option,
    pick_run,
    run_words,
)

HALF = 0.5


kept_trust = reads.keep(trust)


def show_confidence(runs: Sequence[Run]) -> None:
    """Shows how far the probabilities of one run or two can be trusted."""
    found = [kept_trust(reads.evaluation(run)) for run in runs]
    show_declining(runs, found)
    show_reliability(runs, found)
    show_classes(runs, found)


def show(runs: list[Run]) -> None:
    """Shows the page of one run, by default beside the other network's best."""
    run_column, other_column = st.columns(2)
    with run_column:
        run = pick_run(_("Run"), runs, key="run")
    assert run is not None
    others = other_network_first(run, comparable_runs(run, runs))
    with other_column:
        other = pick_run(_("Beside"), others, key="beside") if others else None
    shown = [run] if other is None else [run, other]
    st.caption(" · ".join(run_words(one) for one in shown))
    view = pick_option(
        _("View"),
        {
            "confidence": _("How sure, how right"),
            "suspects": _("Suspected labels and drawings"),
        },
        key="view",
        show_label=False,
    )
    if view == "suspects":
        show_suspects(shown)
    else:
        show_confidence(shown)


require_frame()
st.title(_("Trust"))
candidates = evaluated_runs()
if candidates:
    show(candidates)
else:
    no_evaluation_yet()

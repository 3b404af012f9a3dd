"""Trust: how far a run's probabilities can be believed, and which labels can't."""

from collections.abc import Sequence

import streamlit as st

from core.analysis.trust import measure_trust
from core.runs.reading import Run
from pages.parts.trust.classes import show_classes
from pages.parts.trust.coverage import show_declining
from pages.parts.trust.reliability import show_reliability
from pages.parts.trust.robustness import show_robustness
from pages.parts.trust.suspects import show_suspects
from pages.shared import reads
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.pickers import (
    evaluated_runs,
    no_evaluation_yet,
    pick_networks,
    pick_option,
    run_words,
)

kept_trust = reads.keep(measure_trust)


def show_confidence(runs: Sequence[Run]) -> None:
    """Shows how far the probabilities of one run or two can be trusted."""
    trusts = [kept_trust(reads.evaluation(run)) for run in runs]
    show_declining(runs, trusts)
    show_reliability(runs, trusts)
    show_classes(runs, trusts)


def show(runs: list[Run]) -> None:
    """Shows the page of one run, by default beside the other network's best."""
    run, other = pick_networks(runs)
    shown = [run] if other is None else [run, other]
    st.caption(" · ".join(run_words(run) for run in shown))
    view = pick_option(
        _("View"),
        {
            "confidence": _("How sure, how right"),
            "robustness": _("Robustness"),
            "suspects": _("Suspected labels and drawings"),
        },
        key="view",
        show_label=False,
    )
    if view == "suspects":
        show_suspects(shown)
    elif view == "robustness":
        show_robustness(shown)
    else:
        show_confidence(shown)


require_frame()
st.title(_("Trust"))
candidates = evaluated_runs()
if candidates:
    show(candidates)
else:
    no_evaluation_yet()

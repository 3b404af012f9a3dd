"""Labels: go through suspect training sketches, decide, and make a version."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.analysis.label_suspects import LabelSuspect
from core.datasets.decisions import Decisions, Verdict, read_decisions
from core.datasets.store import Dataset
from core.errors import SketchScopeError
from core.language import plain
from core.runs.status import utc_now
from pages.parts.labels.search import show_search
from pages.parts.labels.version import show_versions
from pages.shared import reads
from pages.shared.actions import decide_label, undo_label
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import say, thing
from pages.shared.owner import is_owner
from pages.shared.pickers import MENU_WIDTH

LARGE_PX = 384
KEYS: dict[Verdict, str] = {
    "right": "1",
    "wrong": "2",
    "ambiguous": "3",
    "not_a_drawing": "4",
}
UNDO_KEY = "U"


def place_key(dataset: Dataset) -> str:
    """Returns the session's name of the suspect that is shown; kept per dataset."""
    return f"labels_at_{dataset.name}"


def act(dataset: Dataset, suspect: LabelSuspect, verdict: Verdict) -> None:
    """Writes a decision down and goes on to the next that is undecided."""
    label = st.session_state.get(f"labels_class_{suspect.id}") or suspect.likely
    try:
        decide_label(dataset, suspect.id, verdict, label=label, at=utc_now())
    except SketchScopeError as error:
        st.session_state["labels_error"] = say(error)
        return
    st.session_state.pop(place_key(dataset), None)


def take_back(dataset: Dataset, sketch_id: str) -> None:
    """Takes the latest decision back and shows its sketch again."""
    try:
        undo_label(dataset, sketch_id, at=utc_now())
    except SketchScopeError as error:
        st.session_state["labels_error"] = say(error)
        return
    st.session_state[place_key(dataset)] = sketch_id


def verdict_words(verdict: Verdict) -> str:
    """Returns what a verdict is called."""
    return {
        "right": _("Right label"),
        "wrong": _("Wrong label"),
        "ambiguous": _("Ambiguous"),
        "not_a_drawing": _("Not a drawing"),
    }[verdict]


def current(
    dataset: Dataset, suspects: Sequence[LabelSuspect], decisions: Decisions
) -> int | None:
    """Returns the place of the suspect to show; None where all are decided."""
    asked = st.session_state.get(place_key(dataset))
    for place, suspect in enumerate(suspects):
        if suspect.id == asked:
            return place
    for place, suspect in enumerate(suspects):
        if suspect.id not in decisions.standing:
            return place
    return None


def show_buttons(
    dataset: Dataset, suspect: LabelSuspect | None, decisions: Decisions
) -> None:
    """Shows what can be decided, each with its key."""
    if suspect is not None:
        with st.container(horizontal=True):
            for verdict, key in KEYS.items():
                st.button(
                    verdict_words(verdict),
                    shortcut=key,
                    on_click=act,
                    args=(dataset, suspect, verdict),
                    key=f"labels_{verdict}",
                )
    last = decisions.lines[-1].id if decisions.lines else ""
    st.button(
        _("Undo"),
        icon=":material/undo:",
        shortcut=UNDO_KEY,
        disabled=not last,
        on_click=take_back,
        args=(dataset, last),
        key="labels_undo",
    )


def show_suspect(
    dataset: Dataset,
    suspects: Sequence[LabelSuspect],
    decisions: Decisions,
    *,
    may_decide: bool,
) -> None:
    """Shows one suspect, large, and what can be said of it."""
    decided = sum(suspect.id in decisions.standing for suspect in suspects)
    st.progress(
        decided / len(suspects),
        text=_("{done:,} of {total:,} suspects are decided").format(
            done=decided, total=len(suspects)
        ),
    )
    place = current(dataset, suspects, decisions)
    if place is None:
        st.success(_("All suspects are decided."), icon=":material/check:")
        if may_decide:
            show_buttons(dataset, None, decisions)
        return
    suspect = suspects[place]
    picture, words = st.columns([1, 1], gap="large")
    with picture:
        st.image(
            np.asarray(dataset.images[dataset.rows[suspect.id]]),
            width=LARGE_PX,
            output_format="PNG",
            alt=_("A sketch labelled {label}").format(label=thing(suspect.label)),
        )
        st.caption(plain(suspect.id))
    with words:
        st.subheader(
            _("Label: {label}").format(label=plain(thing(suspect.label))), anchor=False
        )
        st.write(
            _(
                "A network that hasn't learned this sketch takes it for **{likely}** "
                "with {likely_share:.0%}, and gives its label {label_share:.0%}."
            ).format(
                likely=plain(thing(suspect.likely)),
                likely_share=suspect.likely_probability,
                label_share=suspect.label_probability,
            )
        )
        if (standing := decisions.standing.get(suspect.id)) is not None:
            st.info(
                _("Decided: {verdict}, by {who}").format(
                    verdict=verdict_words(standing.verdict), who=plain(standing.who)
                )
            )
        if not may_decide:
            return
        names = sorted(
            (n for n in dataset.class_names if n != suspect.label), key=thing
        )
        st.selectbox(
            _("Right class, if the label is wrong"),
            names,
            index=names.index(suspect.likely),
            format_func=thing,
            key=f"labels_class_{suspect.id}",
        )
        show_buttons(dataset, suspect, decisions)


def show(dataset: Dataset) -> None:
    """Shows the suspects of a dataset and its versions."""
    may_decide = is_owner()
    decisions = read_decisions(dataset)
    if (sentence := decisions.sentence(dataset)) is not None:
        st.warning(say(sentence))
    if problem := st.session_state.pop("labels_error", None):
        st.error(problem, icon=":material/error:")
    suspects = reads.label_suspects(dataset)
    if suspects is None:
        show_search(dataset, may_start=may_decide)
    elif not suspects:
        st.success(_("No training sketch has a suspect label."))
    else:
        show_suspect(dataset, suspects, decisions, may_decide=may_decide)
    show_versions(dataset, decisions, may_make=may_decide)


require_frame()
st.title(_("Labels"))
datasets = {dataset.name: dataset for dataset in reads.datasets()}
if datasets:
    show(
        datasets[
            st.selectbox(
                _("Dataset"),
                list(datasets),
                key="dataset",
                bind="query-params",
                width=MENU_WIDTH,
            )
        ]
    )
else:
    st.info(
        _("There is no dataset whose labels could be looked through. Add one first."),
        icon=":material/photo_library:",
    )
    st.page_link("pages/dataset.py", label=_("Add a dataset"), icon=":material/add:")

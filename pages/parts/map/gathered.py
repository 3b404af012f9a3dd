"""A set that was gathered on the map, and how to gather one."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.sketch_sets import describe_set
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from core.sentences.failures import gathering_words
from pages.shared.language import gettext as _
from pages.shared.language import ngettext, percent, thing, words
from pages.shared.sets import hold_set, leave_set, say_kept, with_set
from pages.shared.tiles import Words, sketch_tiles

GALLERY_HEIGHT = 430


def worst_first(evaluation: Evaluation, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns rows in the order in which they are looked at."""
    return rows[np.argsort(-evaluation.loss[rows], kind="stable")]


def show_tiles(run: Run, evaluation: Evaluation, rows: NDArray[np.int64]) -> None:
    """Shows sketches as tiles; one that is chosen is opened."""

    def describe(place: int) -> Words:
        row = int(rows[place])
        names = evaluation.class_names
        drawn = thing(names[evaluation.y_true[row]])
        guess = thing(names[evaluation.y_pred[row]])
        probability = 100 * float(evaluation.confidence[row])
        mark = "✓" if guess == drawn else "✗"
        alt = _(
            "Sketch {id} of {drawn}, taken for {guess} with probability "
            "{probability:.0f} %"
        ).format(
            id=evaluation.ids[row], drawn=drawn, guess=guess, probability=probability
        )
        return {
            "drawn": drawn,
            "guess": f"{mark} {guess} {percent(probability / 100)}",
        }, alt

    sketch_tiles([run], rows, describe, key="map_gallery")


def show_set(run: Run, evaluation: Evaluation, rows: NDArray[np.int64]) -> None:
    """Shows what was gathered, and where it can be looked at."""
    st.subheader(
        ngettext(
            "{count:,} sketch gathered", "{count:,} sketches gathered", len(rows)
        ).format(count=len(rows))
    )
    st.write(gathering_words(describe_set(evaluation, rows), words()))
    say_kept()
    with st.container(horizontal=True, vertical_alignment="center"):
        for page, label, icon in (
            ("failures", _("See its failures"), "rule"),
            ("confusion", _("Confusion"), "grid_on"),
            ("classes", _("Classes"), "category"),
        ):
            st.page_link(
                f"pages/{page}.py",
                label=label,
                icon=f":material/{icon}:",
                query_params=with_set({"run": run.run_id}),
            )
        st.button(
            _("Leave the set"),
            icon=":material/close:",
            key="map_set",
            on_click=leave_set,
        )
    with st.container(height=GALLERY_HEIGHT, border=False):
        show_tiles(run, evaluation, worst_first(evaluation, rows))


def show_how(evaluation: Evaluation, rows: NDArray[np.int64]) -> None:
    """Says how to gather a set, and does it without a mouse."""
    st.subheader(_("Gather sketches"))
    st.write(
        _(
            "Drag a line around sketches on the map to see them here, together with "
            "what the network gets wrong among them. Or choose classes above and "
            "gather all that are shown."
        )
    )
    st.button(
        ngettext(
            "Gather {count:,} sketch", "Gather these {count:,} sketches", len(rows)
        ).format(count=len(rows)),
        icon=":material/select_all:",
        key="map_gather",
        disabled=not len(rows),
        on_click=hold_set,
        args=(evaluation, rows),
    )

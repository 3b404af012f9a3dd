"""The set of sketches that a page is limited to, in its address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.confusions import check_comparable
from core.analysis.sketch_sets import LONGEST_IN_ADDRESS, name_set, read_set
from core.errors import SetError
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from pages.shared import reads
from pages.shared.language import gettext as _
from pages.shared.language import ngettext, say

if TYPE_CHECKING:
    from core.analysis.classes import ClassMetrics

SET = "set"
"""The address's parameter."""

KEPT = "kept"
"""What the address says of a set that is too large for it; and the session's note of
that set's name."""


def picked_set(evaluation: Evaluation) -> NDArray[np.int64] | None:
    """Returns the rows of the set in the address; says so where it can't be read.

    Args:
        evaluation: The run's that the page shows.
    """
    name = st.query_params.get(SET)
    if name == KEPT:
        name = st.session_state.get(KEPT)
        if name is None:
            st.warning(
                _(
                    "This set is too large for an address, and was kept only in the "
                    "window where it was gathered. Gather it anew on the page Map."
                ),
                icon=":material/link_off:",
            )
    if name is None:
        return None
    try:
        return read_set(evaluation, name)
    except SetError as error:
        st.warning(say(error), icon=":material/link_off:")
        return None


def hold_set(evaluation: Evaluation, rows: NDArray[np.integer]) -> None:
    """Puts a set into the address; none, if it is empty.

    Writes nothing: anyone may do it.
    """
    if not len(rows):
        leave_set()
        return
    name = name_set(evaluation, rows)
    if len(name) > LONGEST_IN_ADDRESS:
        st.session_state[KEPT] = name
        name = KEPT
    st.query_params[SET] = name


def leave_set() -> None:
    """Takes the set out of the address."""
    st.query_params.pop(SET, None)


def with_set(query: Mapping[str, str]) -> dict[str, str]:
    """Returns an address's parameters and, if there is one, the set."""
    name = st.query_params.get(SET)
    return {**query, SET: name} if name else dict(query)


def say_kept() -> None:
    """Says so where the address does not hold the set."""
    if st.query_params.get(SET) == KEPT:
        st.caption(
            _(
                "The set is too large for an address: it is kept in this window only, "
                "until the page is loaded anew."
            )
        )


def show_set(run: Run, rows: NDArray[np.int64], *, key: str) -> None:
    """Says that a page shows a set only, and leads back to all and to the map."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            ngettext(
                "Set of {count:,} sketch", "Set of {count:,} sketches", len(rows)
            ).format(count=len(rows)),
            icon=":material/close:",
            icon_position="right",
            key=key,
            help=_("Leave the set and see all sketches"),
            on_click=leave_set,
        )
        st.page_link(
            "pages/map.py",
            label=_("On the map"),
            icon=":material/scatter_plot:",
            query_params=with_set({"run": run.run_id}),
        )
    say_kept()


@dataclass(frozen=True)
class Part:
    """The sketches that a page is about.

    Attributes:
        first: The run that the page shows.
        rows: Of its evaluation's arrays, those of the set; None for all.
    """

    first: Run
    rows: NDArray[np.int64] | None
    _class_metrics: "dict[str, tuple[ClassMetrics, ...]]" = field(default_factory=dict)

    def evaluation(self, run: Run) -> Evaluation:
        """Reads a run's evaluation of these sketches.

        Raises:
            RunError: If it has none, or a set is asked for and the run was not scored
                on the first one's test sketches.
        """
        evaluation = reads.evaluation(run)
        if self.rows is None:
            return evaluation
        check_comparable(reads.evaluation(self.first), evaluation)
        return evaluation.subset(self.rows)

    def class_metrics(self, run: Run) -> "tuple[ClassMetrics, ...]":
        """Computes the metrics of each class of a run on these sketches.

        Those of a set are kept no longer than the page: anyone makes up any number of
        sets, and those of whole runs are not to make room for them.

        Raises:
            RunError: As for `evaluation`.
        """
        if self.rows is None:
            return reads.class_metrics(run)
        if run.run_id not in self._class_metrics:
            from core.analysis.classes import measure_classes

            evaluation = self.evaluation(run)
            self._class_metrics[run.run_id] = tuple(
                measure_classes(
                    evaluation.y_true,
                    evaluation.y_pred,
                    class_names=evaluation.class_names,
                )
            )
        return self._class_metrics[run.run_id]


def pick_part(run: Run, *, key: str) -> Part:
    """Returns the part of a run's test sketches that the address asks for.

    Says on the page if that is a set.
    """
    rows = picked_set(reads.evaluation(run))
    if rows is not None:
        show_set(run, rows, key=key)
    return Part(run, rows)

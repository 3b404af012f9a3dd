"""What the runs bear: their accuracy on changed sketches, and which break first."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.robustness import Kind, Robustness, read_current
from core.charts.robustness import robustness_chart
from core.datasets.store import Dataset
from core.errors import RunError
from core.inference.robustness import changed_sketch
from core.language import plain
from core.runs.reading import Run
from core.sentences.robustness import (
    SAID,
    amount_words,
    clean_words,
    kind_title,
    loss_words,
)
from pages.shared import reads
from pages.shared.attribution import show_attribution
from pages.shared.chart import chart
from pages.shared.fragments import fragment
from pages.shared.gallery import Tile, gallery
from pages.shared.language import gettext as _
from pages.shared.language import ngettext, say, thing, words
from pages.shared.one_sketch import SKETCH, show_sketch
from pages.shared.pickers import pick_option
from pages.shared.sketches import offer_dataset, sketch_dataset
from pages.shared.tables import download_csv

COLUMNS = 2
SHOWN = 24
"""Sketches that break first; to make them takes up to two seconds."""


def show_robustness(runs: Sequence[Run]) -> None:
    """Shows how right runs are on changed sketches, as far as it was measured."""
    shown, measured = [], []
    for run in runs:
        try:
            measured.append(read_current(run.path, reads.evaluation(run)))
            shown.append(run)
        except RunError as error:
            st.info(say(error), icon=":material/terminal:")
    kinds = [kind for kind in SAID if any(kind in m.kinds for m in measured)]
    if not kinds:
        return
    if _is_opened(shown, measured, kinds):
        return
    st.write(clean_words(shown, measured, words()))
    for start in range(0, len(kinds), COLUMNS):
        columns = st.columns(COLUMNS, gap="medium")
        for column, kind in zip(columns, kinds[start : start + COLUMNS], strict=False):
            with column:
                show_kind(shown, measured, kind)
    st.caption(
        _(
            "Left is the accuracy on the sketches as they are; bars are 95 % Wilson "
            "intervals. A photo is given to the network as it is, not cleaned up as on "
            "Draw."
        )
    )
    show_broken(shown, measured, kinds)
    download_csv(
        _("Robustness as CSV"), robustness_rows(shown, measured), "robustness", *shown
    )


def show_kind(runs: Sequence[Run], measured: Sequence[Robustness], kind: str) -> None:
    """Shows what one kind of change does to the runs."""
    title, told = kind_title(kind, words()), loss_words(runs, measured, kind, words())
    st.markdown(f"##### {title}")
    chart(
        robustness_chart(runs, measured, kind, words=words()),
        key=f"robustness_{kind}",
        alt=_("Accuracy against the strength of the change. {title}: {told}").format(
            title=title, told=" ".join(told)
        ),
        height=250,
    )
    st.caption("  \n".join(told))


def show_broken(
    runs: Sequence[Run], measured: Sequence[Robustness], kinds: Sequence[str]
) -> None:
    """Shows the sketches that a run gets wrong after the least change."""
    st.subheader(_("What breaks first"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind, run, result = _pick(runs, measured, kinds)
    found = result.kinds.get(kind)
    if found is None or not found.broken:
        st.caption(_("No sketches."))
        return
    shown = found.broken[:SHOWN]
    st.write(
        ngettext(
            "{count:,} sketch that {run} gets right as it is, it gets wrong after the "
            "least change ({amount}).",
            "{count:,} sketches that {run} gets right as they are, it gets wrong after "
            "the least change ({amount}).",
            found.num_broken,
        ).format(
            count=found.num_broken,
            run=plain(run.run_id),
            amount=amount_words(kind, found.amounts[0], words()),
        )
        + " "
        + (
            _("Here are {count}, so changed.").format(count=len(shown))
            if len(shown) < found.num_broken
            else _("Here they are, so changed.")
        )
    )
    show_tiles(run, kind, shown)


@fragment
def show_tiles(run: Run, kind: str, ids: Sequence[str]) -> None:
    """Shows sketches as the least change makes them; one that is chosen is opened."""
    evaluation = reads.evaluation(run)
    row_of = _rows(evaluation.ids)
    dataset = sketch_dataset(run)
    if dataset is None:
        offer_dataset(run)
    else:
        show_attribution(dataset)

    def make(place: int) -> Tile:
        sketch_id = ids[place]
        label = evaluation.y_true[row_of[sketch_id]]
        name = thing(evaluation.class_names[label])
        return Tile(
            id=sketch_id,
            lines={"drawn": name},
            alt=_("Sketch {id} of {drawn}, changed").format(id=sketch_id, drawn=name),
            sketch=None if dataset is None else _changed(dataset, sketch_id, kind),
        )

    content = f"{run.run_id} {kind} {dataset is None}"
    chosen = gallery(len(ids), make, key="robustness_gallery", content=content)
    if chosen is not None:
        st.query_params[SKETCH] = chosen
        st.rerun()


def robustness_rows(
    runs: Sequence[Run], measured: Sequence[Robustness]
) -> list[dict[str, Any]]:
    """Returns each figure as a table row, with English names in every language."""
    return [
        {
            "Run": run.run_id,
            "Change": kind,
            "Strength": amount,
            "Sketches": figure.n,
            "Accuracy": 100 * figure.accuracy,
            "Low": 100 * figure.low,
            "High": 100 * figure.high,
        }
        for run, result in zip(runs, measured, strict=True)
        for kind, amounts, figures in (
            ("none", (0.0,), (result.clean,)),
            *((name, k.amounts, k.figures) for name, k in result.kinds.items()),
        )
        for amount, figure in zip(amounts, figures, strict=True)
    ]


def _is_opened(
    runs: Sequence[Run], measured: Sequence[Robustness], kinds: Sequence[str]
) -> bool:
    """Shows the sketch that the address names, if there is such a one."""
    evaluation = reads.evaluation(runs[0])
    row_of = _rows(evaluation.ids)
    asked = st.query_params.get(SKETCH)
    if asked is None:
        return False
    if asked not in row_of:
        st.warning(_("This run has no test sketch of that name."))
        return False
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind, _run, result = _pick(runs, measured, kinds)
    found: Kind | None = result.kinds.get(kind)
    listed = [] if found is None else [row_of[i] for i in found.broken[:SHOWN]]
    show_sketch(
        runs[0],
        runs[1] if len(runs) > 1 else None,
        row_of[asked],
        np.array(listed, dtype=np.int64),
        all_of_them=_("All that break"),
    )
    return True


def _pick(
    runs: Sequence[Run], measured: Sequence[Robustness], kinds: Sequence[str]
) -> tuple[str, Run, Robustness]:
    """Asks for a kind of change and a run."""
    kind = pick_option(
        _("Change"),
        {kind: kind_title(kind, words()) for kind in kinds},
        key="change",
        look="menu",
    )
    number = pick_option(
        _("Of"), {run.run_id: plain(run.run_id) for run in runs}, key="broken"
    )
    place = [run.run_id for run in runs].index(number)
    return kind, runs[place], measured[place]


def _rows(ids: Sequence[str]) -> dict[str, int]:
    return {sketch_id: row for row, sketch_id in enumerate(ids)}


@st.cache_data(max_entries=200, show_spinner=False)
def _picture(fingerprint: str, sketch_id: str, kind: str, _dataset: Any) -> Any:
    del fingerprint  # A part of the key.
    return changed_sketch(_dataset, _dataset.rows[sketch_id], kind)[0]


def _changed(dataset: Dataset, sketch_id: str, kind: str) -> NDArray[np.uint8]:
    """Returns a sketch after the least change."""
    return np.asarray(_picture(dataset.fingerprint, sketch_id, kind, dataset))

"""Map: where a run's test sketches lie for its network, and sets gathered there."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.maps import class_centres, label_order, places, strays
from core.analysis.sketch_sets import describe_set
from core.charts.map import MapColour, map_scatter
from core.charts.theme import CHOSEN_COLOURS
from core.language import plain, to_csv
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from core.sentences.failures import gathering_words
from pages.shared import reads
from pages.shared.chart import Cards, Label, Points, chart
from pages.shared.frame import require_frame
from pages.shared.gallery import Tile, gallery
from pages.shared.language import gettext as _
from pages.shared.language import ngettext, words
from pages.shared.one_sketch import SKETCH, show_sketch
from pages.shared.pickers import (
    comparable_runs,
    evaluated_runs,
    no_evaluation_yet,
    other_network_first,
    pick_option,
    pick_run,
    run_words,
)
from pages.shared.pictures import load_pictures, pictures_key
from pages.shared.sets import SET, hold_set, leave_set, picked_set, say_kept, with_set
from pages.shared.sketches import offer_dataset, sketch_dataset

MAP_HEIGHT = 620
GALLERY_HEIGHT = 430
SPREAD_FROM = 5
"""Of fewer sketches it says nothing how close together they lie."""

TABLE_ROWS = 500
"""The file has all."""


def pick_shown(evaluation: Evaluation) -> tuple[MapColour, list[int], bool]:
    """Lets one say what to see: the colour, classes to find, only what is wrong."""
    with st.container(horizontal=True, gap="medium"):
        colours: dict[MapColour, str] = {
            "class": _("Class"),
            "rightness": _("Right or wrong"),
            "confidence": _("Confidence"),
        }
        colour = pick_option(_("Colour"), colours, key="colour")
        shown = pick_option(
            _("Show"), {"all": _("All sketches"), "wrong": _("Only wrong")}, key="show"
        )
        chosen = st.multiselect(
            _("Find classes"),
            sorted(evaluation.class_names),
            # Not "class", of which other pages hold one.
            key="classes",
            bind="query-params",
            max_selections=len(CHOSEN_COLOURS),
            placeholder=_("All"),
            width=280,
        )
    labels = [evaluation.class_names.index(name) for name in chosen]
    return colour, labels, shown == "wrong"


def show_map(
    run: Run,
    evaluation: Evaluation,
    rows: NDArray[np.int64],
    *,
    colour: MapColour,
    chosen: list[int],
    gathered: NDArray[np.int64] | None,
) -> None:
    """Shows the map; a lasso on it gathers a set."""
    centres = class_centres(evaluation)
    first = list(chosen)
    if gathered is not None:
        counts = np.bincount(evaluation.y_true[gathered])
        ranked = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
        first += [label for label in ranked.tolist() if label not in chosen]
    labels = [
        Label(
            float(centres[label][0]),
            float(centres[label][1]),
            evaluation.class_names[label],
            is_chosen=label in chosen,
        )
        for label in label_order(evaluation, centres, first=first)
    ]

    def gather(told: list[Any], adds: bool) -> None:
        # What a browser sends is anything: of it, what is on the map.
        held = {row for row in told if isinstance(row, int)}
        found = np.array([row for row in rows.tolist() if row in held], dtype=np.int64)
        if adds and gathered is not None:
            found = np.union1d(found, gathered)
        hold_set(evaluation, found)

    is_right = evaluation.y_pred[rows] == evaluation.y_true[rows]
    chart(
        map_scatter(
            evaluation,
            rows,
            colour=colour,
            chosen=chosen,
            gathered=gathered,
            words=words(),
        ),
        key="map_chart",
        alt=_(
            "Map of {count} test sketches of {classes} classes by what the network "
            "sees in them, {wrong} of them wrong. The table below has the same."
        ).format(
            count=len(rows),
            classes=len(labels),
            wrong=int((~is_right).sum()),
        ),
        height=MAP_HEIGHT,
        uirevision=run.run_id,
        points=Points(
            labels=labels,
            cards=Cards(
                names=evaluation.class_names,
                drawn=evaluation.y_true,
                guess=evaluation.y_pred,
                confidence=evaluation.confidence,
                ids=evaluation.ids,
                pictures=pictures_key(evaluation, sketch_dataset(run)),
            ),
            revision=f"{run.run_id} {st.query_params.get(SET)}",
            on_gather=gather,
        ),
    )
    sentences = [
        _(
            "Sketches in which the network sees the same lie close together (t-SNE of "
            "what its last layer is given). Directions, and distances between groups "
            "far apart, mean nothing."
        )
    ]
    if colour == "class" and not chosen:
        sentences.append(
            _(
                "Classes side by side have like colours, so that a sketch far from its "
                "class stands out."
            )
        )
    sentences.append(
        _(
            "Hold Shift to add to what is gathered. The tools beside the map choose "
            "between lasso, box, moving and zooming; the wheel zooms while Ctrl is "
            "held."
        )
    )
    st.caption(" ".join(sentences))


def worst_first(evaluation: Evaluation, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns rows in the order in which they are looked at."""
    return rows[np.argsort(-evaluation.loss[rows], kind="stable")]


@st.fragment
def show_gallery(run: Run, evaluation: Evaluation, rows: NDArray[np.int64]) -> None:
    """Shows sketches as tiles; one that is chosen is opened."""
    dataset = sketch_dataset(run)
    names = evaluation.class_names

    def make(number: int) -> Tile:
        row = int(rows[number])
        values = {
            "id": evaluation.ids[row],
            "drawn": names[evaluation.y_true[row]],
            "guess": names[evaluation.y_pred[row]],
            "probability": 100 * float(evaluation.confidence[row]),
        }
        is_right = evaluation.y_pred[row] == evaluation.y_true[row]
        sketch = None
        if dataset is not None:
            sketch = dataset.images[dataset.rows[evaluation.ids[row]]]
        return Tile(
            id=evaluation.ids[row],
            lines={
                "drawn": str(values["drawn"]),
                "guess": f"{'✓' if is_right else '✗'} {values['guess']} "
                f"{values['probability']:.0f} %",
            },
            alt=_(
                "Sketch {id} of {drawn}, taken for {guess} with probability "
                "{probability:.0f} %"
            ).format(**values),
            sketch=sketch,
        )

    content = f"{run.run_id} {hash(rows.tobytes())} {dataset is None}"
    opened = gallery(len(rows), make, key="map_gallery", content=content)
    if opened is not None:
        st.query_params[SKETCH] = opened
        st.rerun()


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
    dataset = sketch_dataset(run)
    if dataset is None:
        offer_dataset(run)
    with st.container(height=GALLERY_HEIGHT, border=False):
        show_gallery(run, evaluation, worst_first(evaluation, rows))
    if dataset is not None:
        st.caption(plain(dataset.attribution))


def show_whole(evaluation: Evaluation, rows: NDArray[np.int64]) -> None:
    """Says what the places of some sketches tell, in figures."""
    centres = class_centres(evaluation)
    wrong = rows[evaluation.y_pred[rows] != evaluation.y_true[rows]]
    sentences = []
    if len(wrong):
        sentences.append(
            ngettext(
                "Of {count:,} wrong sketch, {strays:,} lies nearer to the middle of "
                "the class that it is taken for than to that of its own.",
                "Of {count:,} wrong sketches, {strays:,} lie nearer to the middle of "
                "the class that they are taken for than to that of their own.",
                len(wrong),
            ).format(count=len(wrong), strays=len(strays(evaluation, centres, wrong)))
        )
    counts = np.bincount(evaluation.y_true[rows], minlength=len(centres))
    ranked = [
        label
        for label in label_order(evaluation, centres, first=[])
        if counts[label] >= SPREAD_FROM
    ]
    if len(ranked) > 1:
        sentences.append(
            _(
                "The sketches of {close} lie closest together, those of {far} furthest "
                "apart."
            ).format(
                close=plain(evaluation.class_names[ranked[0]]),
                far=plain(evaluation.class_names[ranked[-1]]),
            )
        )
    if sentences:
        st.write(" ".join(sentences))


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


def table_rows(evaluation: Evaluation, rows: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Returns sketches with their places as a table."""
    names = evaluation.class_names
    return [
        {
            "Sketch": evaluation.ids[row],
            "Drawn": names[evaluation.y_true[row]],
            "Guess": names[evaluation.y_pred[row]],
            "Probability": round(100 * float(evaluation.confidence[row]), 1),
            "x": round(float(evaluation.map_2d[row, 0]), 2),
            "y": round(float(evaluation.map_2d[row, 1]), 2),
        }
        for row in rows.tolist()
    ]


def show_table(run: Run, evaluation: Evaluation, rows: NDArray[np.int64]) -> None:
    """Shows what the map shows as a table and as a file."""
    with st.expander(_("As a table"), icon=":material/table:"):
        st.dataframe(
            table_rows(evaluation, rows[:TABLE_ROWS]),
            hide_index=True,
            column_config={
                "Sketch": _("Sketch"),
                "Drawn": _("Drawn"),
                "Guess": _("Guess"),
                "Probability": st.column_config.NumberColumn(
                    _("Probability"), format="%.0f %%"
                ),
            },
            key="map_table",
            alt=_("The sketches on the map with their guesses and places"),
        )
        st.download_button(
            _("Map as CSV"),
            lambda: to_csv(table_rows(evaluation, rows)),
            file_name=f"map-{run.run_id}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )


def show(runs: list[Run]) -> None:
    """Shows the page of one run."""
    run_column, shown_column = st.columns([2, 7], gap="medium")
    with run_column:
        run = pick_run(_("Run"), runs, key="run")
    assert run is not None
    evaluation = reads.evaluation(run)
    with shown_column:
        colour, chosen, only_wrong = pick_shown(evaluation)
    st.caption(run_words(run))
    gathered = picked_set(evaluation)
    rows = places(evaluation)
    if only_wrong:
        rows = rows[evaluation.y_pred[rows] != evaluation.y_true[rows]]
    asked = st.query_params.get(SKETCH)
    if asked in evaluation.ids:
        others = other_network_first(run, comparable_runs(run, runs))
        show_sketch(
            run,
            others[0] if others else None,
            evaluation.ids.index(asked),
            worst_first(evaluation, rows if gathered is None else gathered),
            all_of_them=_("Back to the map"),
        )
        return
    if asked is not None:
        st.warning(_("This run has no test sketch of that name."))
    map_column, set_column = st.columns([3, 2], gap="large")
    with map_column:
        show_map(run, evaluation, rows, colour=colour, chosen=chosen, gathered=gathered)
    with set_column:
        if gathered is None:
            found = rows
            if chosen:
                found = rows[np.isin(evaluation.y_true[rows], chosen)]
            show_whole(evaluation, found)
            show_how(evaluation, found)
        else:
            show_set(run, evaluation, gathered)
    show_table(run, evaluation, rows)
    load_pictures(evaluation, sketch_dataset(run))


require_frame()
st.title(_("Map"))
candidates = evaluated_runs()
if candidates:
    show(candidates)
else:
    no_evaluation_yet()

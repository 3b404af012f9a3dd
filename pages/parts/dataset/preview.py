"""What would be imported, before anything is written."""

from collections import Counter
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.datasets.account import read_account
from core.datasets.sources import find_dataset
from core.datasets.store import Dataset, SketchRecord, SketchSource
from core.errors import SketchScopeError
from core.language import plain
from core.paths import TRAINED_DIR, data_dir
from core.runs.dataset import shipped_split
from pages.shared.language import gettext as _
from pages.shared.language import say
from pages.shared.owner import must_be_owner
from pages.shared.sketches import SKETCH_WIDTH

SHOWN = 12
TRIED = 3
"""Times as many sketches are looked at, some of which may be unreadable."""


def show_preview(place: str, *, name: str | None) -> bool:
    """Shows classes, counts and twelve sketches of what lies at a path.

    Returns:
        Whether there is something to import.
    """
    must_be_owner()
    try:
        found = find_dataset(
            place,
            name=name,
            data_dir=data_dir(),
            find_split=lambda: shipped_split(TRAINED_DIR),
        )
    except SketchScopeError as error:
        st.error(say(error), icon=":material/error:")
        return False
    source = found.source
    st.write(
        _("{count:,} sketches of {classes:,} classes in {name}").format(
            count=len(source.records),
            classes=len(source.class_names),
            name=plain(found.name),
        )
    )
    counts = Counter(record.label for record in source.records)
    sketches, table = st.columns([2, 1])
    with table:
        st.dataframe(
            {
                _("Class"): list(source.class_names),
                _("Sketches"): [counts[n] for n in range(len(source.class_names))],
            },
            hide_index=True,
            height=300,
        )
    shown = _some(source)
    with sketches:
        if shown:
            st.image(
                [sketch for _record, sketch in shown],
                caption=[plain(source.class_names[r.label]) for r, _sketch in shown],
                width=SKETCH_WIDTH,
                output_format="PNG",
            )
    for sentence in source.account.sentences():
        st.caption(say(sentence))
    return True


def _some(source: SketchSource) -> list[tuple[SketchRecord, NDArray[np.uint8]]]:
    """Reads up to twelve sketches, spread over all."""
    step = max(len(source.records) // (TRIED * SHOWN), 1)
    shown: list[tuple[SketchRecord, NDArray[np.uint8]]] = []
    tried = source.records[::step][: TRIED * SHOWN]
    # Every third first, so that the twelve are spread over all classes.
    for record in [*tried[::TRIED], *tried[1::TRIED], *tried[2::TRIED]]:
        try:
            shown.append((record, source.read(record)))
        except SketchScopeError:
            continue
        if len(shown) == SHOWN:
            break
    return shown


def show_account(dataset: Dataset) -> None:
    """Tells what an import read and what it passed over."""
    told = read_account(Path(dataset.path))
    if not told:
        return
    with st.expander(_("What the import read"), icon=":material/checklist:"):
        for sentence in told:
            st.caption(say(sentence))

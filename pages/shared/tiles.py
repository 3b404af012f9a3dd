"""Test sketches as tiles, each of which opens its sketch."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.runs.reading import Run
from pages.shared import reads
from pages.shared.attribution import show_attribution
from pages.shared.fragments import fragment
from pages.shared.gallery import Tile, gallery
from pages.shared.one_sketch import SKETCH
from pages.shared.sketches import offer_dataset, sketch_dataset

Words = tuple[dict[str, str], str]
"""What stands below a sketch, by the kind of line (`drawn` is bold), and what it is for
those who can't see it."""


@fragment
def sketch_tiles(
    runs: Sequence[Run],
    rows: NDArray[np.int64],
    describe: Callable[[int], Words],
    *,
    key: str,
) -> None:
    """Shows test sketches as tiles; one that is chosen is opened by the address.

    Where the dataset isn't installed, their words alone, and where to get it.

    Args:
        runs: Those that `describe` speaks of; all were scored on these sketches.
        rows: Rows of the evaluations' arrays, in the order to show.
        describe: Returns the words of the sketch at a place in `rows`.
        key: Unique on the page.
    """
    dataset = sketch_dataset(runs[0])
    ids = reads.evaluation(runs[0]).ids
    if dataset is None:
        offer_dataset(runs[0])
    else:
        show_attribution(dataset)

    def make(place: int) -> Tile:
        lines, alt = describe(place)
        sketch_id = ids[rows[place]]
        sketch = None if dataset is None else dataset.images[dataset.rows[sketch_id]]
        return Tile(id=sketch_id, lines=lines, alt=alt, sketch=sketch)

    names = " ".join(run.run_id for run in runs)
    content = f"{names} {hash(rows.tobytes())} {dataset is None}"
    chosen = gallery(len(rows), make, key=key, content=content)
    if chosen is not None:
        st.query_params[SKETCH] = chosen
        st.rerun()

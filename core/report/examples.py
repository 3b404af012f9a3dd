"""A few sketches of a class: recognised ones first, then mistaken ones."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.report.contents import Contents, Results

EXAMPLES = 3
"""At most so many that are recognised, and so many that are not."""


def choose_examples(
    results: tuple[Results, ...], label: int, *, limit: int = EXAMPLES
) -> tuple[list[int], list[int]]:
    """Chooses sketches of a class by how the runs did on them.

    Args:
        results: Of one run or two.
        label: The class.
        limit: How many of each kind.

    Returns:
        Two lists of rows of the evaluations' arrays, without a common one. In the
        first those that most runs recognise, in the second those that most runs
        mistake; of equal ones those first of which the runs are surest.
    """
    rows = np.flatnonzero(results[0].evaluation.y_true == label)
    is_right = np.array([scored.is_right[rows] for scored in results])
    sure = np.mean([scored.evaluation.confidence[rows] for scored in results], axis=0)
    right_by = is_right.sum(axis=0)
    best = np.lexsort((-sure, -right_by))
    right = [i for i in best if right_by[i]][:limit]
    worst = np.lexsort((-sure, right_by))
    wrong = [i for i in worst if right_by[i] < len(results) and i not in right]
    return [int(rows[i]) for i in right], [int(rows[i]) for i in wrong[:limit]]


def picture(contents: Contents, row: int) -> str:
    """Returns a test sketch as a data URI, or "" where the dataset isn't installed."""
    dataset = contents.dataset
    if dataset is None:
        return ""
    sketch_id = contents.results[0].evaluation.ids[row]
    return to_uri(dataset.images[dataset.rows[sketch_id]])


def to_uri(sketch: NDArray[np.uint8]) -> str:
    """Returns gray values of shape `(height, width)` as a PNG in a data URI."""
    stream = io.BytesIO()
    Image.fromarray(np.asarray(sketch)).save(stream, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"

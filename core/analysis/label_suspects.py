"""Training sketches whose label is suspect, by networks that haven't learned them.

As in confident learning (Northcutt, Jiang and Chuang 2021, Confident learning:
estimating uncertainty in dataset labels), a class's threshold is the mean probability
that the sketches of its label get for it, so that a class that the network is unsure of
is judged more mildly. A sketch is a suspect if another class is likelier than its
label's, and its label's gets less than `LEAST_SHARE` of that class's threshold. The
most suspect first: by that share, ascending.

Confident learning asks instead that the other class reach its own threshold, which
passes over the sketches that lie between two other classes.
"""

from dataclasses import dataclass

import numpy as np

from core.analysis.suspects import thresholds
from core.runs.out_of_fold import OutOfFold

LEAST_SHARE = 0.1
"""Chosen on the starter with 8 % of its training labels swapped by one seed, and
confirmed with another: `python -m tests.swapped_labels`."""


@dataclass(frozen=True)
class LabelSuspect:
    """A training sketch that a network takes for another class than its label's.

    Attributes:
        id: The sketch's.
        label: Its given class.
        likely: The class that it is taken for.
        label_probability: Calibrated probability of the given class.
        likely_probability: That of the other.
    """

    id: str
    label: str
    likely: str
    label_probability: float
    likely_probability: float


def find_label_suspects(found: OutOfFold) -> list[LabelSuspect]:
    """Lists the training sketches whose label is suspect, the most suspect first.

    Equally suspect ones are in the order of the dataset.
    """
    if not found.ids:
        return []
    evaluation = found.evaluation
    own, likely = evaluation.true_probability, evaluation.confidence
    share = own / thresholds(evaluation)[found.labels]
    is_suspect = (evaluation.y_pred != found.labels) & (share < LEAST_SHARE)
    rows = np.flatnonzero(is_suspect)
    rows = rows[np.argsort(share[rows], kind="stable")]
    return [
        LabelSuspect(
            id=found.ids[row],
            label=found.class_names[found.labels[row]],
            likely=found.class_names[evaluation.y_pred[row]],
            label_probability=float(own[row]),
            likely_probability=float(likely[row]),
        )
        for row in rows.tolist()
    ]

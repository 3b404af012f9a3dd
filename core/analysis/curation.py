"""Whether a version of a dataset helped: two runs that learned from different ones."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from core.analysis.comparison import Paired, compare
from core.datasets.versions import base_name
from core.runs.config import RunConfig
from core.runs.evaluation import Evaluation


@dataclass(frozen=True)
class CurationEffect:
    """Two runs on versions of one dataset, scored on the same test sketches.

    Attributes:
        paired: On all of them.
        clear: On those that nobody called ambiguous; None where nobody called any so,
            or all are.
        ambiguous: How many test sketches people called ambiguous.
        is_alone: Whether the runs differ in nothing but what they learned from.
    """

    paired: Paired
    clear: Paired | None
    ambiguous: int
    is_alone: bool


def are_versions(config: RunConfig, baseline: RunConfig) -> bool:
    """Returns whether two runs learned from different versions of one dataset."""
    return (
        base_name(config.dataset) == base_name(baseline.dataset)
        and config.dataset != baseline.dataset
    )


def curation_effect(
    evaluation: Evaluation,
    baseline: Evaluation,
    *,
    configs: tuple[RunConfig, RunConfig],
    ambiguous: Collection[str],
) -> CurationEffect:
    """Compares a run with one on another version, with and without ambiguous sketches.

    Args:
        evaluation: The run's.
        baseline: The other's.
        configs: Of both.
        ambiguous: The ids of the sketches that people called ambiguous.

    Raises:
        RunError: If they were not scored on the same sketches.
    """
    is_ambiguous = np.isin(evaluation.ids, list(ambiguous))
    count = int(is_ambiguous.sum())
    rows = np.flatnonzero(~is_ambiguous)
    paired = compare(evaluation, baseline).paired
    clear = None
    if count and len(rows):
        clear = compare(evaluation.subset(rows), baseline.subset(rows)).paired
    return CurationEffect(paired, clear, count, _learn_alike(*configs))


def _learn_alike(config: RunConfig, other: RunConfig) -> bool:
    fields = ("network", "settings", "origin", "teacher", "drawings")
    return all(getattr(config, name) == getattr(other, name) for name in fields)

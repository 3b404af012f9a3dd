"""Runs that differ in nothing but their seed: mean, deviation, and two such groups."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from core.analysis.curves import (
    Against,
    CurveMetric,
    Split,
    column_of,
    is_validated,
    kept_row,
)
from core.runs.config import RunConfig
from core.runs.reading import Run

LEAST_SEEDS = 2
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Spread:
    """What some values of one thing are on average, and how they differ.

    Attributes:
        n: How many.
        mean: Their mean.
        deviation: Their sample standard deviation, with `n - 1`; None of one.
    """

    n: int
    mean: float
    deviation: float | None


@dataclass(frozen=True)
class SeedGroup:
    """Runs of one recipe, dataset and settings, each of another seed.

    Attributes:
        key: What tells the group from others, as an address holds it.
        runs: By seed, ascending.
    """

    key: str
    runs: tuple[Run, ...]

    @property
    def config(self) -> RunConfig:
        """What all of them have in common, with the first one's seed and id."""
        config = self.runs[0].config
        assert config is not None
        return config

    @property
    def seeds(self) -> list[int]:
        """Their seeds."""
        return [run.config.settings.seed for run in self.runs if run.config]

    @property
    def tested(self) -> list[float]:
        """Top-1 accuracy on the test sketches of those that are evaluated."""
        return [run.metrics["top1"] for run in self.runs if run.metrics]

    @property
    def validated(self) -> list[float]:
        """Validation top-1 of the weights that each finished one has."""
        rows = [
            kept_row(run)
            for run in self.runs
            if run.state == "finished" and is_validated(run)
        ]
        return [row["val_top1"] for row in rows if row and "val_top1" in row]


@dataclass(frozen=True)
class MeanDifference:
    """By how much the mean of one group's values is above another's.

    Attributes:
        first: The one's values.
        second: The other's.
        change: First mean less second.
        low: Lower end of its 95 % interval by Welch's t.
        high: Upper end.
        p_value: Two-sided, of Welch's t-test.
        degrees: Of freedom, by Welch and Satterthwaite.
    """

    first: Spread
    second: Spread
    change: float
    low: float
    high: float
    p_value: float
    degrees: float


@dataclass(frozen=True)
class Band:
    """The mean of several runs' curves.

    Attributes:
        x: Where each epoch lies on average, shape `(epochs,)`.
        mean: Of the metric, likewise.
        deviation: Its sample standard deviation, likewise.
    """

    x: NDArray[np.float64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]


def spread(values: Sequence[float]) -> Spread | None:
    """Returns mean and sample standard deviation; None of no values."""
    if not values:
        return None
    many = len(values) > 1
    deviation = float(np.std(values, ddof=1)) if many else None
    return Spread(len(values), float(np.mean(values)), deviation)


def seed_groups(runs: Sequence[Run]) -> list[SeedGroup]:
    """Finds the groups of at least two seeds, in the order of their first runs.

    Of runs with the same seed, such as a copy and what it was made of, the first
    finished one counts: to repeat a training says nothing of other seeds.
    """
    groups: dict[str, dict[int, Run]] = {}
    for run in sorted(runs, key=lambda run: run.state != "finished"):
        if run.config is not None:
            groups.setdefault(recipe_key(run.config), {}).setdefault(
                run.config.settings.seed, run
            )
    place = {run.path: number for number, run in enumerate(runs)}
    found = [
        SeedGroup(key, tuple(group[seed] for seed in sorted(group)))
        for key, group in groups.items()
        if len(group) >= LEAST_SEEDS
    ]
    return sorted(found, key=lambda group: min(place[run.path] for run in group.runs))


def recipe_key(config: RunConfig) -> str:
    """Returns what is the same for configs that differ in nothing but the seed."""
    same = config.model_dump_json(
        exclude={"run_id": True, "created_at": True, "settings": {"seed"}}
    )
    return hashlib.sha256(same.encode()).hexdigest()[:12]


def group_of(run: Run, groups: Sequence[SeedGroup]) -> SeedGroup | None:
    """Returns the group that a run's seed is one of, if there is any."""
    if run.config is None:
        return None
    key = recipe_key(run.config)
    return next((group for group in groups if group.key == key), None)


def differing_settings(groups: Sequence[SeedGroup]) -> list[str]:
    """Says for each group in which settings it differs from others that look like it.

    Those look like it that have its network, recipe and dataset.

    Returns:
        Such as "epochs=5, flip=True"; "" for one that is alone.
    """
    looks = [(g.config.network, g.config.recipe, g.config.dataset) for g in groups]
    settings = [group.config.settings.model_dump() for group in groups]
    told = []
    for look, own in zip(looks, settings, strict=True):
        alike = [
            other for other, its in zip(settings, looks, strict=True) if its == look
        ]
        names = [
            name
            for name in own
            if name != "seed" and any(other[name] != own[name] for other in alike)
        ]
        told.append(", ".join(f"{name}={own[name]}" for name in names))
    return told


def compare_means(
    first: Sequence[float], second: Sequence[float]
) -> MeanDifference | None:
    """Compares the means of two groups of independent values by Welch's t.

    Args:
        first: A value a seed.
        second: Likewise.

    Returns:
        None where one has fewer than two values, or none differ, so that nothing
        says how far others would lie.
    """
    one, other = spread(first), spread(second)
    if one is None or other is None:
        return None
    if one.deviation is None or other.deviation is None:
        return None
    parts = one.deviation**2 / one.n, other.deviation**2 / other.n
    error = float(np.sqrt(sum(parts)))
    change = one.mean - other.mean
    if error <= 1e-12:
        return None
    degrees = sum(parts) ** 2 / (
        parts[0] ** 2 / (one.n - 1) + parts[1] ** 2 / (other.n - 1)
    )
    reach = float(stdtrit(degrees, (1 + CONFIDENCE) / 2)) * error
    return MeanDifference(
        first=one,
        second=other,
        change=change,
        low=change - reach,
        high=change + reach,
        p_value=float(2 * stdtr(degrees, -abs(change) / error)),
        degrees=float(degrees),
    )


def band(
    runs: Sequence[Run],
    metric: CurveMetric,
    *,
    split: Split = "val",
    against: Against = "epoch",
) -> Band:
    """Returns mean and deviation of runs' curves over the epochs that all have.

    Args:
        runs: At least two.
        metric: Whose curves.
        split: Of which sketches.
        against: What an epoch's place is counted in; of time, minutes.
    """
    column = {"epoch": "epoch", "step": "step", "time": "elapsed_s"}[against]
    points = [
        {
            row["epoch"]: (row[column], row[name])
            for row in run.history
            if isinstance(row.get(name := column_of(run, metric, split)), int | float)
        }
        for run in runs
    ]
    epochs = sorted(set.intersection(*(set(known) for known in points)))
    values = np.array([[known[epoch] for epoch in epochs] for known in points], float)
    values = values.reshape(len(points), len(epochs), 2)
    x = values[:, :, 0].mean(axis=0) / (60 if against == "time" else 1)
    y = values[:, :, 1]
    return Band(x, y.mean(axis=0), y.std(axis=0, ddof=1))

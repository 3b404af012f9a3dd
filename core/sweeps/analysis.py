"""What a sweep's trials say together: what was varied, and what mattered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.runs.status import ACTIVE_STATES
from core.sweeps.record import ENDED, SweepRecord, TrialRecord
from core.sweeps.spec import Value

LEAST_TRIALS = 8
"""Of fewer trials, nothing is said about what mattered."""

MAX_FOLDS = 5
TREES = 50
REPEATS = 10
SHUFFLES = 999
LEVEL = 0.05
FEW_VALUES = 4
"""A field of up to so many is tested value by value, of more by a parabola."""

Values: TypeAlias = tuple[Value | None, ...]
"""A value for each trial."""


def varied(record: SweepRecord) -> dict[str, Values]:
    """Returns each field in which trials differ, with every trial's value.

    Network and recipe come first, then the settings in the file's order, seed, fold.
    """
    trials = record.trials
    fields: dict[str, Values] = {
        "network": tuple(trial.network for trial in trials),
        "recipe": tuple(trial.recipe for trial in trials),
    }
    for field in dict.fromkeys(name for trial in trials for name in trial.fields):
        fields[field] = tuple(trial.fields.get(field) for trial in trials)
    fields["seed"] = tuple(trial.seed for trial in trials)
    fields["fold"] = tuple(trial.fold for trial in trials)
    return {field: values for field, values in fields.items() if len(set(values)) > 1}


def best_trial(record: SweepRecord) -> TrialRecord | None:
    """Returns the finished trial of highest validation top-1, the first of equals.

    None where none is finished, and with folds: each learned from sketches that test
    the others.
    """
    if record.sweep.folds is not None:
        return None
    scored = [
        (trial.val_top1, -number, trial)
        for number, trial in enumerate(record.trials)
        if trial.state == "finished" and trial.val_top1 is not None
    ]
    return max(scored, key=lambda entry: entry[:2])[2] if scored else None


def is_under_way(record: SweepRecord) -> bool:
    """Returns whether any trial is being trained, or waits to be."""
    return any(trial.state in ACTIVE_STATES for trial in record.trials)


@dataclass(frozen=True)
class Importance:
    """How much a field tells of a trial's validation accuracy.

    Attributes:
        field: Its name.
        rise: By how much a prediction's mean absolute error rises, in accuracy from 0
            to 1, when the field's values are shuffled among trials.
        spread: Standard error of that over the held-out parts.
    """

    field: str
    rise: float
    spread: float

    @property
    def is_clear(self) -> bool:
        """Whether it is more than twice its standard error."""
        return self.rise > 2 * self.spread


@dataclass(frozen=True)
class Importances:
    """What a random forest learned from a sweep's trials.

    Attributes:
        fields: The most important first.
        error: Mean absolute error of its predictions for trials that it was not shown.
        error_of_mean: That of always predicting the mean of those shown.
        n: Trials that it was made from.
        p_value: How likely some field would go with the accuracies as the first of
            `fields` does if these were dealt to the trials at random; see `chance`.
    """

    fields: tuple[Importance, ...]
    error: float
    error_of_mean: float
    n: int
    p_value: float

    @property
    def is_telling(self) -> bool:
        """Whether the forest knows better than the mean."""
        return self.error < self.error_of_mean

    @property
    def names_one(self) -> bool:
        """Whether the first field may be said to matter.

        A forest finds something in noise, too, so that its own errors are not enough.
        """
        return self.is_telling and self.fields[0].is_clear and self.p_value < LEVEL


def find_importances(record: SweepRecord) -> Importances | None:
    """Measures how much each varied field matters to validation top-1.

    Permutation importance (Breiman 2001) of a random forest, on held-out trials of a
    cross-validation, so that overfitting does not count. Trials that
    were stopped early count with the accuracy that they had reached.

    Returns:
        None where fewer than `LEAST_TRIALS` have ended, or nothing was varied.
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance
    from sklearn.model_selection import KFold

    kept = [
        number
        for number, trial in enumerate(record.trials)
        if trial.state in ENDED and trial.val_top1 is not None
    ]
    columns = {
        field: _codes([values[number] for number in kept])
        for field, values in varied(record).items()
    }
    columns = {f: codes for f, codes in columns.items() if len(set(codes)) > 1}
    if len(kept) < LEAST_TRIALS or not columns:
        return None
    x = np.stack(list(columns.values()), axis=1)
    y = np.array([record.trials[number].val_top1 for number in kept], dtype=float)
    rises, errors, plain_errors = [], [], []
    parts = KFold(min(MAX_FOLDS, len(kept) // 2), shuffle=True, random_state=0)
    for shown, hidden in parts.split(x):
        forest = RandomForestRegressor(TREES, random_state=0).fit(x[shown], y[shown])
        errors.append(np.abs(forest.predict(x[hidden]) - y[hidden]))
        plain_errors.append(np.abs(y[shown].mean() - y[hidden]))
        shuffled = permutation_importance(
            forest,
            x[hidden],
            y[hidden],
            scoring="neg_mean_absolute_error",
            n_repeats=REPEATS,
            random_state=0,
        )
        rises.append(shuffled.importances_mean)
    importances = np.stack(rises, axis=1)
    spreads = importances.std(axis=1, ddof=1) / np.sqrt(importances.shape[1])
    fields = [
        Importance(field, float(rise), float(spread))
        for field, rise, spread in zip(
            columns, importances.mean(axis=1), spreads, strict=True
        )
    ]
    ordered = tuple(sorted(fields, key=lambda entry: -entry.rise))
    first = list(columns).index(ordered[0].field)
    return Importances(
        ordered,
        error=float(np.concatenate(errors).mean()),
        error_of_mean=float(np.concatenate(plain_errors).mean()),
        n=len(kept),
        p_value=float(chance(x, y)[first]),
    )


def chance(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tests whether columns go with `y` more than chance makes the best of them go.

    A permutation test of the largest of all columns' R² (Westfall and Young 1993), so
    that having looked at several is accounted for.

    Args:
        x: Shape `(n, columns)`; no column is constant.
        y: Shape `(n,)`.

    Returns:
        A p-value for each column, shape `(columns,)`.
    """
    generator = np.random.default_rng(0)
    dealt = [y, *(generator.permutation(y) for _ in range(SHUFFLES))]
    centred = np.stack(dealt, axis=1) - y.mean()
    fits = []
    for column in x.T:
        values, place = np.unique(column, return_inverse=True)
        design = (
            np.eye(len(values))[place][:, 1:]
            if len(values) <= FEW_VALUES
            else np.stack([place, place**2], axis=1).astype(float)
        )
        basis, _ = np.linalg.qr(design - design.mean(axis=0))
        fits.append(((basis.T @ centred) ** 2).sum(axis=0))
    # Rounding must not tell apart what is equal.
    fit = np.round(np.stack(fits), 12)
    return np.asarray((fit[:, :1] <= fit.max(axis=0)).mean(axis=1))


def _codes(values: Sequence[Value | None]) -> NDArray[np.float64]:
    """Returns numbers as they are, and anything else by its place in the alphabet."""
    if all(is_number(value) for value in values):
        return np.array(values, dtype=float)
    names = sorted({str(value) for value in values})
    return np.array([names.index(str(value)) for value in values], dtype=float)


def is_number(value: Value | None) -> bool:
    """Returns whether a value lies on a line, which true and false don't."""
    return isinstance(value, int | float) and not isinstance(value, bool)

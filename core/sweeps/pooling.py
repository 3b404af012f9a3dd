"""What the folds of a cross-validation say together."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.special import stdtrit

from core.analysis.statistics import wilson_interval
from core.errors import SketchScopeError
from core.files import to_csv, write_json, write_text
from core.runs.evaluation import read_evaluation
from core.runs.folder import runs_dir
from core.sweeps.record import SweepRecord, sweep_dir


@dataclass(frozen=True)
class FoldScore:
    """What one fold's run was right about.

    Attributes:
        fold: Its test part, from 0.
        run_id: Its run's.
        correct: Test sketches that it named right.
        n: Its test sketches.
    """

    fold: int
    run_id: str
    correct: int
    n: int


@dataclass(frozen=True)
class Pooled:
    """The folds of one combination of settings, taken together.

    Attributes:
        settings: Network, recipe, fields and seed, as JSON.
        folds: The score of each fold that is finished.
        k: How many folds there are.
        correct: Sketches named right by the run that had not learned them.
        n: Sketches asked.
        interval: At 95 %; see `pool`.
        spread: Standard deviation of the folds' accuracies; None of one fold.
    """

    settings: str
    folds: tuple[FoldScore, ...]
    k: int
    correct: int
    n: int
    interval: tuple[float, float]
    spread: float | None

    @property
    def top1(self) -> float:
        """The pooled accuracy, from 0 to 1."""
        return self.correct / self.n


def pool(settings: str, folds: Sequence[FoldScore], *, k: int) -> Pooled:
    """Adds up the scores of at least one fold.

    The interval is Wilson's, as if one run had answered all, and as wide as Student's
    for the mean of the folds where that is wider: their runs differ, too, which
    Wilson's doesn't know. Since folds share training sketches, it may still be too
    narrow (Bengio and Grandvalet 2004).
    """
    correct, n = sum(f.correct for f in folds), sum(f.n for f in folds)
    low, high = wilson_interval(correct, n)
    spread = None
    if len(folds) > 1:
        accuracies = np.array([f.correct / f.n for f in folds])
        spread = float(accuracies.std(ddof=1))
        times = float(stdtrit(len(folds) - 1, 0.975)) / np.sqrt(len(folds))
        low = max(min(low, correct / n - times * spread), 0.0)
        high = min(max(high, correct / n + times * spread), 1.0)
    return Pooled(settings, tuple(folds), k, correct, n, (low, high), spread)


def pool_sweep(record: SweepRecord, *, data_dir: Path) -> list[Pooled]:
    """Pools the finished folds of each combination; none without folds."""
    groups: dict[str, list[FoldScore]] = {}
    for trial in record.trials:
        if trial.fold is None or trial.state != "finished":
            continue
        try:
            evaluation = read_evaluation(runs_dir(data_dir) / trial.run_id)
        except SketchScopeError:
            continue
        asked = trial.model_dump(mode="json", include={"network", "recipe", "fields"})
        settings = json.dumps({**asked, "seed": trial.seed})
        right = int((evaluation.y_true == evaluation.y_pred).sum())
        groups.setdefault(settings, []).append(
            FoldScore(trial.fold, trial.run_id, right, len(evaluation.y_true))
        )
    k = record.sweep.folds or 0
    return [pool(settings, folds, k=k) for settings, folds in groups.items()]


def write_pooled(
    pooled: Sequence[Pooled], record: SweepRecord, *, data_dir: Path
) -> None:
    """Writes `cross_validation.json` and `.csv` into a sweep's folder."""
    folder = sweep_dir(record.sweep.name, data_dir=data_dir)
    write_json(
        folder / "cross_validation.json",
        [{**asdict(group), "top1": group.top1} for group in pooled],
    )
    rows: list[dict[str, object]] = []
    for group in pooled:
        for f in group.folds:
            counts = {"correct": f.correct, "n": f.n, "top1": f.correct / f.n}
            rows.append(
                {
                    "settings": group.settings,
                    "fold": f.fold,
                    "run_id": f.run_id,
                    **counts,
                }
            )
        counts = {"correct": group.correct, "n": group.n, "top1": group.top1}
        rows.append({"settings": group.settings, "fold": "pooled", **counts})
    write_text(folder / "cross_validation.csv", to_csv(rows))

"""Learning curves: what a run's history says against epochs, steps or time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.runs.config import Settings
from core.runs.keeping import kept_epoch
from core.runs.reading import Run

CurveMetric = Literal["loss", "top1", "top5"]
Split = Literal["train", "val"]
Against = Literal["epoch", "step", "time"]

MAX_SMOOTHING = 0.95


@dataclass(frozen=True)
class Curve:
    """One metric of one run, a point an epoch, and some in the training's first.

    Attributes:
        x: Epochs, steps, or minutes of training, ascending.
        y: The metric; accuracies are fractions.
        live_x: Where the epoch under way is, if the run is in one.
        live_y: Its mean so far.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    live_x: float | None = None
    live_y: float | None = None


def curve(
    run: Run, metric: CurveMetric, *, split: Split = "val", against: Against = "epoch"
) -> Curve:
    """Returns one metric's curve; epochs without it are left out.

    The training's metrics are means over an epoch in which the network still
    learns, with dropout, augmentation and mixing on; the validation's are taken after
    it.
    """
    name = column_of(run, metric, split)
    rows = [row for row in run.history if isinstance(row.get(name), int | float)]
    column = {"epoch": "epoch", "step": "step", "time": "elapsed_s"}[against]
    first = _first_steps(run, metric) if split == "train" else []
    x = np.array([*(p[against] for p in first), *(row[column] for row in rows)], float)
    if against == "time":
        x /= 60
    live_x, live_y = None, None
    status = run.status
    value = {"loss": status.loss, "top1": status.top1}.get(metric)
    if metric == "loss" and not has_cross_entropy(run):
        # The status tells cross-entropy, the history another loss.
        value = None
    is_live = run.state == "running" and split == "train" and status.step > 0
    if is_live and value is not None:
        steps = status.epoch * status.steps_per_epoch + status.step
        live_x = {
            "epoch": steps / status.steps_per_epoch,
            "step": float(steps),
            "time": status.elapsed_s / 60,
        }[against]
        live_y = value
    y = np.array([*(p["y"] for p in first), *(row[name] for row in rows)], float)
    return Curve(x, y, live_x, live_y)


def _first_steps(run: Run, metric: CurveMetric) -> list[dict[str, float]]:
    """Returns the points of a run's first epoch, if its curve begins with it."""
    status = run.status
    steps = status.steps_per_epoch
    origin = run.config.origin if run.config else None
    if metric == "top5" or not steps or (origin and origin.epoch):
        return []
    if metric == "loss" and not has_cross_entropy(run):
        return []
    return [
        {
            "epoch": step / steps,
            "step": float(step),
            "time": elapsed_s,
            "y": loss if metric == "loss" else top1,
        }
        for step, elapsed_s, loss, top1 in status.first_steps
        if step < steps
    ]


def has_cross_entropy(run: Run) -> bool:
    """Returns whether a run's loss can be compared with another's.

    The loss that training follows contains label smoothing, which alone lifts it by
    more than many runs differ. Versions before recorded nothing else: theirs is
    cross-entropy where nothing was smoothed.
    """
    settings = run.config.settings if run.config else None
    is_plain = settings is not None and not settings.label_smoothing
    return is_plain or all("cross_entropy" in row for row in run.history)


def column_of(run: Run, metric: CurveMetric, split: Split) -> str:
    """Returns the history's column that says a metric of a run.

    For the loss, it is cross-entropy without label smoothing wherever that is known of
    all epochs.
    """
    name: str = metric
    if metric == "loss" and all("cross_entropy" in row for row in run.history):
        name = "cross_entropy"
    return name if split == "train" else f"val_{name}"


def smooth(y: NDArray[np.floating], *, weight: float) -> NDArray[np.float64]:
    """Exponential moving average, corrected for its start as in Adam.

    Args:
        y: Values of shape `(n,)`.
        weight: Of the past, from 0 (no smoothing) to below 1.

    Raises:
        ValueError: If `weight` is out of range.
    """
    if not 0 <= weight < 1:
        raise ValueError(f"`weight` must be from 0 to below 1. Received: {weight}")
    smoothed, mean = np.empty(len(y)), 0.0
    for step, value in enumerate(y):
        mean = weight * mean + (1 - weight) * float(value)
        smoothed[step] = mean / (1 - weight ** (step + 1))
    return smoothed


def is_validated(run: Run) -> bool:
    """Returns whether a run holds something out to validate on.

    A branch may learn what its origin had held out: then the rows that it took from
    there say something of validation, and its own don't.
    """
    if run.config is not None and not run.config.settings.val_fraction:
        return False
    return not run.history or "val_top1" in run.history[-1]


def kept_row(run: Run) -> dict[str, Any] | None:
    """Returns the row of the epoch whose weights a run has, or would keep by now."""
    if not run.history or run.config is None:
        return run.history[-1] if run.history else None
    return run.history[kept_epoch(run.config, run.history) - 1]


def best_epoch(run: Run) -> dict[str, Any] | None:
    """Returns the row of highest validation top-1, the earliest if tied.

    It is the one whose weights the run has, if it keeps the best, or the last, if
    there is no validation.
    """
    keeps_best = run.config is not None and run.config.settings.keep == "best"
    if run.history and (keeps_best or not is_validated(run)):
        return kept_row(run)
    rows = [row for row in run.history if "val_top1" in row]
    return max(rows, key=lambda row: (row["val_top1"], -row["epoch"]), default=None)


@dataclass(frozen=True)
class Learning:
    """How a training went, in numbers for a sentence.

    Attributes:
        epochs: Finished so far.
        best_epoch: That of highest validation top-1, the earliest if tied.
        val_top1: Validation top-1 then, a fraction.
        kept_epoch: That whose weights the run has or would keep now.
        train_top1: Of the kept weights, on `train_n` training sketches as they are;
            None where nobody measured it.
        train_n: On how many.
        gap: `train_top1` less validation top-1 of the same weights; None likewise.
        lowest_loss_epoch: The epoch of lowest validation loss, where it has risen by
            more than `RISE` of it since; None where it hasn't.
    """

    epochs: int
    best_epoch: int
    val_top1: float
    kept_epoch: int
    train_top1: float | None
    train_n: int | None
    gap: float | None
    lowest_loss_epoch: int | None


RISE = 0.02
"""Validation losses differ so much between epochs by chance."""


def learning(run: Run) -> Learning | None:
    """Sums up a run's history; None without validation, or before its first epoch."""
    rows = [row for row in run.history if "val_top1" in row and "val_loss" in row]
    best = best_epoch(run)
    if best is None or not is_validated(run):
        return None
    last, kept, metrics = rows[-1], kept_row(run) or rows[-1], run.metrics or {}
    loss = column_of(run, "loss", "val")
    lowest = min(rows, key=lambda row: (row[loss], row["epoch"]))
    has_risen = last[loss] > (1 + RISE) * lowest[loss]
    train_top1 = metrics.get("train_top1")
    return Learning(
        epochs=last["epoch"],
        best_epoch=best["epoch"],
        val_top1=best["val_top1"],
        kept_epoch=kept["epoch"],
        train_top1=train_top1,
        train_n=metrics.get("train_n"),
        gap=None if train_top1 is None else train_top1 - kept["val_top1"],
        lowest_loss_epoch=lowest["epoch"] if has_risen else None,
    )


def settings_rows(runs: Sequence[Run]) -> list[dict[str, str]]:
    """Compares runs field by field.

    Returns:
        A row for each field, with its name, whether the runs differ in it, what it
        means, and a column a run. Fields in which they differ come first.
    """
    configs = [run.config for run in runs]
    fields: dict[str, tuple[str, list[str]]] = {}
    for name in ("network", "dataset", "recipe"):
        fields[name] = ("", [str(getattr(c, name)) if c else "?" for c in configs])
    for name, info in Settings.model_fields.items():
        values = [_text(getattr(c.settings, name)) if c else "?" for c in configs]
        fields[name] = (info.description or "", values)
    rows = []
    for name, (meaning, values) in fields.items():
        differ = len(set(values)) > 1
        rows.append(
            {
                "Field": name,
                "Differs": "differs" if differ else "",
                **{run.run_id: v for run, v in zip(runs, values, strict=True)},
                "Meaning": meaning,
            }
        )
    return sorted(rows, key=lambda row: row["Differs"], reverse=True)


def history_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Returns every run's history as rows of one table."""
    return [{"run": run.run_id, **row} for run in runs for row in run.history]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return ", ".join(map(_text, value))
    return str(value)

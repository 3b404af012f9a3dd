"""Which epoch's weights a run keeps, and when it ends early."""

from collections.abc import Sequence
from typing import Any

from core.runs.config import RunConfig


def best_epoch(history: Sequence[dict[str, Any]], *, after: int = 0) -> int | None:
    """Returns the epoch of highest validation top-1.

    It is what runs are compared by. On few sketches it often ties; then the lower
    validation loss decides, then the earlier epoch.

    Args:
        history: A row an epoch, ascending.
        after: Epochs up to this one don't count: a branch has no weights of them.

    Returns:
        An epoch counted from 1; None where no row has validation figures.
    """
    rows = [row for row in history if row["epoch"] > after and "val_top1" in row]
    if not rows:
        return None
    best = max(rows, key=lambda row: (row["val_top1"], -row["val_loss"], -row["epoch"]))
    return int(best["epoch"])


def own_best_epoch(config: RunConfig, history: Sequence[dict[str, Any]]) -> int | None:
    """Returns the best epoch that a run has trained itself; see `best_epoch`."""
    origin = config.origin
    after = origin.epoch if origin is not None and origin.epoch is not None else 0
    return best_epoch(history, after=after)


def kept_epoch(config: RunConfig, history: Sequence[dict[str, Any]]) -> int:
    """Returns the epoch whose weights a run has or would keep now; 0 before one."""
    if config.settings.keep == "best":
        best = own_best_epoch(config, history)
        if best is not None:
            return best
    return int(history[-1]["epoch"]) if history else 0


def is_exhausted(config: RunConfig, history: Sequence[dict[str, Any]]) -> bool:
    """Returns whether as many epochs as `patience` have brought nothing better."""
    patience = config.settings.patience
    best = own_best_epoch(config, history)
    if not patience or best is None:
        return False
    return int(history[-1]["epoch"]) - best >= patience

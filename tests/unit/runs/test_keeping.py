"""Which epoch's weights a run keeps, and when patience ends it."""

from typing import Any

import pytest

from core.runs.config import Origin, RunConfig
from core.runs.keeping import best_epoch, is_exhausted, kept_epoch
from core.runs.recipes import make_settings


def rows(*class_metrics: tuple[float, float]) -> list[dict[str, Any]]:
    """A history of validation top-1 and loss."""
    return [
        {"epoch": epoch, "val_top1": top1, "val_loss": loss}
        for epoch, (top1, loss) in enumerate(class_metrics, start=1)
    ]


def config(*, branched_at: int | None = None, **fields: Any) -> RunConfig:
    origin = None
    if branched_at is not None:
        origin = Origin(run_id="o", weights_sha256="0" * 64, epoch=branched_at)
    return RunConfig(
        run_id="a",
        network="simple",
        dataset="d",
        dataset_fingerprint="f",
        split_fingerprint="s",
        attribution="",
        class_names=("a", "b"),
        recipe="report",
        settings=make_settings("simple", "report", fields),
        origin=origin,
        created_at="2026-01-01T00:00:00+00:00",
    )


@pytest.mark.parametrize(
    ("history", "best"),
    [
        (rows((0.5, 2.0), (0.7, 1.9), (0.6, 1.0)), 2),
        # A tie goes to the lower loss, then to the earlier epoch.
        (rows((0.7, 2.0), (0.7, 1.5), (0.7, 1.6)), 2),
        (rows((0.7, 2.0), (0.7, 2.0)), 1),
        ([], None),
        ([{"epoch": 1, "loss": 1.0}], None),
    ],
)
def test_the_best_epoch_has_the_highest_top1(
    history: list[dict[str, Any]], best: int | None
) -> None:
    assert best_epoch(history) == best


def test_a_run_keeps_its_last_epoch_unless_asked_for_its_best() -> None:
    history = rows((0.7, 1.0), (0.6, 1.0))
    assert kept_epoch(config(), history) == 2
    assert kept_epoch(config(keep="best"), history) == 1
    assert kept_epoch(config(keep="best"), []) == 0


def test_patience_counts_epochs_since_the_best() -> None:
    history = rows((0.5, 1.0), (0.6, 1.0), (0.6, 1.1), (0.4, 1.0))
    ended = [is_exhausted(config(patience=2), history[:n]) for n in range(5)]
    assert ended == [False, False, False, False, True]
    assert not is_exhausted(config(), history)


def test_a_branch_chooses_among_its_own_epochs() -> None:
    history = rows((0.9, 1.0), (0.8, 1.0), (0.5, 1.0), (0.4, 1.0))
    branch = config(keep="best", patience=2, branched_at=2)
    assert kept_epoch(branch, history) == 3
    assert not is_exhausted(branch, history[:2])
    assert not is_exhausted(branch, history)

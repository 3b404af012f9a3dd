"""What the Overview shows of runs. Needs no Keras."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.runs import Run
from models import NETWORKS

REFERENCES = {
    "Simple of the course report": 0.4644,
    "ResNet-18 of the course report": 0.5819,
    "people": 0.731,
}
"""Top-1 accuracy on TU-Berlin: the report of 2023; Eitz et al. 2012."""


@dataclass(frozen=True)
class NetworkCard:
    """A network's best run, in words.

    Attributes:
        run_id: The run.
        title: The network's name.
        top1: Its top-1 accuracy.
        interval: The 95 % interval and how many sketches it rests on.
        details: Top-5, size, training time, dataset.
    """

    run_id: str
    title: str
    top1: str
    interval: str
    details: str


def best_of_each_network(runs: Sequence[Run]) -> list[NetworkCard]:
    """Describes each network's best run: most classes first, then highest top-1.

    Args:
        runs: As `list_runs` gives them.

    Returns:
        A card for each network that has an evaluated run, in the table's order.
    """
    cards = []
    for spec in NETWORKS.values():
        candidates = [
            run
            for run in runs
            if run.config and run.config.network == spec.name and run.metrics
        ]
        if not candidates:
            continue
        best = max(
            candidates,
            key=lambda run: (
                (run.metrics or {})["num_classes"],
                (run.metrics or {})["top1"],
            ),
        )
        cards.append(_card(spec.title, best))
    return cards


def run_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Returns a table row for each run; accuracies are in percent."""
    rows = []
    for run in runs:
        config, metrics = run.config, run.metrics or {}
        validation = [
            (row["val_top1"], -row["epoch"]) for row in run.history if "val_top1" in row
        ]
        best = max(validation, default=None)
        rows.append(
            {
                "Run": run.run_id,
                "State": run.state,
                "Network": NETWORKS[config.network].title if config else None,
                "Dataset": config.dataset if config else None,
                "Recipe": config.recipe if config else None,
                "Epoch": f"{run.status.epoch} of {run.status.epochs}",
                "Best epoch": -best[1] if best else None,
                "Best validation top-1": _percent(best[0] if best else None),
                "Test top-1": _percent(metrics.get("top1")),
                "Test top-5": _percent(metrics.get("top5")),
                "Remark": run.problem or run.status.message,
            }
        )
    return rows


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction


def _card(title: str, run: Run) -> NetworkCard:
    metrics = run.metrics or {}
    low, high = metrics["top1_interval"]
    return NetworkCard(
        run_id=run.run_id,
        title=title,
        top1=f"{metrics['top1']:.1%}",
        interval=(
            f"95 % interval {low:.1%} to {high:.1%}, "
            f"from {metrics['n']:,} test sketches"
        ),
        details=(
            f"Top-5 {metrics['top5']:.1%} · {metrics['num_classes']} classes of "
            f"{metrics['dataset']} · {metrics['num_parameters'] / 1e6:.1f} million "
            f"parameters · trained for {run.status.elapsed_s / 60:.0f} minutes"
        ),
    )

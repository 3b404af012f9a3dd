"""What the Overview shows of runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.analysis.curves import best_epoch
from core.runs.reading import Run
from models import NETWORKS

REFERENCES = {
    "Simple of the course report": 0.4644,
    "ResNet-18 of the course report": 0.5819,
    "people": 0.731,
}
"""Top-1 accuracy on TU-Berlin: the report of 2023; Eitz et al. 2012."""


def is_tu_berlin(run: Run) -> bool:
    """Whether `REFERENCES` say something of a run's dataset."""
    return run.config is not None and run.config.attribution.startswith("TU-Berlin")


@dataclass(frozen=True)
class NetworkCard:
    """A network's best run and its figures on the test sketches.

    Attributes:
        run_id: The run.
        title: The network's name.
        top1: Its top-1 accuracy, a fraction.
        low: The lower end of the 95 % interval of `top1`.
        high: The upper end.
        n: How many test sketches it rests on.
        top5: Its top-5 accuracy, a fraction.
        num_classes: How many classes it knows.
        dataset: Whose test sketches these are.
        is_tu_berlin: Whether that is a form of TU-Berlin.
        num_parameters: Of the network.
        trained_s: How long it was trained, in seconds.
    """

    run_id: str
    title: str
    top1: float
    low: float
    high: float
    n: int
    top5: float
    num_classes: int
    dataset: str
    is_tu_berlin: bool
    num_parameters: int
    trained_s: float


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


def against_people(card: NetworkCard) -> Literal["below", "alike", "above"]:
    """Tells where a card's interval of top-1 accuracy lies to what people reach."""
    people = REFERENCES["people"]
    if card.high < people:
        return "below"
    return "above" if card.low > people else "alike"


def run_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Returns a table row for each run; accuracies are in percent."""
    rows = []
    for run in runs:
        config, metrics = run.config, run.metrics or {}
        best = best_epoch(run) or {}
        rows.append(
            {
                "Run": run.run_id,
                "State": run.state,
                "Network": NETWORKS[config.network].title if config else None,
                "Dataset": config.dataset if config else None,
                "Recipe": config.recipe if config else None,
                "Epoch": run.status.epoch,
                "Epochs": run.status.epochs,
                "Best epoch": best.get("epoch"),
                "Best validation top-1": _percent(best.get("val_top1")),
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
        top1=metrics["top1"],
        low=low,
        high=high,
        n=metrics["n"],
        top5=metrics["top5"],
        num_classes=metrics["num_classes"],
        dataset=metrics["dataset"],
        is_tu_berlin=is_tu_berlin(run),
        num_parameters=metrics["num_parameters"],
        trained_s=run.status.elapsed_s,
    )

"""What the Overview shows of runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.analysis.curves import is_validated, kept_row
from core.analysis.lineage import lineage
from core.analysis.metrics import COLUMNS, METRICS, Metric, metric_values
from core.datasets.eitz import NUM_CLASSES
from core.runs.reading import Run
from models import NETWORKS

REFERENCES = {
    "Simple of the course report": 0.4644,
    "ResNet-18 of the course report": 0.5819,
    "people": 0.731,
}
"""Top-1 accuracy on TU-Berlin: the report of 2023; Eitz et al. 2012."""


def is_tu_berlin(run: Run) -> bool:
    """Whether `REFERENCES` say something of a run: it tells all of the classes."""
    return (
        run.config is not None
        and run.config.attribution.startswith("TU-Berlin")
        and len(run.config.class_names) == NUM_CLASSES
    )


@dataclass(frozen=True)
class NetworkCard:
    """A network's best run and its metrics on the test sketches.

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
        is_tu_berlin: Whether that is a form of TU-Berlin, with all of its classes.
        num_parameters: Of the network.
        val_top1: Validation top-1 by which the run was chosen; None where nothing
            says it.
        trained_s: How long it and all runs before it were trained, in seconds; None
            where that is not known.
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
    val_top1: float | None
    trained_s: float | None


def rank_runs(runs: Sequence[Run]) -> list[Run]:
    """Orders evaluated runs: most classes first, then best on validation.

    The test sketches choose nothing, so their score plays no part. Folds come last:
    each was scored on sketches of its own.

    Args:
        runs: Of these, those without config or metrics are left out.
    """
    by_id = {run.run_id: run for run in runs}

    def worth(run: Run) -> tuple[bool, int, float, bool]:
        validated = judged_by(run, by_id)
        return (
            run.config is not None and run.config.fold is None,
            (run.metrics or {})["num_classes"],
            -1.0 if validated is None else validated,
            # What learned the validation part besides knows at least as much.
            not is_validated(run),
        )

    evaluated = [run for run in runs if run.config and run.metrics]
    return sorted(evaluated, key=worth, reverse=True)


def judged_by(run: Run, by_id: Mapping[str, Run]) -> float | None:
    """Returns the validation top-1 that a run is chosen by.

    Args:
        run: If it holds nothing out, what counts is the run whose temperature it has,
            as far as that is there, or else what its own history says of the time
            before.
        by_id: All runs.

    Returns:
        A fraction; None where nothing was validated.
    """
    if is_validated(run):
        return (kept_row(run) or {}).get("val_top1")
    calibration = run.config.calibration if run.config else None
    source = by_id.get(calibration.run_id) if calibration else None
    if source is not None and is_validated(source):
        return (kept_row(source) or {}).get("val_top1")
    return max(
        (row["val_top1"] for row in run.history if "val_top1" in row), default=None
    )


def best_of_each_network(runs: Sequence[Run]) -> list[NetworkCard]:
    """Describes the run of each network that `rank_runs` puts first; folds are none.

    Args:
        runs: As `list_runs` gives them.

    Returns:
        A card for each network that has an evaluated run, in the table's order.
    """
    by_id = {run.run_id: run for run in runs}
    ranked = [run for run in rank_runs(runs) if run.config and run.config.fold is None]
    cards = []
    for spec in NETWORKS.values():
        best = next(
            (r for r in ranked if r.config and r.config.network == spec.name), None
        )
        if best is not None:
            cards.append(_card(spec.title, best, judged_by(best, by_id)))
    return cards


def against_people(card: NetworkCard) -> Literal["below", "alike", "above"]:
    """Tells where a card's interval of top-1 accuracy lies to what people reach."""
    people = REFERENCES["people"]
    if card.high < people:
        return "below"
    return "above" if card.low > people else "alike"


def run_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Returns a table row for each run; fractions are in percent.

    Validation and test are of the same weights: those of the epoch that it keeps.
    """
    rows = []
    for run in runs:
        config, values = run.config, metric_values(run.metrics or {})
        kept = kept_row(run) or {}
        rows.append(
            {
                "Run": run.run_id,
                "State": run.state,
                "Network": NETWORKS[config.network].title if config else None,
                "Dataset": config.dataset if config else None,
                "Recipe": config.recipe if config else None,
                "Epoch": run.status.epoch,
                "Epochs": run.status.epochs,
                "Kept epoch": kept.get("epoch"),
                "Validation top-1": scaled(METRICS["top1"], kept.get("val_top1")),
                **{
                    metric.column: scaled(metric, values.get(name))
                    for name, metric in COLUMNS.items()
                },
                "Remark": run.problem or run.status.message,
            }
        )
    return rows


def scaled(metric: Metric, value: float | None) -> float | None:
    """Returns a metric as a table shows it, in percent if it is written so."""
    return 100 * value if value is not None and "%" in metric.format else value


def _card(title: str, run: Run, val_top1: float | None) -> NetworkCard:
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
        val_top1=val_top1,
        trained_s=lineage(run).total_s,
    )

"""The numbers of a report as CSV, for those who read them by a program.

Their words are English in every language.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from core.analysis.confusions import matrix_rows, top_confusions
from core.analysis.curves import history_rows, kept_row, settings_rows
from core.analysis.metrics import METRICS
from core.files import to_csv
from core.report.contents import Contents, Results
from core.runs.folder import RUN_ID_PATTERN

FIGURES = (
    *("dataset", "n", "num_classes", *METRICS, "top1_interval_low"),
    *("top1_interval_high", "temperature", "temperature_from"),
    *("train_top1", "train_n", "num_parameters", "image_size", "evaluated_at"),
)

UNTESTED = "–"
"""What tables say of a class without test sketches."""


def make_tables(contents: Contents) -> dict[str, str]:
    """Returns the content of each CSV file by its name."""
    results = contents.results
    runs = [scored.run for scored in results]
    tables = {
        "runs.csv": to_csv([run_row(scored) for scored in results]),
        "settings.csv": to_csv(settings_rows(runs)),
        "classes.csv": to_csv(class_rows(results)),
        "confusions.csv": to_csv(confusion_rows(results)),
        "sketches.csv": to_csv(sketch_rows(results)),
    }
    if history := history_rows(runs):
        tables["history.csv"] = to_csv(history)
    if contents.agreement is not None:
        tables["agreement.csv"] = to_csv([agreement_row(contents)])
    for number, scored in enumerate(results, start=1):
        name = scored.run_id
        if not RUN_ID_PATTERN.fullmatch(name):
            name = f"run-{number}"
        tables[f"matrix-{name}.csv"] = to_csv(matrix_rows(scored.evaluation))
    return tables


def run_row(scored: Results) -> dict[str, Any]:
    """Returns a run's settings and metrics in one row."""
    low, high = scored.evaluation.metrics["top1_interval"]
    metrics: Mapping[str, Any] = {
        **scored.evaluation.metrics,
        "top1_interval_low": low,
        "top1_interval_high": high,
    }
    history = scored.run.history
    return {
        "run": scored.run_id,
        "network": scored.config.network,
        "recipe": scored.config.recipe,
        "seed": scored.config.settings.seed,
        "epochs": len(history),
        "training_s": history[-1]["elapsed_s"] if history else "",
        "val_top1": (kept_row(scored.run) or {}).get("val_top1", ""),
        **{name: metrics.get(name, "") for name in FIGURES},
    }


def class_rows(results: Sequence[Results]) -> list[dict[str, Any]]:
    """Returns a row for each class of each run."""
    return [
        {
            "run": scored.run_id,
            "class": class_metrics.class_name,
            "sketches": class_metrics.n,
            "correct": class_metrics.correct,
            "accuracy": class_metrics.recall if class_metrics.n else UNTESTED,
            "low": class_metrics.recall_low if class_metrics.n else UNTESTED,
            "high": class_metrics.recall_high if class_metrics.n else UNTESTED,
            "predicted": class_metrics.predicted,
            "precision": class_metrics.precision if class_metrics.n else UNTESTED,
            "f1": class_metrics.f1 if class_metrics.n else UNTESTED,
        }
        for scored in results
        for class_metrics in scored.class_metrics
    ]


def confusion_rows(results: Sequence[Results]) -> list[dict[str, Any]]:
    """Returns every confusion of each run, the most frequent first."""
    rows = []
    for scored in results:
        names, matrix = scored.evaluation.class_names, scored.evaluation.confusion
        rows += [
            {
                "run": scored.run_id,
                "drawn": names[pair.true],
                "taken for": names[pair.predicted],
                "count": pair.count,
                "of": pair.n,
            }
            for pair in top_confusions(matrix, limit=matrix.size)
        ]
    return rows


def sketch_rows(results: Sequence[Results]) -> list[dict[str, Any]]:
    """Returns a row for each test sketch with what each run takes it for."""
    first = results[0].evaluation
    columns: dict[str, Sequence[Any]] = {
        "id": first.ids,
        "drawn": [first.class_names[label] for label in first.y_true],
    }
    for scored in results:
        answers = scored.evaluation
        columns[f"guess of {scored.run_id}"] = [
            answers.class_names[label] for label in answers.y_pred
        ]
        columns[f"probability of {scored.run_id}"] = [
            f"{sure:.4f}" for sure in answers.confidence
        ]
    return [
        dict(zip(columns, row, strict=True))
        for row in zip(*columns.values(), strict=True)
    ]


def agreement_row(contents: Contents) -> dict[str, Any]:
    """Returns how far two runs agree in one row."""
    agreement = contents.agreement
    assert agreement is not None
    first, second = contents.results
    return {
        "first": first.run_id,
        "second": second.run_id,
        "sketches": agreement.total,
        "same_answer": agreement.same,
        "same_wrong_answer": agreement.same_wrong,
        "both_right": agreement.both_right,
        "only_first_right": agreement.only_first,
        "only_second_right": agreement.only_second,
        "both_wrong": agreement.both_wrong,
        "mcnemar_p": agreement.p_value,
    }

"""The numbers of a report as CSV, for those who read them by a program.

Their words are English in every language.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from core.analysis.confusions import matrix_rows, top_confusions
from core.analysis.curves import history_rows, kept_row, settings_rows
from core.files import to_csv
from core.report.contents import Contents, Results
from core.runs.folder import RUN_ID_PATTERN

METRICS = (
    *("dataset", "n", "num_classes", "top1", "top1_interval_low"),
    *("top1_interval_high", "top1_flip_averaged", "top1_six_view_averaged"),
    *("top5", "loss", "ece", "temperature", "temperature_from"),
    *("loss_calibrated", "ece_calibrated"),
    *("num_parameters", "image_size", "evaluated_at"),
)


def make_tables(contents: Contents) -> dict[str, str]:
    """Returns the content of each CSV file by its name."""
    results = contents.results
    runs = [found.run for found in results]
    tables = {
        "runs.csv": to_csv([run_row(found) for found in results]),
        "settings.csv": to_csv(settings_rows(runs)),
        "classes.csv": to_csv(class_rows(results)),
        "confusions.csv": to_csv(confusion_rows(results)),
        "sketches.csv": to_csv(sketch_rows(results)),
    }
    if history := history_rows(runs):
        tables["history.csv"] = to_csv(history)
    if contents.agreement is not None:
        tables["agreement.csv"] = to_csv([agreement_row(contents)])
    for number, found in enumerate(results, start=1):
        name = found.run_id
        if not RUN_ID_PATTERN.fullmatch(name):
            name = f"run-{number}"
        tables[f"matrix-{name}.csv"] = to_csv(matrix_rows(found.evaluation))
    return tables


def run_row(found: Results) -> dict[str, Any]:
    """Returns a run's settings and figures in one row."""
    low, high = found.evaluation.metrics["top1_interval"]
    metrics: Mapping[str, Any] = {
        **found.evaluation.metrics,
        "top1_interval_low": low,
        "top1_interval_high": high,
    }
    history = found.run.history
    return {
        "run": found.run_id,
        "network": found.config.network,
        "recipe": found.config.recipe,
        "seed": found.config.settings.seed,
        "epochs": len(history),
        "training_s": history[-1]["elapsed_s"] if history else "",
        "val_top1": (kept_row(found.run) or {}).get("val_top1", ""),
        **{name: metrics.get(name, "") for name in METRICS},
    }


def class_rows(results: Sequence[Results]) -> list[dict[str, Any]]:
    """Returns a row for each class of each run."""
    return [
        {
            "run": found.run_id,
            "class": figures.class_name,
            "sketches": figures.n,
            "correct": figures.correct,
            "accuracy": figures.recall,
            "low": figures.recall_low,
            "high": figures.recall_high,
            "predicted": figures.predicted,
            "precision": figures.precision,
            "f1": figures.f1,
        }
        for found in results
        for figures in found.figures
    ]


def confusion_rows(results: Sequence[Results]) -> list[dict[str, Any]]:
    """Returns every confusion of each run, the most frequent first."""
    rows = []
    for found in results:
        names, matrix = found.evaluation.class_names, found.evaluation.confusion
        rows += [
            {
                "run": found.run_id,
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
    for found in results:
        answers = found.evaluation
        columns[f"guess of {found.run_id}"] = [
            answers.class_names[label] for label in answers.y_pred
        ]
        columns[f"probability of {found.run_id}"] = [
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

"""The record of trained runs: what each figure rests on, for people and programs."""

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from core.analysis.curves import kept_row
from core.analysis.lineage import lineage
from core.analysis.metrics import metric_values
from core.analysis.statistics import paired_test
from core.errors import RunError
from core.files import read_regular
from core.runs.evaluation import Evaluation, read_evaluation
from core.runs.reading import Run, read_environment

REFERENCES = (
    {"what": "People", "top1": 0.731, "source": "Eitz et al. 2012"},
    {"what": "Course report, Simple", "top1": 0.4644, "source": "course report"},
    {"what": "Course report, ResNet-18", "top1": 0.5819, "source": "course report"},
    {"what": "Sketch-a-Net", "top1": 0.749, "source": "Yu et al. 2015"},
    {"what": "Sketch-a-Net ensemble", "top1": 0.7795, "source": "Yu et al. 2017"},
)
"""Published results on the same sketches, of other splits."""

FIGURES = (
    *("top1_interval", "temperature", "temperature_from", "n", "num_parameters"),
    *("train_top1", "train_n"),
)
"""What a record says of an evaluation besides its metrics."""

SCORED = ("run_id", "network", "recipe", "dataset", "split_fingerprint", "n", "top1")
"""What the list of all runs ever scored says of each, besides when that was."""


def make_record(
    runs: Sequence[Run],
    *,
    others: Sequence[Run] = (),
    scored: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Describes evaluated runs and compares them pairwise on the same sketches.

    Args:
        runs: Finished runs.
        others: Of these, only those are named that were scored on the same sketches.
        scored: What an earlier record says of the runs that were scored before.

    Raises:
        RunError: If one is not finished, or its evaluation is damaged.

    Returns:
        JSON-ready: `runs`, a row each with recipe, settings, lineage, hardware, time,
        validation and test metrics; `pairs`, McNemar's test between any two that were
        scored on the same sketches; `scored`, every run that was ever scored on test
        sketches, as far as it is known, in order of time; `references`, what others
        reached.
    """
    evaluations = {run.run_id: read_evaluation(run.path) for run in runs}
    rows = [_row(run) for run in runs]
    return {
        "runs": rows,
        "pairs": [
            pair
            for first, second in combinations(runs, 2)
            if (pair := compare_runs(evaluations, first.run_id, second.run_id))
        ],
        "scored": _all_scored(scored, runs, others),
        "references": list(REFERENCES),
    }


def read_scored(path: Path) -> list[dict[str, Any]]:
    """Reads the list of all runs ever scored from an earlier record.

    Raises:
        RunError: If the file can't be read or holds no such list.
    """
    try:
        scored = json.loads(read_regular(path))["scored"]
        for row in scored:
            if not set(SCORED) <= set(row):
                raise ValueError(f"a row of `scored` must have {', '.join(SCORED)}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            "{path} holds no list `scored` of a record: {reason}.",
            path=path,
            reason=error,
        ) from error
    return list(scored)


def _all_scored(
    earlier: Sequence[dict[str, Any]], runs: Sequence[Run], others: Sequence[Run]
) -> list[dict[str, Any]]:
    """Adds runs to a list of those that were scored before.

    Names are used again, copies are made, and to evaluate the same weights once more
    is no other score: neither name nor time with the same figure makes a row.
    """
    rows = list(earlier)
    splits = {(run.metrics or {}).get("split_fingerprint") for run in runs}
    for run in (*runs, *others):
        metrics = run.metrics or {}
        if run.config is None or metrics.get("split_fingerprint") not in splits:
            continue
        row = {
            "run_id": run.run_id,
            "network": run.config.network,
            "recipe": run.config.recipe,
            **{name: metrics.get(name) for name in SCORED[3:]},
            "evaluated_at": metrics.get("evaluated_at"),
        }
        if not any(_is_same(row, known) for known in rows):
            rows.append(row)
    return sorted(rows, key=lambda row: row.get("evaluated_at") or "")


def _is_same(row: dict[str, Any], known: dict[str, Any]) -> bool:
    """Returns whether two rows tell of one score."""
    if (row["n"], row["top1"]) != (known["n"], known["top1"]):
        return False
    when = row["evaluated_at"]
    is_copy = when is not None and when == known.get("evaluated_at")
    return is_copy or bool(row["run_id"] == known["run_id"])


def describe_lineage(run: Run) -> dict[str, Any]:
    """Returns from where a run went on, and what all its trainings took together.

    Returns:
        JSON-ready: `origin`, `origin_epoch` where it is a branch, `teacher`;
        `total_epochs` and `total_hours` of this run and all before it, which are None
        where those of a run before it are not known.
    """
    found = lineage(run)
    config = run.config
    return {
        "origin": found.origin,
        "origin_epoch": found.origin_epoch,
        "teacher": config.teacher.run_id if config and config.teacher else None,
        "total_epochs": found.total_epochs,
        "total_hours": None
        if found.total_s is None
        else round(found.total_s / 3600, 2),
    }


def compare_runs(
    evaluations: dict[str, Evaluation], first: str, second: str
) -> dict[str, Any] | None:
    """Tests whether two runs differ; None if they were not scored on the same."""
    earlier, other = evaluations[first], evaluations[second]
    if earlier.ids != other.ids or earlier.class_names != other.class_names:
        return None
    test = paired_test(earlier.y_pred == earlier.y_true, other.y_pred == other.y_true)
    return {
        "first": first,
        "second": second,
        "only_first_right": test.only_first,
        "only_second_right": test.only_second,
        "mcnemar_p": test.p_value,
    }


def _row(run: Run) -> dict[str, Any]:
    config, metrics, history = run.config, run.metrics, run.history
    kept = kept_row(run)
    if config is None or metrics is None or kept is None:
        raise RunError(
            "Run {run!r} is {state}, not finished.", run=run.run_id, state=run.state
        )
    return {
        "run_id": run.run_id,
        "network": config.network,
        "recipe": config.recipe,
        **describe_lineage(run),
        "seed": config.settings.seed,
        "epochs": len(history),
        "image_sizes": list(dict.fromkeys(row["image_size"] for row in history)),
        "training_minutes": round(history[-1]["elapsed_s"] / 60, 1),
        "environment": read_environment(run.path),
        "dataset": config.dataset,
        "split_fingerprint": config.split_fingerprint,
        "val_fraction": config.settings.val_fraction,
        "kept_epoch": kept["epoch"],
        "val_top1": kept.get("val_top1"),
        "evaluated_at": metrics.get("evaluated_at"),
        **metric_values(metrics),
        **{name: metrics[name] for name in FIGURES if name in metrics},
        "settings": config.settings.model_dump(mode="json"),
    }

"""The record of trained runs: what each figure rests on, for people and programs."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from core.errors import RunError
from core.metrics import paired_test
from core.results import Evaluation, read_evaluation
from core.runs import Run, read_environment

REFERENCES = (
    {"what": "People", "top1": 0.731, "source": "Eitz et al. 2012"},
    {"what": "Course report, Simple", "top1": 0.4644, "source": "course report"},
    {"what": "Course report, ResNet-18", "top1": 0.5819, "source": "course report"},
    {"what": "Sketch-a-Net", "top1": 0.749, "source": "Yu et al. 2015"},
    {"what": "Sketch-a-Net ensemble", "top1": 0.7795, "source": "Yu et al. 2017"},
)
"""Published figures on the same sketches, of other splits."""

FIGURES = (
    *("top1", "top1_interval", "top1_flip_averaged", "top5", "loss", "ece"),
    *("temperature", "loss_calibrated", "ece_calibrated", "n", "num_parameters"),
)


def make_record(runs: Sequence[Run]) -> dict[str, Any]:
    """Describes evaluated runs and compares them pairwise on the same sketches.

    Args:
        runs: Finished runs.

    Raises:
        RunError: If one is not finished, or its evaluation is damaged.

    Returns:
        JSON-ready: `runs`, a row each with recipe, settings, hardware, time,
        validation and test figures; `pairs`, McNemar's test between any two that were
        scored on the same sketches; `references`, what others reached.
    """
    evaluations = {run.run_id: read_evaluation(run.path) for run in runs}
    return {
        "runs": [_row(run) for run in runs],
        "pairs": [
            pair
            for first, second in combinations(runs, 2)
            if (pair := compare_runs(evaluations, first.run_id, second.run_id))
        ],
        "references": list(REFERENCES),
    }


def compare_runs(
    evaluations: dict[str, Evaluation], first: str, second: str
) -> dict[str, Any] | None:
    """Tests whether two runs differ; None if they were not scored on the same."""
    one, other = evaluations[first], evaluations[second]
    if one.ids != other.ids or one.class_names != other.class_names:
        return None
    test = paired_test(one.y_pred == one.y_true, other.y_pred == other.y_true)
    return {
        "first": first,
        "second": second,
        "only_first_right": test.only_first,
        "only_second_right": test.only_second,
        "mcnemar_p": test.p_value,
    }


def _row(run: Run) -> dict[str, Any]:
    config, metrics, history = run.config, run.metrics, run.history
    if config is None or metrics is None or not history:
        raise RunError(f"Run {run.run_id!r} is {run.state}, not finished.")
    return {
        "run_id": run.run_id,
        "network": config.network,
        "recipe": config.recipe,
        "origin": config.origin.run_id if config.origin else None,
        "seed": config.settings.seed,
        "epochs": len(history),
        "image_sizes": list(dict.fromkeys(row["image_size"] for row in history)),
        "training_minutes": round(history[-1]["elapsed_s"] / 60, 1),
        "environment": read_environment(run.path),
        "dataset": config.dataset,
        "split_fingerprint": config.split_fingerprint,
        "val_fraction": config.settings.val_fraction,
        "val_top1": history[-1]["val_top1"],
        **{name: metrics[name] for name in FIGURES if name in metrics},
        "settings": config.settings.model_dump(mode="json"),
    }

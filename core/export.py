"""Copies a finished run in a small form that can be shipped."""

import shutil
import tempfile
from pathlib import Path

from core.backend import load_backend
from core.errors import RunError
from core.files import write_json
from core.results import CLASSES, read_evaluation, write_predictions
from core.runs import (
    CONFIG,
    HISTORY,
    METRICS_FILE,
    TRAIN_KEYS,
    check_run_id,
    read_run,
)


def export_run(run_dir: Path, target: Path) -> Path:
    """Copies a finished run with its weights in half precision.

    The copy has all that other programs may want and nothing of this machine: no
    status or checkpoint. It is named after its new folder.

    Args:
        run_dir: A finished run.
        target: The folder to make.

    Raises:
        RunError: If the run is not finished or damaged, or `target` exists.
    """
    run = read_run(run_dir)
    if run.config is None or run.state != "finished":
        raise RunError(
            f"Run {run.run_id!r} is {run.state}; only a finished one can be exported."
        )
    check_run_id(target.name)
    if target.exists():
        raise RunError(f"{target} exists already. Remove it or choose another folder.")
    evaluation = read_evaluation(run_dir)
    load_backend()
    from core.networks import load_network, save_network

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as folder:
            copy = Path(folder) / "run"
            copy.mkdir()
            config = run.config.model_copy(update={"run_id": target.name})
            write_json(copy / CONFIG, config.model_dump(mode="json"))
            for name in (HISTORY, CLASSES, TRAIN_KEYS):
                shutil.copy(run_dir / name, copy / name)
            save_network(copy, load_network(run_dir, run.config), dtype="float16")
            write_predictions(copy, evaluation)
            write_json(
                copy / METRICS_FILE, {**evaluation.metrics, "run_id": target.name}
            )
            copy.rename(target)
    except OSError as error:
        raise RunError(f"{target} can't be written: {error}.") from error
    return target

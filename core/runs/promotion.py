"""Keeps a sweep's trial as a run of its own."""

import os
import shutil
import tempfile
from pathlib import Path

from core.errors import RunError
from core.files import write_json
from core.runs.folder import (
    BEST_WEIGHTS_GLOB,
    CHECKPOINT,
    CONFIG,
    CREATED_PREFIX,
    INITIAL_CHECKPOINT,
    INITIAL_WEIGHTS,
    METRICS_FILE,
    STOP_REQUEST,
    TEACHER_ANSWERS,
    TEACHER_DIR,
    read_metrics,
    read_run,
    runs_dir,
    telling_removal,
)
from core.training.work import check_new_run_id

LEFT_OUT = (
    *(CHECKPOINT, INITIAL_WEIGHTS, INITIAL_CHECKPOINT, BEST_WEIGHTS_GLOB),
    "checkpoint-epoch*",
    *(TEACHER_DIR, TEACHER_ANSWERS, STOP_REQUEST, "*.lock", ".*"),
)


def promote(run_dir: Path, run_id: str, *, data_dir: Path) -> Path:
    """Copies a finished run under a name of its own.

    The trial stays what it is, so that its sweep is whole.

    Args:
        run_dir: A trial's run.
        run_id: The copy's name.
        data_dir: The folder that everything is written to.

    Returns:
        The copy's folder.

    Raises:
        RunError: If the run is not finished, the name can't be one or is taken, or
            the copy can't be written.
    """
    check_new_run_id(run_id, data_dir=data_dir)
    path = runs_dir(data_dir) / run_id
    with telling_removal(run_dir):
        run = read_run(run_dir)
        if run.config is None or run.state != "finished":
            raise RunError(
                f"Run {run.run_id!r} is {run.state}; only a finished one can be kept "
                "under another name."
            )
        made = Path(
            tempfile.mkdtemp(prefix=f"{CREATED_PREFIX}{os.getpid()}-", dir=path.parent)
        )
        try:
            shutil.copytree(
                run_dir,
                made,
                ignore=shutil.ignore_patterns(*LEFT_OUT),
                dirs_exist_ok=True,
            )
            config = run.config.model_copy(update={"run_id": run_id})
            write_json(made / CONFIG, config.model_dump(mode="json"))
            metrics = {**read_metrics(run_dir), "run_id": run_id}
            write_json(made / METRICS_FILE, metrics)
            made.chmod(0o755)
            # Fails if somebody has taken the name meanwhile.
            made.rename(path)
        except (OSError, shutil.Error, ValueError) as error:
            shutil.rmtree(made, ignore_errors=True)
            if not run_dir.exists():
                raise
            raise RunError(f"{path} can't be written: {error}.") from error
    return path

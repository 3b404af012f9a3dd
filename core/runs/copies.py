"""Copies a finished run in a small form that can be shipped."""

import shutil
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from core.errors import RunError
from core.files import write_json
from core.runs.config import RunConfig
from core.runs.evaluation import CLASSES, read_evaluation, write_predictions
from core.runs.folder import (
    CONFIG,
    ENVIRONMENT,
    HISTORY,
    METRICS_FILE,
    TRAIN_KEYS,
    check_run_id,
    read_run,
    telling_removal,
)
from core.runs.neighbours import NEIGHBOURS
from core.training.backend import load_backend


def export_run(run_dir: Path, target: Path, *, with_weights: bool = True) -> Path:
    """Copies a finished run with its weights in half precision, if with any.

    The copy has what is needed to look at the run and nothing of this machine: no
    status or checkpoint. The embedding of its test sketches is left out, which is the
    larger part of a wide network's evaluation; where a copy has weights, `core
    evaluate` computes it again. The copy is named after its new folder.

    Args:
        run_dir: A finished run.
        target: The folder to make.
        with_weights: Whether the copy can classify, and not only be looked at. The
            index of its training sketches, if it has one, goes with them.

    Raises:
        RunError: If the run is not finished, damaged, or removed meanwhile, or
            `target` exists.
    """
    with telling_removal(run_dir):
        return _export(run_dir, target, with_weights=with_weights)


def _export(run_dir: Path, target: Path, *, with_weights: bool) -> Path:
    run = read_run(run_dir)
    if run.config is None or run.state != "finished":
        raise RunError(
            f"Run {run.run_id!r} is {run.state}; only a finished one can be exported."
        )
    check_run_id(target.name)
    if target.exists():
        raise _taken(target)
    evaluation = read_evaluation(run_dir)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as folder:
            copy = Path(folder) / "run"
            copy.mkdir()
            config = run.config.model_copy(update={"run_id": target.name})
            write_json(copy / CONFIG, config.model_dump(mode="json"))
            for name in (HISTORY, CLASSES):
                shutil.copy(run_dir / name, copy / name)
            if (run_dir / ENVIRONMENT).exists():
                shutil.copy(run_dir / ENVIRONMENT, copy / ENVIRONMENT)
            if with_weights:
                shutil.copy(run_dir / TRAIN_KEYS, copy / TRAIN_KEYS)
                _save_half(run_dir, copy, run.config)
                with suppress(FileNotFoundError):
                    shutil.copy(run_dir / NEIGHBOURS, copy / NEIGHBOURS)
            # Nothing that can be done with a copy needs the embedding.
            empty = evaluation.embedding[:, :0]
            write_predictions(copy, replace(evaluation, embedding=empty))
            write_json(
                copy / METRICS_FILE, {**evaluation.metrics, "run_id": target.name}
            )
            copy.rename(target)
    except OSError as error:
        if target.exists():
            raise _taken(target) from error
        raise RunError(f"{target} can't be written: {error}.") from error
    return target


def _taken(target: Path) -> RunError:
    return RunError(f"{target} exists already. Remove it or choose another folder.")


def _save_half(run_dir: Path, copy: Path, config: RunConfig) -> None:
    """Saves a run's weights into its copy in half precision."""
    load_backend()
    from core.training.networks import load_network, save_network

    save_network(copy, load_network(run_dir, config), dtype="float16")

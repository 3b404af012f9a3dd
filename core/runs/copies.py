"""Copies of a finished run: a small one that can be shipped, or one to keep."""

import json
import shutil
import stat
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.errors import RunError, Sentence
from core.files import make_folder, new_folder, write_json
from core.runs.create import check_new_run_id
from core.runs.evaluation import CLASSES, read_evaluation, write_predictions
from core.runs.excitation import EXCITATION
from core.runs.folder import (
    BEST_WEIGHTS_GLOB,
    CHECKPOINT,
    CONFIG,
    CREATED_PREFIX,
    ENVIRONMENT,
    HISTORY,
    INITIAL_CHECKPOINT,
    INITIAL_WEIGHTS,
    METRICS_FILE,
    ROBUSTNESS,
    STOP_REQUEST,
    TEACHER_ANSWERS,
    TEACHER_DIR,
    TRAIN_KEYS,
    WEIGHTS,
    check_run_id,
    reporting_removal,
    runs_dir,
)
from core.runs.neighbours import NEIGHBOURS
from core.runs.notes import NOTES
from core.runs.reading import read_metrics, read_run
from core.runs.weights import read_tensors, save_tensors

LEFT_OUT = (
    *(CHECKPOINT, INITIAL_WEIGHTS, INITIAL_CHECKPOINT, BEST_WEIGHTS_GLOB),
    "checkpoint-epoch*",
    *(TEACHER_DIR, TEACHER_ANSWERS, STOP_REQUEST, "*.lock", ".*"),
)


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
    with reporting_removal(run_dir):
        return _export(run_dir, target, with_weights=with_weights)


def _export(run_dir: Path, target: Path, *, with_weights: bool) -> Path:
    run = read_run(run_dir)
    if run.config is None or run.state != "finished":
        raise RunError(
            "Run {run!r} is {state}; only a finished one can be exported.",
            run=run.run_id,
            state=run.state,
        )
    check_run_id(target.name)
    _refuse_links(run_dir)
    if target.exists():
        raise _taken(target)
    evaluation = read_evaluation(run_dir)
    try:
        make_folder(target.parent)
        with new_folder(target, prefix=".copied-") as copy:
            config = run.config.model_copy(update={"run_id": target.name})
            write_json(copy / CONFIG, config.model_dump(mode="json"))
            for name in (HISTORY, CLASSES):
                shutil.copy(run_dir / name, copy / name)
            for name in (ENVIRONMENT, NOTES):
                if (run_dir / name).exists():
                    shutil.copy(run_dir / name, copy / name)
            if with_weights:
                shutil.copy(run_dir / TRAIN_KEYS, copy / TRAIN_KEYS)
                _save_half(run_dir / WEIGHTS, copy / WEIGHTS)
                for index in (NEIGHBOURS, EXCITATION):
                    with suppress(FileNotFoundError):
                        shutil.copy(run_dir / index, copy / index)
            with suppress(FileNotFoundError):
                shutil.copy(run_dir / ROBUSTNESS, copy / ROBUSTNESS)
            # Nothing that can be done with a copy needs the embedding.
            empty = evaluation.embedding[:, :0]
            write_predictions(copy, replace(evaluation, embedding=empty))
            write_json(
                copy / METRICS_FILE, {**evaluation.metrics, "run_id": target.name}
            )
    except OSError as error:
        if target.exists():
            raise _taken(target) from error
        raise RunError(
            "{target} can't be written: {reason}.", target=target, reason=error
        ) from error
    return target


def _refuse_links(run_dir: Path) -> None:
    """Refuses what would copy a file from elsewhere into a copy.

    Raises:
        RunError: If the folder holds anything but files and folders.
    """
    for path in run_dir.rglob("*"):
        mode = path.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise RunError(
                "{path} is a link or no file, and a copy holds files only. Remove it, "
                "or put the file itself there.",
                path=path,
            )


def _taken(target: Path) -> RunError:
    return RunError(
        "{target} exists already. Remove it or choose another folder.", target=target
    )


def _save_half(weights: Path, copy: Path) -> None:
    """Copies weights in half precision."""
    tensors, metadata = read_tensors(weights)
    half = {
        name: np.array(tensor, dtype=np.float16, order="C")
        for name, tensor in tensors.items()
    }
    save_tensors(half, copy, {"metadata": json.dumps(metadata)})


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
    with reporting_removal(run_dir):
        run = read_run(run_dir)
        if run.config is None or run.state != "finished":
            raise RunError(
                "Run {run!r} is {state}; only a finished one can be kept under another "
                "name.",
                run=run.run_id,
                state=Sentence(run.state),
            )
        _refuse_links(run_dir)
        try:
            # Fails at its end if somebody has taken the name meanwhile.
            with new_folder(path, prefix=CREATED_PREFIX, is_shared=True) as made:
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
        except (OSError, shutil.Error, ValueError) as error:
            if not run_dir.exists():
                raise
            raise RunError(
                "{path} can't be written: {reason}.", path=path, reason=error
            ) from error
    return path

"""Finds what is missing, cut or flipped among the files of runs, datasets, drawings."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from core.analysis.robustness import read_robustness
from core.datasets.drawings import Drawings, read_strokes
from core.datasets.install import digest
from core.datasets.store import Dataset, fingerprints
from core.errors import SketchScopeError
from core.ownership import OWNER
from core.runs.evaluation import CLASSES, read_evaluation
from core.runs.excitation import read_excitation
from core.runs.folder import (
    CHECKPOINT,
    METRICS_FILE,
    ROBUSTNESS,
    TRAIN_KEYS,
    WEIGHTS,
    kept_checkpoint,
    kept_epochs,
)
from core.runs.neighbours import read_neighbours
from core.runs.reading import Run, read_train_keys
from core.runs.weights import has_changed, read_metadata, read_tensors
from core.sketches.images import read_sketch

ROOMS = ("runs", "datasets", "drawings", "sweeps")
"""The folders of a data folder."""


def run_problem(run: Run, *, deep: bool) -> str:
    """Returns the first thing that is wrong with a run, and what to do; or ""."""
    if run.problem:
        return run.problem
    path = run.path
    is_scored = (path / METRICS_FILE).exists()
    checks: list[tuple[bool, Callable[[], object], str]] = [
        (is_scored, lambda: read_evaluation(path), ""),
        (
            (path / WEIGHTS).exists(),
            lambda: (read_tensors if deep else read_metadata)(path / WEIGHTS),
            "The run can be looked at, not used; train it again.",
        ),
        (
            (path / CHECKPOINT).exists(),
            lambda: read_metadata(path / CHECKPOINT),
            "Delete the file; the training begins anew.",
        ),
        (
            (path / WEIGHTS).exists() or (path / TRAIN_KEYS).exists(),
            lambda: read_train_keys(path),
            "It can't be evaluated; train it again.",
        ),
        (
            True,
            lambda: read_neighbours(path),
            f"`python -m core runs index {run.run_id}` makes it anew.",
        ),
        (True, lambda: read_excitation(path), ""),
        ((path / ROBUSTNESS).exists(), lambda: read_robustness(path), ""),
    ]
    for applies, read, remedy in checks:
        try:
            if applies:
                read()
        except SketchScopeError as error:
            return f"{error} {remedy}".rstrip()
    for epoch in kept_epochs(path):
        try:
            read_metadata(path / kept_checkpoint(epoch))
        except SketchScopeError as error:
            return f"{error} The run can't be branched there; delete the file."
    if is_scored and not _is_whole_table(path / CLASSES, run):
        return (
            f"{path / CLASSES} is missing or cut. `python -m core evaluate "
            f"{run.run_id}` makes it anew."
        )
    if deep and (changed := _changed_file(run)):
        return changed
    if is_scored and deep:
        return _evaluation_problem(run)
    return ""


def _changed_file(run: Run) -> str:
    """Compares the files of a run with the digests that were kept in them."""
    for path in sorted(run.path.glob("*.safetensors")):
        try:
            if has_changed(path):
                return (
                    f"{path} is not what was written there: bits of it were flipped. "
                    "Take it from a copy, or train and evaluate anew."
                )
        except SketchScopeError as error:
            return str(error)
    return ""


def _is_whole_table(path: Path, run: Run) -> bool:
    """Returns whether a table has its header and a line for each class."""
    classes = len(run.config.class_names) if run.config else 0
    try:
        return path.read_bytes().count(b"\n") > classes
    except OSError:
        return False


def _evaluation_problem(run: Run) -> str:
    """Compares an evaluation's answers with what its metrics say of them."""
    evaluation = read_evaluation(run.path)
    right = float((evaluation.y_pred == evaluation.y_true).mean())
    rows = np.arange(len(evaluation.y_pred))
    # In half precision two classes may share the highest logit.
    highest = evaluation.logits.max(axis=1)
    is_answer = (evaluation.logits[rows, evaluation.y_pred] == highest).all()
    if is_answer and abs(right - evaluation.metrics["top1"]) < 1e-6:
        return ""
    return (
        f"The answers of run {run.run_id!r} are not those that its metrics are of. "
        f"`python -m core evaluate {run.run_id}` makes both anew."
    )


def dataset_problem(dataset: Dataset) -> str:
    """Compares a dataset's pictures with the digests of when it was added."""
    keys = dataset.keys
    pixels = [digest(sketch.tobytes()) for sketch in dataset.images]
    found = fingerprints(dataset.class_names, dataset.records, keys)
    is_whole = (keys[:, 1] == np.array(pixels, dtype=np.uint64)).all()
    if is_whole and found == (dataset.fingerprint, dataset.split_fingerprint):
        return ""
    return (
        f"The sketches in {dataset.path} are not those that were added. Remove the "
        "dataset and add it again."
    )


def drawing_problems(kept: Drawings) -> Iterator[str]:
    """Yields what is wrong with drawings whose files are all there."""
    for drawing in kept.kept:
        try:
            read_strokes(drawing)
            read_sketch(drawing.png, name=str(drawing.png))
        except SketchScopeError as error:
            yield (
                f"{error} `python -m core drawings remove {drawing.id}` removes the "
                "drawing."
            )


def room_problems(data_dir: Path) -> Iterator[str]:
    """Yields what stands where a folder belongs."""
    for path in (data_dir, *(data_dir / room for room in ROOMS)):
        if os.path.lexists(path) and not path.is_dir():
            yield f"{path} is no folder. Move it away; the folder is made anew."


def is_open_to_others(data_dir: Path) -> bool:
    """Returns whether others on this machine can read the passphrase's hash."""
    try:
        return bool(stat.S_IMODE((data_dir / OWNER).stat().st_mode) & 0o077)
    except OSError:
        return False

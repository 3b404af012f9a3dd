"""The test sketches that excite each channel of a network most, and their file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import RunError
from core.files import replacing
from core.runs.evaluation import Evaluation
from core.runs.weights import read_index, save_tensors, tensor_names

EXCITATION = "excitation.safetensors"

KEPT = 12
"""Sketches a channel; ResNet-18's 2,800 channels take 300 kB so."""


@dataclass(frozen=True)
class Excitation:
    """Which test sketches excite each channel most, as far as they were looked at.

    Attributes:
        evaluated_at: Of the evaluation whose test sketches they are.
        dataset_fingerprint: Of the dataset whose pixels were looked at.
        done: How many of the evaluation's sketches were looked at, the first ones.
        rows: By the name of a stage, rows of the evaluation's arrays, shape
            `(channels, KEPT)`, the most exciting first; -1 where there are no more.
        values: By the name of a stage, each one's largest value, of the same shape.
    """

    evaluated_at: str
    dataset_fingerprint: str
    done: int
    rows: dict[str, NDArray[np.int32]]
    values: dict[str, NDArray[np.float32]]

    def add(self, row: int, peaks: dict[str, NDArray[np.float32]]) -> "Excitation":
        """Returns it with further sketches looked at.

        Args:
            row: The evaluation's row of the first of them.
            peaks: By the name of a stage, each channel's largest value for each of
                them, shape `(n, channels)`.
        """
        all_rows, all_values, done = {}, {}, self.done
        for name, peak in peaks.items():
            n, channels = peak.shape
            done = max(done, row + n)
            new = np.broadcast_to(
                np.arange(row, row + n, dtype=np.int32), (channels, n)
            )
            rows = np.concatenate([self.rows.get(name, new[:, :0]), new], axis=1)
            values = np.concatenate(
                [self.values.get(name, peak.T[:, :0]), peak.T], axis=1
            )
            # Of equals the first: a sort that is stable.
            order = np.argsort(-values, axis=1, kind="stable")[:, :KEPT]
            all_rows[name] = np.take_along_axis(rows, order, axis=1)
            all_values[name] = np.take_along_axis(values, order, axis=1)
        return Excitation(
            self.evaluated_at, self.dataset_fingerprint, done, all_rows, all_values
        )

    def best(self, stage: str, channel: int) -> NDArray[np.int32]:
        """Returns the rows of the sketches that excite a channel, most first.

        Those that leave it at 0 are none of them.
        """
        if stage not in self.rows or channel >= len(self.rows[stage]):
            return np.empty(0, np.int32)
        rows, values = self.rows[stage][channel], self.values[stage][channel]
        return np.asarray(rows[values > 0], np.int32)


def write_excitation(run_dir: Path, excitation: Excitation) -> None:
    """Replaces a run's index of channels.

    Args:
        run_dir: The run's folder, whose lock the caller holds.
        excitation: What to write.
    """
    tensors = {
        f"{name}/{part}": array
        for part, arrays in (("rows", excitation.rows), ("values", excitation.values))
        for name, array in arrays.items()
    }
    metadata = {
        "evaluated_at": excitation.evaluated_at,
        "dataset_fingerprint": excitation.dataset_fingerprint,
        "done": str(excitation.done),
    }
    with replacing(run_dir / EXCITATION) as temporary:
        save_tensors(tensors, temporary, metadata)


def read_excitation(run_dir: Path) -> Excitation | None:
    """Reads a run's index of channels.

    Returns:
        None if the run has none.

    Raises:
        RunError: If it is damaged.
    """
    return read_index(
        run_dir / EXCITATION,
        _parse,
        command=f"python -m core runs index {run_dir.name} --channels",
    )


def _parse(file: Any) -> Excitation:
    told = file.metadata() or {}
    arrays: dict[str, dict[str, NDArray[Any]]] = {"rows": {}, "values": {}}
    for name in tensor_names(file):
        stage, _, part = name.rpartition("/")
        arrays[part][stage] = file.get_tensor(name)
    rows, values, done = arrays["rows"], arrays["values"], int(told["done"])
    if rows.keys() != values.keys() or not rows:
        raise ValueError("a stage is missing")
    for stage, found in rows.items():
        peak = values[stage]
        if found.dtype != np.int32 or peak.dtype != np.float32:
            raise ValueError(f"{stage} is {found.dtype} and {peak.dtype}")
        if found.ndim != 2 or found.shape != peak.shape:
            raise ValueError(f"{stage} is {found.shape} and {peak.shape}")
        if not np.isfinite(peak).all():
            raise ValueError(f"{stage} holds NaN")
        if ((found < 0) | (found >= done)).any():
            raise ValueError(f"{stage} names a sketch that was not looked at")
    return Excitation(
        told["evaluated_at"],
        told["dataset_fingerprint"],
        done,
        {name: np.asarray(array, np.int32) for name, array in rows.items()},
        {name: np.asarray(array, np.float32) for name, array in values.items()},
    )


def read_current_excitation(run_dir: Path, evaluation: Evaluation) -> Excitation:
    """Reads a run's index of channels, if it is whole and of its evaluation.

    Args:
        run_dir: Its folder.
        evaluation: What it holds for its evaluation now.

    Raises:
        RunError: If there is none, or it is damaged, unfinished or of an earlier
            evaluation.
    """
    found = read_excitation(run_dir)
    if found is None:
        raise RunError(
            "The channels of run {run!r} are not indexed yet. `python -m core runs "
            "index {run} --channels` does it.",
            run=run_dir.name,
        )
    if found.evaluated_at != evaluation.metrics["evaluated_at"]:
        raise RunError(
            "The index of the channels of run {run!r} is of an earlier evaluation. "
            "`python -m core runs index {run} --channels` makes it anew.",
            run=run_dir.name,
        )
    if found.done != len(evaluation.ids):
        raise RunError(
            "The index of the channels of run {run!r} is not finished: {done} of "
            "{total} sketches. `python -m core runs index {run} --channels` goes on.",
            run=run_dir.name,
            done=found.done,
            total=len(evaluation.ids),
        )
    return found

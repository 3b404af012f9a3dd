"""How far a training is: what its checkpoint keeps of that, and its status tells."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import RunError
from core.runs.config import Settings
from core.runs.launch import LOG, turn_log
from core.runs.reading import read_run
from core.runs.status import Status, current_process, write_status

STATUS_INTERVAL_S = 0.5
MAX_FIRST_STEPS = 40
THROUGHPUT_STEPS = 20
"""Steps over which the shown throughput is averaged."""

Report = Callable[[Status, Sequence[dict[str, Any]]], None]
"""Called with the status and the history whenever either was written."""


@dataclass
class Means:
    """Means over the sketches seen so far.

    Keras clears its metrics with every `train_on_batch`, so they are added up here.

    Attributes:
        count: Sketches seen.
        sums: The sum of each figure over them.
    """

    count: int = 0
    sums: dict[str, float] = field(default_factory=dict)

    def add(self, logs: Mapping[str, float], *, count: int) -> None:
        """Takes in the means over one batch of `count` sketches.

        A figure that the first batches lack, such as one that an earlier version's
        checkpoint knows nothing of, is none of the epoch.
        """
        known = self.sums if self.count else logs
        self.count += count
        for name, value in logs.items():
            if name in known:
                self.sums[name] = self.sums.get(name, 0.0) + float(value) * count

    def result(self) -> dict[str, float]:
        """Returns the mean of each figure."""
        return {name: total / self.count for name, total in self.sums.items()}


@dataclass
class TrainingState:
    """What a checkpoint says beside the variables.

    Attributes:
        epoch: Epochs completed.
        step: Steps completed in the current epoch.
        elapsed_s: Seconds of training so far, over all sittings.
        means: Of the current epoch's training figures.
        history: A row for each completed epoch.
    """

    epoch: int = 0
    step: int = 0
    elapsed_s: float = 0.0
    means: Means = field(default_factory=Means)
    history: list[dict[str, Any]] = field(default_factory=list)


class Progress:
    """Keeps the state of one sitting of a training, and writes it into the status.

    Attributes:
        state: How far the training is.
        steps_per_epoch: Steps of an epoch; 0 until they are known.
    """

    def __init__(
        self, run_dir: Path, settings: Settings, *, report: Report | None
    ) -> None:
        self._run_dir = run_dir
        self._settings = settings
        self._report = report
        # What an earlier sitting showed stays until this one has something newer.
        shown = read_run(run_dir)
        self._status = replace(
            shown.status, **current_process(), epochs=settings.epochs, message=""
        )
        self.state = TrainingState(
            epoch=shown.status.epoch,
            step=shown.status.step,
            elapsed_s=shown.status.elapsed_s,
            history=list(shown.history),
        )
        self.steps_per_epoch = 0
        self._last_tick = self._last_status = time.monotonic()
        self._step_times: deque[float] = deque(maxlen=THROUGHPUT_STEPS)

    def write(self, **changes: Any) -> None:
        """Replaces the run's status by the present state and some changes."""
        self._status = replace(
            self._status,
            epoch=self.state.epoch,
            step=self.state.step,
            elapsed_s=self.state.elapsed_s,
            **changes,
        )
        write_status(self._run_dir, self._status)
        if self._report:
            self._report(self._status, self.state.history)

    def fail(self, message: str) -> None:
        """Says in the status why the training ended."""
        # Where not even this can be written, the dead process tells it.
        with suppress(OSError):
            self.write(state="failed", message=message)

    def begin_epoch(self) -> None:
        """Says that an epoch is being trained, and forgets the last one's speed."""
        self._step_times.clear()
        self.write(phase="training")

    def tick(self) -> float:
        """Adds the time since the last tick to the training's; returns it."""
        now = time.monotonic()
        seconds = now - self._last_tick
        self._last_tick = now
        self.state.elapsed_s += seconds
        return seconds

    def end_step(self) -> None:
        """Takes the time of a step."""
        self._step_times.append(self.tick())

    def tell(self) -> None:
        """Writes means, speed and time left when it is time."""
        now = time.monotonic()
        if now - self._last_status > STATUS_INTERVAL_S:
            self._last_status = now
            turn_log(self._run_dir / LOG)
            step_s = float(np.mean(self._step_times))
            means = self.state.means.result()
            loss, top1 = means.get("cross_entropy", means["loss"]), means["top1"]
            self.write(
                loss=_finite(loss),
                top1=_finite(top1),
                first_steps=self._first_steps(loss, top1),
                images_per_s=self._settings.batch_size / step_s,
                eta_s=self._remaining_s(step_s),
            )

    def _first_steps(
        self, loss: float, top1: float
    ) -> tuple[tuple[int, float, float, float], ...]:
        """Returns the first epoch's course so far, in never more than 40 points."""
        told = self._status.first_steps
        state = self.state
        if state.epoch or not (np.isfinite(loss) and np.isfinite(top1)):
            return told
        # A sitting may begin before what an earlier one told.
        told = tuple(point for point in told if point[0] < state.step)
        if len(told) == MAX_FIRST_STEPS:
            told = told[1::2]
        return (*told, (state.step, state.elapsed_s, loss, top1))

    def _remaining_s(self, step_s: float) -> float:
        """Estimates the time left; a step costs as much as it has pixels."""
        settings = self._settings
        pixels = [
            settings.image_size_at(epoch) ** 2
            for epoch in range(self.state.epoch, settings.epochs)
        ]
        steps = self.steps_per_epoch * sum(pixels) / pixels[0] - self.state.step
        return step_s * steps


def check_loss(loss: float, *, epoch: int) -> None:
    """Raises `RunError` if a loss after `epoch` whole epochs is NaN or infinite."""
    if not np.isfinite(loss):
        raise RunError(
            "The loss is no longer a number in epoch {epoch}. Start a new run with "
            "a lower learning_rate.",
            epoch=epoch + 1,
        )


def _finite(value: float) -> float | None:
    """Returns a number, or None for what JSON has no word for."""
    return float(value) if np.isfinite(value) else None

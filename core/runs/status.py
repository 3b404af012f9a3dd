"""The status of a run: what its process last wrote, and what is so now."""

import math
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psutil
from pydantic import TypeAdapter

from core.errors import Sentence
from core.files import write_json
from core.runs.config import RunConfig
from core.runs.folder import (
    DAMAGE,
    METRICS_FILE,
    STATUS,
    WEIGHTS,
    is_held,
    read_object,
)

State = Literal[
    "queued", "running", "stopped", "failed", "trained", "finished", "damaged"
]
"""`queued` waits for its turn, `trained` has weights but no evaluation yet,
`finished` has both."""

ACTIVE_STATES = ("queued", "running")
"""The states of a run that a living process holds."""

PROCESS_START_TOLERANCE_S = 2.0
"""A process that started at another time has taken over the number of a dead one."""


@dataclass(frozen=True)
class Status:
    """What `status.json` holds: how far a training is, replaced as it goes.

    Attributes:
        state: What the training last said of itself; see `Run.state`.
        phase: What it was doing: training, validating or evaluating.
        pid: Its process, or 0.
        process_started: When that process started, in seconds since 1970.
        process_uptime_s: The same in seconds since the machine's start, which a
            clock that is set anew leaves alone; 0 if not known.
        epoch: Epochs completed.
        epochs: Epochs in all.
        step: Steps completed in the current epoch.
        steps_per_epoch: Steps of an epoch.
        loss: Mean training loss of the current epoch so far.
        top1: Mean training top-1 accuracy of the current epoch so far.
        images_per_s: Throughput of the latest steps.
        eta_s: Seconds until the last step, if known.
        elapsed_s: Seconds spent in training, over all sittings.
        updated_at: Seconds since 1970.
        queued_at: Since when it waits, in seconds since 1970, or 0.
        message: Why it failed, or what comes next.
        kept_epoch: The epoch whose weights were kept; 0 before.
        first_steps: Of the first epoch, some steps with the seconds of training until
            then, and the mean loss and top-1 accuracy so far.
    """

    state: State = "running"
    phase: Literal["starting", "training", "validating", "evaluating"] = "starting"
    pid: int = 0
    process_started: float = 0.0
    process_uptime_s: float = 0.0
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps_per_epoch: int = 0
    loss: float | None = None
    top1: float | None = None
    images_per_s: float | None = None
    eta_s: float | None = None
    elapsed_s: float = 0.0
    updated_at: float = 0.0
    queued_at: float = 0.0
    message: str = ""
    kept_epoch: int = 0
    first_steps: tuple[tuple[int, float, float, float], ...] = ()


def current_process() -> dict[str, Any]:
    """Returns the fields of a status that tell which process this is."""
    process = psutil.Process()
    started = process.create_time()
    return {
        "pid": process.pid,
        "process_started": started,
        "process_uptime_s": started - psutil.boot_time(),
    }


def write_status(path: Path, status: Status) -> None:
    """Replaces a run's status, stamped with the present time."""
    fields = asdict(replace(status, updated_at=time.time()))
    if isinstance(status.message, Sentence):
        fields["sentence"] = status.message.pack()
    write_json(path / STATUS, fields)


def read_status(path: Path) -> Status:
    """Reads what a run is at this moment, without its history or figures.

    Raises:
        OSError: If it has no status that can be read.
        ValueError: If its status is damaged.
    """
    status = read_written_status(path)
    evaluated = (path / METRICS_FILE).exists()
    state, message = present_state(path, status, evaluated=evaluated)
    return replace(status, state=state, message=message)


def utc_now() -> datetime:
    """Returns the present time in UTC."""
    return datetime.now(tz=UTC)


def read_written_status(path: Path) -> Status:
    """Reads the status that was last written; raises one of `DAMAGE` without one."""
    fields = read_object(path / STATUS)
    status = TypeAdapter(Status).validate_python(fields)
    for name, value in asdict(status).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"`{name}` is {value}")
    with suppress(*DAMAGE, LookupError, AttributeError):
        sentence = Sentence.unpack(fields["sentence"])
        if sentence == status.message:
            return replace(status, message=sentence)
    return status


def infer_status(
    path: Path, config: RunConfig | None, history: Sequence[dict[str, Any]]
) -> Status:
    """Says what can be said of a run without a status, as the shipped ones are."""
    is_trained = (path / WEIGHTS).exists() or (path / METRICS_FILE).exists()
    return Status(
        state="trained" if is_trained else "stopped",
        epoch=len(history),
        epochs=config.settings.epochs if config else len(history),
        elapsed_s=float(history[-1].get("elapsed_s", 0)) if history else 0.0,
    )


def present_state(path: Path, status: Status, *, evaluated: bool) -> tuple[State, str]:
    """Returns what a run is now: one that says it runs may have been killed."""
    if status.state in ACTIVE_STATES:
        # A number that another process has by now, after a start of the machine even
        # with the same uptime, holds no lock.
        if _is_alive(status) and is_held(path):
            return status.state, status.message
        # It may have said so and let go since its status was read.
        with suppress(*DAMAGE):
            later = read_written_status(path)
            if later != status:
                is_scored = (path / METRICS_FILE).exists()
                return present_state(path, later, evaluated=is_scored)
        if status.state == "queued":
            place = Sentence("while it waited")
        elif status.phase == "evaluating":
            place = Sentence("in its evaluation")
        else:
            place = Sentence(
                "at epoch {epoch}, step {step}",
                epoch=status.epoch + 1,
                step=status.step,
            )
        message = Sentence(
            "Its process ended without a word {place}. Go on with "
            "`python -m core train --resume {run}`.",
            place=place,
            run=path.name,
        )
        return "failed", message
    if status.state in ("trained", "finished"):
        return ("finished" if evaluated else "trained"), status.message
    return status.state, status.message


def _is_alive(status: Status) -> bool:
    """Returns whether the very process that wrote a status still runs."""
    try:
        process = psutil.Process(status.pid)
        started = process.create_time()
        # Both of them move when the clock is set anew, their difference doesn't.
        uptime_s = started - psutil.boot_time()
        is_same = (
            abs(started - status.process_started) < PROCESS_START_TOLERANCE_S
            or abs(uptime_s - status.process_uptime_s) < PROCESS_START_TOLERANCE_S
        )
        return bool(is_same and process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, ValueError, OverflowError):
        return False

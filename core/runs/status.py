"""The status of a run: what its process last wrote, and what is so now."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psutil
from pydantic import TypeAdapter

from core.files import write_json
from core.runs.config import RunConfig
from core.runs.folder import METRICS_FILE, STATUS, WEIGHTS, read_object

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
    write_json(path / STATUS, asdict(replace(status, updated_at=time.time())))


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
    return TypeAdapter(Status).validate_python(read_object(path / STATUS))


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
        if _is_alive(status):
            return status.state, status.message
        if status.state == "queued":
            place = "while it waited"
        elif status.phase == "evaluating":
            place = "in its evaluation"
        else:
            place = f"at epoch {status.epoch + 1}, step {status.step}"
        return (
            "failed",
            f"Its process ended without a word {place}. Go on with "
            f"`python -m core train --resume {path.name}`.",
        )
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

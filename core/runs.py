"""Run folders: where they are, what they hold, and in what state each is.

Everything that a page or a command shows of a run is read here. Nothing here needs
Keras, and nothing that a run folder holds is ever executed.
"""

import json
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import psutil
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core.config import RunConfig, explain
from core.errors import RunError
from core.files import TEMPORARY_PREFIX, write_json, write_text

RUN_ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")

CONFIG = "config.json"
STATUS = "status.json"
HISTORY = "history.jsonl"
CHECKPOINT = "checkpoint.safetensors"
WEIGHTS = "weights.safetensors"
INITIAL_WEIGHTS = "initial.safetensors"
TRAIN_KEYS = "train_keys.npy"
ENVIRONMENT = "environment.json"
METRICS_FILE = "metrics.json"
STOP_REQUEST = "stop"
LOCK = "run.lock"

State = Literal[
    "queued", "running", "stopped", "failed", "trained", "finished", "damaged"
]
"""`queued` waits for its turn, `trained` has weights but no evaluation yet,
`finished` has both."""

ACTIVE_STATES = ("queued", "running")
"""The states of a run that a living process holds."""

CHECKPOINT_INTERVAL_S = 45.0
"""With the time that a step and a save take, at most a minute is lost."""

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
    """

    state: State = "running"
    phase: Literal["starting", "training", "validating", "evaluating"] = "starting"
    pid: int = 0
    process_started: float = 0.0
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


@dataclass(frozen=True)
class Run:
    """What is known of one run folder at one moment.

    Attributes:
        path: The folder.
        config: Its settings; None where they can't be read.
        status: Its progress; `state` is what is so now, not what was last written.
        history: A row an epoch, ascending.
        metrics: The evaluation's figures; None without one.
        problem: What is damaged, in one sentence, or "".
    """

    path: Path
    config: RunConfig | None
    status: Status
    history: tuple[dict[str, Any], ...]
    metrics: dict[str, Any] | None
    problem: str

    @property
    def run_id(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def state(self) -> State:
        """What the run is at this moment."""
        return self.status.state


def runs_dir(data_dir: Path) -> Path:
    """Returns the folder of the runs that this program makes."""
    return data_dir / "runs"


def check_run_id(run_id: str) -> None:
    """Raises `RunError` unless `run_id` can be a run's folder."""
    if not RUN_ID_PATTERN.fullmatch(run_id):
        raise RunError(
            f"A run id is 1 to 80 letters, digits, '.', '_' or '-', and starts with a "
            f"letter or digit. Received: {run_id!r}"
        )


def new_run_id(network: str, recipe: str, *, data_dir: Path, now: datetime) -> str:
    """Returns an unused id such as `simple-best-20261123-072600`."""
    stem = f"{network}-{recipe}-{now:%Y%m%d-%H%M%S}"
    run_id, number = stem, 2
    while (runs_dir(data_dir) / run_id).exists():
        run_id, number = f"{stem}-{number}", number + 1
    return run_id


def find_run_dir(run: str, *, data_dir: Path, trained_dir: Path) -> Path:
    """Finds a run by its id, among one's own and the shipped ones, or its folder.

    Raises:
        RunError: If there is none.
    """
    if RUN_ID_PATTERN.fullmatch(run):
        for parent in (runs_dir(data_dir), trained_dir):
            if (parent / run / CONFIG).is_file() or (parent / run / STATUS).is_file():
                return parent / run
    path = Path(run)
    if (path / CONFIG).is_file():
        return path.resolve()
    raise RunError(
        f"There is no run {run!r}: neither an id that `python -m core runs list` "
        f"shows nor a folder with a {CONFIG}."
    )


def create_run_dir(
    config: RunConfig, *, data_dir: Path, origin: Path | None = None
) -> Path:
    """Makes the folder of a new run, with its config and a first status.

    Args:
        config: Its config.
        data_dir: The folder that everything is written to.
        origin: A trained run whose weights it begins with; they are copied.

    Raises:
        RunError: If the id is taken or the folder can't be written.
    """
    check_run_id(config.run_id)
    path = runs_dir(data_dir) / config.run_id
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir()
        try:
            if origin is not None:
                shutil.copy(origin / WEIGHTS, path / INITIAL_WEIGHTS)
                # What the origin has seen counts as seen by this run too.
                shutil.copy(origin / TRAIN_KEYS, path / TRAIN_KEYS)
            write_json(path / CONFIG, config.model_dump(mode="json"))
            write_status(path, Status(state="stopped", epochs=config.settings.epochs))
        except OSError:
            shutil.rmtree(path, ignore_errors=True)
            raise
    except FileExistsError as error:
        raise RunError(
            f"There is a run {config.run_id!r} already. Choose another --run-id, or "
            f"go on with `python -m core train --resume {config.run_id}`."
        ) from error
    except OSError as error:
        raise RunError(f"{path} can't be made: {error.strerror}.") from error
    return path


def lock_run(path: Path) -> FileLock:
    """Takes the right to write a run folder, until released or the process ends.

    Raises:
        RunError: If another process has it.
    """
    lock = FileLock(path / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RunError(
            f"Run {path.name!r} is being trained or evaluated by another process."
        ) from error
    except OSError as error:
        raise RunError(f"{path} can't be written: {error.strerror}.") from error
    return lock


def current_process() -> tuple[int, float]:
    """Returns this process's number and start time."""
    process = psutil.Process()
    return process.pid, process.create_time()


def write_status(path: Path, status: Status) -> None:
    """Replaces a run's status, stamped with the present time."""
    write_json(path / STATUS, asdict(replace(status, updated_at=time.time())))


def write_history(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Replaces a run's history: one JSON object a line, one line an epoch."""
    write_text(path / HISTORY, "".join(json.dumps(row) + "\n" for row in rows))


def check_weights(path: Path) -> None:
    """Raises `RunError` unless a run has weights."""
    if (path / WEIGHTS).exists():
        return
    if (path / METRICS_FILE).exists():
        raise RunError(
            f"Run {path.name!r} was exported without its weights; it can be looked at, "
            "not used. Train one like it with `python -m core train`."
        )
    raise RunError(
        f"Run {path.name!r} has no weights yet. Go on with "
        f"`python -m core train --resume {path.name}`."
    )


def request_stop(path: Path) -> None:
    """Asks a running training to save and end at its next step, or to wait no more.

    Raises:
        RunError: If it is neither training nor waiting.
    """
    run = read_run(path)
    if run.state not in ACTIVE_STATES:
        raise RunError(f"Run {run.run_id!r} is not running: {run.state}.")
    if run.status.phase == "evaluating":
        raise RunError(
            f"Run {run.run_id!r} is trained and being evaluated, which ends by itself."
        )
    (path / STOP_REQUEST).touch()


def read_config(path: Path) -> RunConfig:
    """Reads a run's settings.

    Raises:
        RunError: If they are missing or damaged.
    """
    try:
        return RunConfig.model_validate_json((path / CONFIG).read_bytes())
    except OSError as error:
        raise RunError(f"{path / CONFIG} can't be read: {error.strerror}.") from error
    except ValidationError as error:
        raise RunError(f"{path / CONFIG} is damaged. {explain(error)}") from error


def read_run(path: Path) -> Run:
    """Reads a run folder as far as it can be read; never raises for its content."""
    problems: list[str] = []
    config = None
    try:
        config = read_config(path)
    except RunError as error:
        problems.append(str(error))
    try:
        status = _read_status(path)
    except FileNotFoundError:
        status = None
    except _DAMAGE as error:
        status = None
        problems.append(_damaged(path / STATUS, error))
    history, history_problem = _read_history(path)
    if status is None:
        status = _infer_status(path, config, history)
    if history_problem:
        problems.append(history_problem)
    metrics = None
    try:
        metrics = read_metrics(path)
    except FileNotFoundError:
        pass
    except _DAMAGE as error:
        problems.append(_damaged(path / METRICS_FILE, error))
    state, message = _present_state(path, status, evaluated=metrics is not None)
    if config is None:
        state, message = "damaged", problems[0]
    return Run(
        path=path,
        config=config,
        status=replace(status, state=state, message=message),
        history=history,
        metrics=metrics,
        problem=" ".join(problems),
    )


def read_status(path: Path) -> Status:
    """Reads what a run is at this moment, without its history or figures.

    Raises:
        OSError: If it has no status that can be read.
        ValueError: If its status is damaged.
    """
    status = _read_status(path)
    evaluated = (path / METRICS_FILE).exists()
    state, message = _present_state(path, status, evaluated=evaluated)
    return replace(status, state=state, message=message)


def list_runs(*, data_dir: Path, trained_dir: Path) -> list[Run]:
    """Returns every run, one's own by time of change, latest first, then shipped."""
    own = [path for path in runs_dir(data_dir).glob("[!.]*") if path.is_dir()]
    own.sort(key=_changed_at, reverse=True)
    shipped = sorted(path for path in trained_dir.glob("[!.]*") if path.is_dir())
    return [read_run(path) for path in (*own, *shipped)]


def remove_run(run_id: str, *, data_dir: Path) -> None:
    """Deletes one of the program's own runs.

    Raises:
        RunError: If there is none, or it is being trained or evaluated.
    """
    check_run_id(run_id)
    path = runs_dir(data_dir) / run_id
    if not path.is_dir():
        raise RunError(f"There is no run {run_id!r} in {runs_dir(data_dir)}.")
    lock = lock_run(path)
    try:
        doomed = path.with_name(f".removed-{run_id}-{time.time_ns()}")
        path.rename(doomed)
    finally:
        lock.release()
    shutil.rmtree(doomed)


def clear_leftovers(path: Path) -> None:
    """Deletes what a killed write left in a run folder; the caller holds its lock."""
    for leftover in path.glob(f"{TEMPORARY_PREFIX}*"):
        leftover.unlink(missing_ok=True)
    (path / STOP_REQUEST).unlink(missing_ok=True)
    if (path / WEIGHTS).exists():
        (path / CHECKPOINT).unlink(missing_ok=True)
        (path / INITIAL_WEIGHTS).unlink(missing_ok=True)


def read_metrics(path: Path) -> dict[str, Any]:
    """Reads the figures of a run's evaluation.

    Raises:
        FileNotFoundError: If it has none.
        OSError: If they can't be read.
        ValueError: If they are not what an evaluation writes.
    """
    metrics = _read_object(path / METRICS_FILE)
    _Metrics.model_validate(metrics)
    return metrics


def read_environment(path: Path) -> dict[str, Any] | None:
    """Returns on what a run was trained, or None where that is not known."""
    try:
        return _read_object(path / ENVIRONMENT)
    except (OSError, ValueError):
        return None


def utc_now() -> datetime:
    """Returns the present time in UTC."""
    return datetime.now(tz=UTC)


class _Checked(BaseModel):
    """What of a file's content others rely on; it may hold more."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


_Fraction = Annotated[float, Field(ge=0, le=1)]


class _Metrics(_Checked):
    run_id: str
    network: str
    dataset: str
    n: Annotated[int, Field(ge=1)]
    num_classes: Annotated[int, Field(ge=2)]
    num_parameters: int
    top1: _Fraction
    top5: _Fraction
    top1_interval: Annotated[list[_Fraction], Field(min_length=2, max_length=2)]
    loss: float
    ece: _Fraction
    loss_calibrated: float
    ece_calibrated: _Fraction
    temperature: Annotated[float, Field(gt=0)]


class _HistoryRow(_Checked):
    epoch: int
    step: int
    loss: float
    top1: _Fraction
    val_loss: float
    val_top1: _Fraction
    elapsed_s: float


_DAMAGE = (OSError, ValueError, TypeError, KeyError, RecursionError)
"""What reading a damaged file raises; a `ValidationError` is a `ValueError`."""


def _damaged(path: Path, error: BaseException) -> str:
    """Returns one sentence on a file that can't be read."""
    if isinstance(error, ValidationError):
        return f"{path} is damaged. {explain(error)}"
    return f"{path} is damaged: {str(error) or type(error).__name__}."


def _changed_at(path: Path) -> float:
    """Returns when a folder last changed, or 0 where it has just been removed."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _read_object(path: Path) -> dict[str, Any]:
    value = json.loads(path.read_bytes())
    if not isinstance(value, dict):
        raise ValueError("it holds no JSON object")
    return value


def _read_status(path: Path) -> Status:
    return TypeAdapter(Status).validate_python(_read_object(path / STATUS))


def _infer_status(
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


def _read_history(path: Path) -> tuple[tuple[dict[str, Any], ...], str]:
    """Returns the rows up to the first damaged one, and what is wrong with it."""
    try:
        lines = (path / HISTORY).read_bytes().splitlines()
    except FileNotFoundError:
        return (), ""
    except OSError as error:
        return (), f"{path / HISTORY} can't be read: {error.strerror}."
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            _HistoryRow.model_validate(row)
            if row["epoch"] != number:
                raise ValueError(f"it is not the row of epoch {number}")
        except ValidationError as error:
            problem = f"{path / HISTORY} line {number} is damaged. {explain(error)}"
            return tuple(rows), problem
        except _DAMAGE as error:
            return tuple(rows), f"{path / HISTORY} line {number} is damaged: {error}."
        rows.append(row)
    return tuple(rows), ""


def _present_state(path: Path, status: Status, *, evaluated: bool) -> tuple[State, str]:
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
        is_same = abs(started - status.process_started) < PROCESS_START_TOLERANCE_S
        return bool(is_same and process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, ValueError, OverflowError):
        return False

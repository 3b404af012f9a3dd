"""Run folders: where they are, what they hold, and in what state each is.

Everything that a page or a command shows of a run is read here. Nothing here needs
Keras, and nothing that a run folder holds is ever executed.
"""

import errno
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import psutil
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from core.errors import BusyError, RunError, explain, quote
from core.files import (
    TEMPORARY_PREFIX,
    list_folder,
    load_array,
    remove_tree,
    replacing,
    write_json,
    write_text,
)
from core.runs.config import FORMAT_VERSION, RunConfig
from core.runs.weights import read_metadata

RUN_ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")

CONFIG = "config.json"
STATUS = "status.json"
HISTORY = "history.jsonl"
CHECKPOINT = "checkpoint.safetensors"
KEPT_CHECKPOINT_PATTERN = re.compile(r"checkpoint-epoch(\d{3,})\.safetensors")
"""A checkpoint at the end of an epoch that stays, so that runs can branch from it."""
WEIGHTS = "weights.safetensors"
INITIAL_WEIGHTS = "initial.safetensors"
INITIAL_CHECKPOINT = "initial-checkpoint.safetensors"
"""The kept checkpoint of another run that a branch begins with."""
BEST_WEIGHTS_GLOB = "best-epoch*.safetensors"
"""The weights of the best epoch so far, where those are to be kept."""
TEACHER_DIR = "teacher"
"""Holds the teacher's `config.json` and `weights.safetensors` until training ends."""
TEACHER_ANSWERS = "teacher_answers.npy"
TRAIN_KEYS = "train_keys.npy"
ENVIRONMENT = "environment.json"
METRICS_FILE = "metrics.json"
STOP_REQUEST = "stop"
LOCK = "run.lock"

REMOVED_PREFIX = ".removed-"
CREATED_PREFIX = ".created-"
"""A run that is being deleted; one that a process is making."""

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


def kept_checkpoint(epoch: int) -> str:
    """Returns the name of the checkpoint that is kept after `epoch` epochs."""
    return f"checkpoint-epoch{epoch:03d}.safetensors"


def best_weights(epoch: int) -> str:
    """Returns the name of the weights of the best epoch so far."""
    return f"best-epoch{epoch:03d}.safetensors"


def kept_epochs(path: Path) -> list[int]:
    """Returns the epochs after which a run folder has kept a checkpoint, ascending."""
    found = (KEPT_CHECKPOINT_PATTERN.fullmatch(p.name) for p in list_folder(path))
    return sorted(int(match[1]) for match in found if match)


def check_run_id(run_id: str) -> None:
    """Raises `RunError` unless `run_id` can be a run's folder."""
    if not RUN_ID_PATTERN.fullmatch(run_id):
        raise RunError(
            f"A run id is 1 to 80 letters, digits, '.', '_' or '-', and starts with a "
            f"letter or digit. Received: {quote(run_id)}"
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
        f"There is no run {quote(run)}: neither an id that `python -m core runs list` "
        f"shows nor a folder with a {CONFIG}."
    )


def create_run_dir(
    config: RunConfig,
    *,
    data_dir: Path,
    origin: Path | None = None,
    teacher: Path | None = None,
) -> Path:
    """Makes the folder of a new run, with its config and a first status.

    Args:
        config: Its config.
        data_dir: The folder that everything is written to.
        origin: The run that it goes on from; its weights, or the checkpoint that the
            config names, are copied.
        teacher: The trained run that it learns from; config and weights are copied.

    Raises:
        RunError: If the id is taken, the folder can't be written, or what is to be
            copied is damaged.
    """
    check_run_id(config.run_id)
    path = runs_dir(data_dir) / config.run_id
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Renamed at the end: who is killed before has made no run.
        made = Path(
            tempfile.mkdtemp(prefix=f"{CREATED_PREFIX}{os.getpid()}-", dir=path.parent)
        )
        try:
            status = Status(state="stopped", epochs=config.settings.epochs)
            if origin is not None:
                with telling_removal(origin):
                    status = _copy_origin(origin, made, config, status)
            if teacher is not None:
                with telling_removal(teacher):
                    (made / TEACHER_DIR).mkdir()
                    for name in (CONFIG, WEIGHTS):
                        shutil.copy(teacher / name, made / TEACHER_DIR / name)
            _copy_seen([path for path in (origin, teacher) if path is not None], made)
            write_json(made / CONFIG, config.model_dump(mode="json"))
            write_status(made, status)
            made.chmod(0o755)
            # Fails if there is a folder of that name, since none of a run is empty.
            made.rename(path)
        except (OSError, RunError):
            shutil.rmtree(made, ignore_errors=True)
            raise
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise RunError(
                f"There is a run {config.run_id!r} already. Choose another --run-id, "
                f"or go on with `python -m core train --resume {config.run_id}`."
            ) from error
        raise RunError(f"{path} can't be made: {error.strerror}.") from error
    return path


def _copy_origin(origin: Path, made: Path, config: RunConfig, status: Status) -> Status:
    """Copies what a run begins with from its origin; returns how far that is."""
    epoch = config.origin.epoch if config.origin else None
    if epoch is None:
        shutil.copy(origin / WEIGHTS, made / INITIAL_WEIGHTS)
        return status
    source = origin / kept_checkpoint(epoch)
    shutil.copy(source, made / INITIAL_CHECKPOINT)
    saved = read_metadata(source)
    try:
        rows, elapsed_s = list(saved["history"]), float(saved["elapsed_s"])
        if (saved["epoch"], len(rows)) != (epoch, epoch):
            raise ValueError(f"it is not of epoch {epoch}")
    except _DAMAGE as error:
        raise RunError(_damaged(source, error)) from error
    # Until it has trained further, its course is that of its origin.
    write_history(made, rows)
    return replace(status, epoch=epoch, elapsed_s=elapsed_s)


def _copy_seen(sources: Sequence[Path], made: Path) -> None:
    """Writes what a run's origin and teacher have seen: that counts as seen by it."""
    seen = []
    for source in sources:
        with telling_removal(source):
            seen.append(read_train_keys(source))
    if seen:
        with replacing(made / TRAIN_KEYS) as temporary, temporary.open("wb") as stream:
            np.save(stream, np.unique(np.concatenate(seen)))


def lock_run(path: Path) -> FileLock:
    """Takes the right to write a run folder, until released or the process ends.

    Raises:
        BusyError: If another process has it.
        RunError: If the run has been removed.
    """
    lock = FileLock(path / LOCK)
    try:
        before = path.stat()
        lock.acquire(timeout=0)
    except Timeout as error:
        raise BusyError(
            f"Run {path.name!r} is being trained or evaluated by another process."
        ) from error
    except OSError as error:
        check_there(path)
        raise RunError(f"{path} can't be written: {error.strerror}.") from error
    # Whoever removes a run renames it first, and the lock makes a missing folder.
    try:
        is_there = os.path.samestat(before, path.stat()) and not is_ghost(path)
    except OSError:
        is_there = False
    if not is_there:
        lock.release()
        clear_ghost(path)
        raise _removed(path)
    return lock


def check_there(path: Path) -> None:
    """Raises `RunError` if a run that was found before has been removed."""
    if not path.is_dir() or is_ghost(path):
        raise _removed(path)


@contextmanager
def telling_removal(path: Path) -> Iterator[None]:
    """Makes of whatever the removal of a run breaks one clear `RunError`."""
    try:
        yield
    except (OSError, RunError):
        check_there(path)
        raise


def is_ghost(path: Path) -> bool:
    """Returns whether a folder holds nothing of a run but a lock, at most."""
    try:
        return {entry.name for entry in path.iterdir()} <= {LOCK}
    except OSError:
        return False


def clear_ghost(path: Path) -> None:
    """Deletes the folder that a lock has made anew where a run was removed."""
    if is_ghost(path):
        with suppress(OSError):
            (path / LOCK).unlink(missing_ok=True)
            path.rmdir()


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


def write_history(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Replaces a run's history: one JSON object a line, one line an epoch."""
    write_text(path / HISTORY, "".join(json.dumps(row) + "\n" for row in rows))


def check_weights(path: Path) -> None:
    """Raises `RunError` unless a run has weights."""
    if (path / WEIGHTS).exists():
        return
    check_there(path)
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
    _check_stoppable(path)
    request = path / STOP_REQUEST
    try:
        request.touch()
    except OSError as error:
        check_there(path)
        raise RunError(f"{path} can't be written: {error.strerror}.") from error
    try:
        # If it has ended meanwhile, nobody takes the request away any more.
        _check_stoppable(path)
    except RunError:
        request.unlink(missing_ok=True)
        raise


def _check_stoppable(path: Path) -> None:
    run = read_run(path)
    check_there(path)
    if run.state not in ACTIVE_STATES:
        raise RunError(f"Run {run.run_id!r} is not running: {run.state}.")
    if run.status.phase == "evaluating":
        raise RunError(
            f"Run {run.run_id!r} is trained and being evaluated, which ends by itself."
        )


def read_config(path: Path) -> RunConfig:
    """Reads a run's settings.

    Raises:
        RunError: If they are missing or damaged, or the run has been removed.
    """
    content = b""
    try:
        content = (path / CONFIG).read_bytes()
        return RunConfig.model_validate_json(content)
    except OSError as error:
        check_there(path)
        raise RunError(f"{path / CONFIG} can't be read: {error.strerror}.") from error
    except ValidationError as error:
        if (version := _later_format(content)) is not None:
            raise RunError(
                f"{path / CONFIG} has format {version}, which a later version wrote; "
                f"this version reads {FORMAT_VERSION}. Update SketchScope."
            ) from error
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
    own = [path for path in list_folder(runs_dir(data_dir)) if not is_ghost(path)]
    own.sort(key=_changed_at, reverse=True)
    found = map(_read_listed, (*own, *list_folder(trained_dir)))
    return [run for run in found if run is not None]


def _read_listed(path: Path) -> Run | None:
    """Reads a run that may be removed or made anew meanwhile."""
    run = read_run(path)
    if run.problem:
        run = read_run(path)
    return run if path.is_dir() else None


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
        doomed = path.with_name(
            f"{REMOVED_PREFIX}{os.getpid()}-{run_id}-{time.time_ns()}"
        )
        path.rename(doomed)
    finally:
        lock.release()
    remove_tree(doomed)


def clear_leftovers(path: Path) -> None:
    """Deletes what a killed write left in a run folder; the caller holds its lock."""
    for leftover in list_folder(path, f"{TEMPORARY_PREFIX}*"):
        leftover.unlink(missing_ok=True)
    (path / STOP_REQUEST).unlink(missing_ok=True)
    if (path / WEIGHTS).exists():
        remove_intermediate(path)


def remove_intermediate(path: Path) -> None:
    """Deletes what only a training needs; a kept checkpoint stays."""
    for name in (CHECKPOINT, INITIAL_WEIGHTS, INITIAL_CHECKPOINT, TEACHER_ANSWERS):
        (path / name).unlink(missing_ok=True)
    for best in list_folder(path, BEST_WEIGHTS_GLOB):
        best.unlink(missing_ok=True)
    if (path / TEACHER_DIR).exists():
        remove_tree(path / TEACHER_DIR)


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


def read_train_keys(path: Path) -> NDArray[np.uint64]:
    """Reads the keys of all sketches that a run has seen in training.

    Returns:
        Shape `(m,)`; see `core.datasets.store.Dataset.keys`.

    Raises:
        RunError: If they are missing or damaged.
    """
    try:
        seen = load_array(path / TRAIN_KEYS)
        if seen.dtype != np.uint64 or not seen.size:
            raise ValueError("it holds no keys")
    except (OSError, ValueError, AttributeError) as error:
        raise RunError(
            f"{path / TRAIN_KEYS} is missing or damaged, so nobody knows which "
            f"sketches run {path.name!r} was trained on: {error}."
        ) from error
    return np.asarray(seen, dtype=np.uint64)


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
    # Both are absent where nothing is held out, but never null.
    val_loss: float = 0.0
    val_top1: _Fraction = 0.0
    elapsed_s: float

    @model_validator(mode="after")
    def _check_validation(self) -> Self:
        if len(self.model_fields_set & {"val_loss", "val_top1"}) == 1:
            raise ValueError("`val_loss` and `val_top1` need each other")
        return self


_DAMAGE = (OSError, ValueError, TypeError, KeyError, RecursionError)
"""What reading a damaged file raises; a `ValidationError` is a `ValueError`."""


def _removed(path: Path) -> RunError:
    return RunError(f"Run {path.name!r} was removed meanwhile.")


def _damaged(path: Path, error: BaseException) -> str:
    """Returns one sentence on a file that can't be read."""
    if isinstance(error, ValidationError):
        return f"{path} is damaged. {explain(error)}"
    return f"{path} is damaged: {str(error) or type(error).__name__}."


def _later_format(content: bytes) -> int | None:
    """Returns the format of a config that this version is too old for."""
    try:
        version = json.loads(content)["format_version"]
    except _DAMAGE:
        return None
    return version if isinstance(version, int) and version > FORMAT_VERSION else None


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
        # Both of them move when the clock is set anew, their difference doesn't.
        uptime_s = started - psutil.boot_time()
        is_same = (
            abs(started - status.process_started) < PROCESS_START_TOLERANCE_S
            or abs(uptime_s - status.process_uptime_s) < PROCESS_START_TOLERANCE_S
        )
        return bool(is_same and process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, ValueError, OverflowError):
        return False

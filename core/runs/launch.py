"""Starts trainings as processes that outlive whoever started them."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import RunError, Sentence, SketchScopeError, unwritable
from core.files import list_folder, open_regular
from core.paths import DATA_VARIABLE, REPOSITORY_DIR
from core.runs.folder import DAMAGE, reporting_removal, runs_dir
from core.runs.status import ACTIVE_STATES, read_status, read_written_status

LOG = "train.log"
LOG_TAIL_BYTES = 20_000
MAX_LOG_BYTES = 2**20
"""A log beyond it is put aside, in place of the one put aside before."""

START_TIMEOUT_S = 60.0
NICENESS = 10
"""The dashboard goes first where both want the processor."""


def train_command(
    network: str,
    dataset: str,
    recipe: str,
    *,
    overrides: Mapping[str, Any] | None = None,
    run_id: str | None = None,
    origin: str | None = None,
    wait: bool = False,
    data_dir: Path | None = None,
) -> str:
    """Returns the command line that makes and trains a run, quoted for a shell.

    Args:
        network: A name of `models.NETWORKS`.
        dataset: An installed dataset.
        recipe: A name of `core.runs.recipes.RECIPES`.
        overrides: Settings that replace the recipe's.
        run_id: The run's name.
        origin: The trained run that it goes on from.
        wait: Whether it is to wait until no other training runs.
        data_dir: Where it is to write, if not to the usual folder.
    """
    words = ["python", "-m", "core", "train", network]
    words += ["--dataset", dataset, "--recipe", recipe]
    if origin:
        words += ["--from", origin]
    if run_id:
        words += ["--run-id", run_id]
    for field, value in (overrides or {}).items():
        if field in ("epochs", "seed"):
            words += [f"--{field}", str(value)]
        else:
            words += ["--set", f"{field}={json.dumps(value)}"]
    if wait:
        words.append("--wait")
    command = shlex.join(words)
    if data_dir is not None and data_dir != REPOSITORY_DIR / "data":
        command = f"{DATA_VARIABLE}={shlex.quote(str(data_dir))} {command}"
    return command


def check_installed(backend: str | None = None) -> None:
    """Raises `SketchScopeError` unless there is what Keras is to compute with.

    Args:
        backend: A name of Keras's; by default what `KERAS_BACKEND` names, or else
            TensorFlow.
    """
    backend = backend or os.environ.get("KERAS_BACKEND", "tensorflow")
    missing = [name for name in (backend, "keras") if find_spec(name) is None]
    if missing:
        raise SketchScopeError(
            "Training and evaluation need {package}, which is not installed: "
            "`pip install -r {requirements}` adds it.",
            package=missing[0],
            requirements=f"requirements{'-jax' if backend == 'jax' else ''}.txt",
        )


def launch_training(run_dir: Path, *, data_dir: Path) -> None:
    """Starts the process that trains a run, or goes on with it, when it is its turn.

    It lives on when this process ends; what it prints is appended to the run's log.
    Returns as soon as it has spoken, within a second or two.

    Raises:
        SketchScopeError: If what Keras computes with is not installed.
        RunError: If it is at work already, was removed, or ends at once.
    """
    check_installed()
    with reporting_removal(run_dir):
        _launch(run_dir, data_dir=data_dir)


def list_interrupted(data_dir: Path) -> list[Path]:
    """Lists the runs whose processes ended without a word, as when a machine stops.

    Those that trained come first, then those that waited for their turn, as they did.
    """
    ended: list[tuple[float, Path]] = []
    for path in list_folder(runs_dir(data_dir)):
        with suppress(*DAMAGE):
            written = read_written_status(path)
            if written.state in ACTIVE_STATES and read_status(path).state == "failed":
                since = written.queued_at if written.state == "queued" else 0.0
                ended.append((since, path))
    return [path for _, path in sorted(ended)]


def _launch(run_dir: Path, *, data_dir: Path) -> None:
    try:
        if read_status(run_dir).state in ACTIVE_STATES:
            raise RunError("Run {run!r} is under way already.", run=run_dir.name)
    except (OSError, ValueError) as error:
        raise RunError(
            "The status of {run} can't be read: {reason}.", run=run_dir, reason=error
        ) from error

    def is_at_work(pid: int) -> bool:
        try:
            return read_status(run_dir).pid == pid
        except (OSError, ValueError):
            return False  # It is being replaced or has been removed.

    words = ["train", "--resume", run_dir.name, "--wait"]
    try:
        launch_command(words, run_dir / LOG, data_dir=data_dir, has_spoken=is_at_work)
    except RunError as error:
        is_there = run_dir.exists()
        raise RunError(
            "Run {run!r} could not be started: {reason}",
            run=run_dir.name,
            reason=error if is_there else Sentence("it was removed meanwhile."),
        ) from error


def launch_command(
    words: Sequence[str],
    log: Path,
    *,
    data_dir: Path,
    has_spoken: Callable[[int], bool],
) -> None:
    """Starts a process of `python -m core …`, which lives on when this one ends.

    It leaves the processor to others. Returns as soon as it has spoken.

    Args:
        words: What follows `core`.
        log: Where what it prints is appended; a long one is put aside first.
        data_dir: Where it is to read and write.
        has_spoken: Whether the process of an id has written that it is at work.

    Raises:
        RunError: Why it could not be started; to be said after what that is.
    """
    turn_log(log)
    try:
        stream = log.open("ab")
    except OSError as error:
        raise RunError(unwritable(log, error)) from error
    with stream:
        start = stream.tell()
        process = _start(words, stream, data_dir=data_dir)
    _lower_priority(process.pid)
    # Someone has to take note of its end, or it stays a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        # In this order: it may speak and end between the two.
        ended = process.poll()
        if has_spoken(process.pid):
            return
        if ended is not None:
            raise RunError(
                _last_words(log, start)
                or Sentence("its process ended with code {code}.", code=ended)
            )
        time.sleep(0.05)
    raise RunError(
        "its process has not said anything for {seconds:.0f} s; the machine may be "
        "overloaded. Look again later.",
        seconds=START_TIMEOUT_S,
    )


def _start(
    words: Sequence[str], log: BinaryIO, *, data_dir: Path
) -> "subprocess.Popen[bytes]":
    """Starts the process; raises `RunError` where the system has none to give."""
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "core", *words],
            cwd=REPOSITORY_DIR,
            env={
                **os.environ,
                DATA_VARIABLE: str(data_dir),
                "PYTHONUNBUFFERED": "1",
                "COLUMNS": "100",
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Neither Ctrl-C in the dashboard's terminal nor its end reaches it.
            start_new_session=True,
        )
    except OSError as error:
        reason = f"{error.strerror or error}."
        raise RunError(reason) from error


def turn_log(path: Path) -> None:
    """Puts a long log aside while it is written: what is printed on begins anew."""
    # Whoever prints into it does so at its end, wherever that is.
    with suppress(OSError):
        if path.stat().st_size > MAX_LOG_BYTES:
            shutil.copyfile(path, path.with_name(f"{path.name}.1"))
            os.truncate(path, 0)


def read_log(path: Path) -> str:
    """Returns the end of what processes printed into a log, "" if nothing."""
    try:
        with open_regular(path) as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - LOG_TAIL_BYTES))
            return log.read().decode("utf-8", errors="replace")
    except OSError:
        return ""


def _last_words(path: Path, start: int) -> str:
    """Returns the last error in a log, or its last line, from a place on."""
    try:
        with open_regular(path) as log:
            log.seek(start)
            lines = log.read().decode("utf-8", errors="replace").strip().split("\n")
    except OSError:
        return ""
    # Others who try to start the run print there too.
    errors = [line for line in lines if line.startswith("Error: ")]
    return (errors or lines)[-1].removeprefix("Error: ")


def _lower_priority(pid: int) -> None:
    """Lowers the priority of a process that leads a session of its own."""
    if os.name == "posix":
        os.setpriority(os.PRIO_PROCESS, pid, NICENESS)
    # Where Linux schedules by session, a process's own niceness counts only within it.
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(NICENESS), encoding="ascii")

"""Starts trainings as processes that outlive whoever started them."""

import json
import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import RunError
from core.paths import DATA_VARIABLE, REPOSITORY_DIR
from core.runs.folder import telling_removal
from core.runs.status import ACTIVE_STATES, read_status

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


def launch_training(run_dir: Path, *, data_dir: Path) -> None:
    """Starts the process that trains a run, or goes on with it, when it is its turn.

    It lives on when this process ends; what it prints is appended to the run's log.
    Returns as soon as it has spoken, within a second or two.

    Raises:
        RunError: If it is at work already, was removed, or ends at once.
    """
    with telling_removal(run_dir):
        _launch(run_dir, data_dir=data_dir)


def _launch(run_dir: Path, *, data_dir: Path) -> None:
    try:
        if read_status(run_dir).state in ACTIVE_STATES:
            raise RunError(f"Run {run_dir.name!r} is under way already.")
    except (OSError, ValueError) as error:
        raise RunError(f"The status of {run_dir} can't be read: {error}.") from error
    with _open_log(run_dir) as log:
        start = log.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "core", "train", "--resume", run_dir.name, "--wait"],
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
    _step_back(process.pid)
    # Someone has to take note of its end, or it stays a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    _wait_until_it_speaks(run_dir, process, start)


def read_log(run_dir: Path) -> str:
    """Returns the end of what a run's processes printed, "" if nothing."""
    try:
        with (run_dir / LOG).open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - LOG_TAIL_BYTES))
            return log.read().decode("utf-8", errors="replace")
    except OSError:
        return ""


def _last_words(run_dir: Path, start: int) -> str:
    """Returns the last error in a run's log, or its last line, from a place on."""
    try:
        with (run_dir / LOG).open("rb") as log:
            log.seek(start)
            lines = log.read().decode("utf-8", errors="replace").strip().split("\n")
    except OSError:
        return ""
    # Others who try to start the run print there too.
    errors = [line for line in lines if line.startswith("Error: ")]
    return (errors or lines)[-1].removeprefix("Error: ")


def _open_log(run_dir: Path) -> BinaryIO:
    """Opens a run's log at its end, and puts a long one aside first."""
    path = run_dir / LOG
    try:
        with suppress(FileNotFoundError):
            if path.stat().st_size > MAX_LOG_BYTES:
                path.replace(path.with_name(f"{LOG}.1"))
        return path.open("ab")
    except OSError as error:
        raise RunError(f"{path} can't be written: {error.strerror}.") from error


def _step_back(pid: int) -> None:
    """Lets all others go before a process that leads a session of its own."""
    if os.name == "posix":
        os.setpriority(os.PRIO_PROCESS, pid, NICENESS)
    # Where Linux schedules by session, a process's own niceness counts only within it.
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(NICENESS), encoding="ascii")


def _wait_until_it_speaks(
    run_dir: Path, process: "subprocess.Popen[bytes]", start: int
) -> None:
    """Waits for a process to say in the run's status that it is at work.

    Args:
        run_dir: The run's folder.
        process: The process.
        start: Where in the run's log what it prints begins.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        ended = process.poll()
        try:
            if read_status(run_dir).pid == process.pid:
                return
        except (OSError, ValueError):
            pass  # It is being replaced or has been removed.
        if ended is not None:
            reason = _last_words(run_dir, start) or (
                f"its process ended with code {ended}."
            )
            if not run_dir.exists():
                reason = "it was removed meanwhile."
            raise RunError(f"Run {run_dir.name!r} could not be started: {reason}")
        time.sleep(0.05)
    raise RunError(
        f"The process of run {run_dir.name!r} has not said anything for "
        f"{START_TIMEOUT_S:.0f} s; the machine may be overloaded. Look again later."
    )

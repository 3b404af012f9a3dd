"""Asks a training to stop, and listens for such requests."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from core.errors import RunError, Sentence, unwritable
from core.runs.folder import STOP_REQUEST, check_there
from core.runs.reading import read_run
from core.runs.status import ACTIVE_STATES

StopCheck = Callable[[], bool]
"""Returns whether a training has been asked to stop."""


@contextmanager
def stop_requests(run_dir: Path) -> Iterator[StopCheck]:
    """Listens for SIGINT, SIGTERM and the run's stop file.

    The first signal is a request; the second does what it always does. Python
    hands signals to the main thread only; in another, the file alone counts.

    Args:
        run_dir: A run's folder.
    """
    requested = False
    previous: dict[signal.Signals, Any] = {}

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal requested
        requested = True
        signal.signal(number, previous[signal.Signals(number)])

    is_main = threading.current_thread() is threading.main_thread()
    for stop_signal in (signal.SIGINT, signal.SIGTERM) if is_main else ():
        previous[stop_signal] = signal.signal(stop_signal, handle)
    try:
        yield lambda: requested or (run_dir / STOP_REQUEST).exists()
    finally:
        for stop_signal, handler in previous.items():
            signal.signal(stop_signal, handler)


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
        raise RunError(unwritable(path, error)) from error
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
        raise RunError(
            "Run {run!r} is not running: {state}.",
            run=run.run_id,
            state=Sentence(run.state),
        )
    if run.status.phase == "evaluating":
        raise RunError(
            "Run {run!r} is trained and being evaluated, which ends by itself.",
            run=run.run_id,
        )

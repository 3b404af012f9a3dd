"""Turns signals and a file in the run folder into one question: stop now?"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from core.runs.folder import STOP_REQUEST

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

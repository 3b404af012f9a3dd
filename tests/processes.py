"""What tests of processes need: their memory, and threads without an event loop."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def apart(function: Callable[[], T]) -> T:
    """Calls a function in another thread: this one may have Playwright's event loop."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(function).result()


def peak_bytes(pid: int | str = "self") -> int:
    """Returns the most memory that a process has held, as Linux counts it.

    `getrusage` has the peak of the process that started it, too, where that is higher.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024

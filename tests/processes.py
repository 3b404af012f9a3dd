"""What tests of processes need: their memory, their rights, and a thread apart."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from tests.conftest import REPOSITORY

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


def as_an_ordinary_user(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs Python without the right to read what it may not."""
    command = [sys.executable, *words]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv, as root")
        lost = "-dac_override,-dac_read_search"
        command[:0] = ["setpriv", f"--inh-caps={lost}", f"--bounding-set={lost}"]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=REPOSITORY
    )

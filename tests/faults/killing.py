"""Kills a command of the program at a chosen file operation, or lets it fail there.

Every creation, replacement and removal under a folder is an event of Python's audit
hooks, before it happens. A process that dies before its n-th leaves what n-1 of them
made: going through all n meets every state that a kill can leave, which kills at random
moments hardly ever do.
"""

import errno
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

Fault = Literal["kill", "full disk"]

EVENTS = frozenset(
    {
        *("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.chmod"),
        *("shutil.copyfile", "shutil.rmtree", "os.truncate"),
    }
)
WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
FAILING = frozenset({"open", "os.mkdir", "os.rename"})
"""What a full disk refuses; removing still works."""


class Saboteur:
    """An audit hook that counts file operations under a folder and strikes at one.

    Attributes:
        count: Operations so far.
    """

    def __init__(self, folder: Path, *, strike_at: int, fault: Fault) -> None:
        self.count = 0
        self._folder = f"{folder}{os.sep}"
        self._strike_at = strike_at
        self._fault = fault

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            if not (isinstance(args[2], int) and args[2] & WRITING_FLAGS):
                return
        elif event not in EVENTS:
            return
        if not any(
            isinstance(arg, str | os.PathLike)
            and os.fspath(arg).startswith(self._folder)
            for arg in args
        ):
            return
        self.count += 1
        if self._fault == "kill":
            if self.count == self._strike_at:
                os.kill(os.getpid(), signal.SIGKILL)
        elif 0 < self._strike_at <= self.count and event in FAILING:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(args[0]))


def run_sabotaged(
    words: Sequence[str], folder: Path, *, strike_at: int, fault: Fault, log: Path
) -> tuple[int, int]:
    """Runs a command in a process of its own that has all libraries loaded already.

    Args:
        words: What would follow `python -m core`.
        folder: Operations outside it don't count.
        strike_at: At which operation it is killed or from which on the disk is full,
            from 1; 0 for never.
        fault: What happens.
        log: Gets what the command prints.

    Returns:
        Its exit code (negative for a signal), and how many operations it came to; -1
        where it was killed.
    """
    log.unlink(missing_ok=True)
    counter, counted = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(counter)
        os.setsid()
        sink = os.open(log, os.O_WRONLY | os.O_CREAT)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        code = 70
        saboteur = Saboteur(folder, strike_at=strike_at, fault=fault)
        try:
            from core.cli import app

            sys.argv = ["core", *words]
            sys.addaudithook(saboteur)
            app.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.write(counted, str(saboteur.count).encode())
            os._exit(code)
    os.close(counted)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(counter) as stream:
        told = stream.read()
    return os.waitstatus_to_exitcode(status), int(told or -1)

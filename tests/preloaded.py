"""Starts Python programs in processes that have large libraries loaded already.

Importing TensorFlow takes six seconds, and the tests start some two hundred commands
that need it. Here each is forked from a process that has imported everything and
computed nothing, and then runs as `python -m …` or `python -c …` would: in a process of
its own with an environment, output, signals and exit code of its own, which can be
killed like any other. When a library is loaded, and what it prints then, is not tested
this way but in `tests/rules`, with fresh interpreters.

ONNX Runtime can't be among the libraries: it starts threads as it is imported, which a
forked process lacks and waits for at its end.
"""

import atexit
import gc
import json
import os
import runpy
import select
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import IO, Any
from weakref import finalize

REPOSITORY = Path(__file__).resolve().parent.parent
MAX_MESSAGE_BYTES = 2**17


class Process:
    """A program in a process of its own, with the part of `Popen` that tests use.

    Attributes:
        pid: Its process id.
        returncode: Its exit code, negative for a signal; None until `poll` or `wait`
            has seen it end.
    """

    def __init__(self, events: int) -> None:
        self._events = os.fdopen(events, encoding="ascii")
        # A test that fails drops it without having waited for its end.
        self._close = finalize(self, self._events.close)
        line = self._events.readline()
        if not line:
            self._close()
            raise RuntimeError("The process with the loaded libraries has ended.")
        self.pid = int(line)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Returns its exit code, None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end and returns its exit code.

        Args:
            timeout: For how many seconds; None for as long as it takes.

        Raises:
            subprocess.TimeoutExpired: If it runs longer.
        """
        if self.returncode is None:
            if not select.select([self._events], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            self.returncode = int(self._events.readline())
            self._close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless it is known to have ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends it without a chance to tidy up."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Asks it to end."""
        self.send_signal(signal.SIGTERM)


class Preloaded:
    """A process that has imported modules, and forks others from itself (Linux)."""

    def __init__(self, modules: Sequence[str]) -> None:
        # One message is one request.
        self._control, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs:
            # It ends when this process closes its end, however it does so.
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.preloaded", str(theirs.fileno())),
                    *modules,
                ],
                cwd=REPOSITORY,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        atexit.register(self._close)

    def _close(self) -> None:
        self._control.close()
        self._process.wait()

    def start(
        self,
        words: Sequence[str],
        *,
        env: Mapping[str, str],
        stdout: IO[Any] | int = subprocess.DEVNULL,
        stderr: IO[Any] | int = subprocess.DEVNULL,
    ) -> Process:
        """Starts a program in the repository's folder.

        Args:
            words: What would follow `python`: `-m`, a module and its arguments, or
                `-c`, a program and its arguments.
            env: All of its environment. What libraries read of it as they are imported
                comes too late.
            stdout: An open file, or `subprocess.DEVNULL`.
            stderr: Likewise.
        """
        request = json.dumps({"words": list(words), "env": dict(env)}).encode()
        events, theirs = os.pipe()
        with open(os.devnull, "r+b") as nowhere:  # noqa: PTH123
            files = [
                nowhere.fileno() if file == subprocess.DEVNULL else _number(file)
                for file in (nowhere, stdout, stderr)
            ]
            socket.send_fds(self._control, [request], [*files, theirs])
        os.close(theirs)
        return Process(events)

    def run(
        self, words: Sequence[str], *, env: Mapping[str, str], timeout: float
    ) -> "subprocess.CompletedProcess[str]":
        """Runs a program to its end, as `subprocess.run` does with captured output.

        Raises:
            subprocess.TimeoutExpired: If it runs longer than `timeout` seconds; it is
                killed.
        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = self.start(words, env=env, stdout=out, stderr=err)
            try:
                code = process.wait(timeout)
            except BaseException:
                process.kill()
                process.wait()
                raise
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode())
        return subprocess.CompletedProcess(list(words), code, *texts)


@cache
def preloaded(*modules: str) -> Preloaded:
    """Returns the process that has imported these modules; there is one of a kind."""
    return Preloaded(modules)


def _number(file: IO[Any] | int) -> int:
    return file if isinstance(file, int) else file.fileno()


def _serve(control: socket.socket) -> list[str] | None:
    """Forks a process for each request.

    Returns:
        In a new process, the words that it is to run; in this one, None, once the
        other end of `control` is closed.
    """
    # Ctrl-C in the terminal is for the tests.
    interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.data is not None:
                    pid, events = key.data
                    _, status = os.waitpid(pid, 0)
                    code = os.waitstatus_to_exitcode(status)
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    _tell(events, code)
                    os.close(events)
                    continue
                message, files, _, _ = socket.recv_fds(control, MAX_MESSAGE_BYTES, 4)
                if not message:
                    return None
                *streams, events = files
                pid = os.fork()
                if pid == 0:
                    signal.signal(signal.SIGINT, interrupt)
                    for other in selector.get_map().values():
                        if other.data is not None:
                            os.close(other.fd)
                            os.close(other.data[1])
                    control.close()
                    os.close(events)
                    return _begin(json.loads(message), streams)
                for stream in streams:
                    os.close(stream)
                _tell(events, pid)
                selector.register(
                    os.pidfd_open(pid), selectors.EVENT_READ, (pid, events)
                )


def _tell(events: int, number: int) -> None:
    # Whoever started it may have ended meanwhile.
    with suppress(BrokenPipeError):
        os.write(events, f"{number}\n".encode())


def _begin(request: dict[str, Any], streams: Sequence[int]) -> list[str]:
    """Makes a forked process look like one that was just started."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(  # noqa: SIM115
        2, "w", buffering=1, errors="backslashreplace", closefd=False
    )
    os.environ.clear()
    os.environ.update(request["env"])
    words: list[str] = request["words"]
    return words


def main() -> None:
    """Imports the modules, then serves; in a forked process, runs its program."""
    control = socket.socket(fileno=int(sys.argv[1]))
    for name in sys.argv[2:]:
        import_module(name)
    gc.collect()
    gc.freeze()
    words = _serve(control)
    if words is None:
        return
    kind, what, *arguments = words
    if kind == "-m":
        sys.argv = [what, *arguments]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.argv = ["-c", *arguments]
        module = sys.modules["__main__"] = ModuleType("__main__")
        exec(what, module.__dict__)


if __name__ == "__main__":
    main()

"""Lets someone act in the middle of what another does, at each of its file operations.

Two processes that race meet the moment that matters once in a thousand rounds. Here
what one does is held at its first file operation, then at its second and so on, until
the other has done the whole of what it wants.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import SketchScopeError
from tests.faults.killing import EVENTS

WATCHED = EVENTS | {"open", "os.scandir", "os.listdir", "os.utime"}
MAX_MOMENTS = 500

Act = Callable[[Path], Any]
"""What someone does in a data folder."""


@dataclass
class Meeting:
    """What came of one act in the middle of another.

    Attributes:
        data_dir: The folder that both worked in.
        result: What the one who was interrupted returned, if nothing was wrong.
        told: What they were told, or "".
        other_told: What the other was told, or "".
    """

    data_dir: Path
    result: Any = None
    told: str = ""
    other_told: str = ""


@dataclass
class _Watch:
    """Counts file operations under a folder and calls in another at one of them."""

    folder: str = ""
    at: int = 0
    count: int = 0
    is_on: bool = False
    call: Callable[[], None] = field(default=lambda: None)

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.is_on or event not in WATCHED:
            return
        if not any(
            isinstance(arg, str | os.PathLike)
            and os.fspath(arg).startswith(self.folder)
            for arg in args
        ):
            return
        self.count += 1
        if self.count == self.at:
            self.is_on = False
            try:
                self.call()
            finally:
                self.is_on = True


_watch = _Watch()
_hooks: list[_Watch] = []


def meetings(
    base: Path, prepare: Act, mine: Act, others: Act, *, most: int = MAX_MOMENTS
) -> Iterator[Meeting]:
    """Yields what comes of two acts, one at every moment of the other.

    Anything but a `SketchScopeError` is raised.

    Args:
        base: A data folder, of which each meeting gets a copy.
        prepare: What happens in it before.
        mine: What is interrupted.
        others: What happens meanwhile.
        most: At how many moments, if not at all.
    """
    if not _hooks:
        # It can't be taken off again, only be told to look away.
        sys.addaudithook(_watch)
        _hooks.append(_watch)
    for at in range(1, most + 1):
        meeting = Meeting(base.with_name(f"{base.name}-meeting-{at}"))
        shutil.copytree(base, meeting.data_dir)
        prepare(meeting.data_dir)

        def call(meeting: Meeting = meeting) -> None:
            try:
                others(meeting.data_dir)
            except SketchScopeError as error:
                meeting.other_told = str(error)

        _watch.folder, _watch.at, _watch.count = str(meeting.data_dir), at, 0
        _watch.call, _watch.is_on = call, True
        try:
            meeting.result = mine(meeting.data_dir)
        except SketchScopeError as error:
            meeting.told = str(error)
        finally:
            _watch.is_on = False
        if _watch.count < at:
            assert at > 1, "it has done nothing that could be interrupted"
            shutil.rmtree(meeting.data_dir, ignore_errors=True)
            return
        yield meeting
        shutil.rmtree(meeting.data_dir)
    assert most < MAX_MOMENTS, f"more than {MAX_MOMENTS} file operations"

"""Sets of test sketches, small enough to stand in an address.

A set is some rows of an evaluation, ascending. Nothing of it is stored: its name holds
all of it, so that whoever is sent the name has the set, and strangers fill no disk.
"""

import base64
import hashlib
import re
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.failures import FailureFilter, Tally, find_failures, tally
from core.errors import SetError
from core.runs.evaluation import Evaluation

LONGEST_IN_ADDRESS = 6000
"""Characters of a set's name. Proxies take lines of 8 KiB (nginx's default), and an
address holds more than the set."""

NAME_PATTERN = re.compile(r"[A-Za-z0-9_-]+")

MARK_BYTES = 4
"""Of a digest that tells one list of test sketches from another."""

MAIN_CLASSES = 3


def name_set(evaluation: Evaluation, rows: NDArray[np.integer]) -> str:
    """Returns the name of a set: letters, digits, `-` and `_`.

    It is a mark of the test sketches and a bit for each of them, deflated: at most 700
    characters where there are 4,000 test sketches.

    Args:
        evaluation: Of any run that was scored on the same test sketches.
        rows: Of its arrays, at least one, in any order.

    Returns:
        The same name for the same set. It may be longer than `LONGEST_IN_ADDRESS`,
        where the set has thousands of sketches out of tens of thousands.

    Raises:
        ValueError: If there are no rows, or one is out of range.
    """
    n = len(evaluation.ids)
    if not len(rows) or not 0 <= rows.min() <= rows.max() < n:
        raise ValueError(f"`rows` must be some of 0 to {n - 1}. Received: {rows}")
    bits = np.zeros(n, dtype=bool)
    bits[rows] = True
    packed = zlib.compress(np.packbits(bits).tobytes(), level=9)
    return base64.urlsafe_b64encode(_mark(evaluation) + packed).decode().rstrip("=")


def read_set(evaluation: Evaluation, name: str) -> NDArray[np.int64]:
    """Returns the rows of a set by its name, ascending.

    Raises:
        SetError: If the name is none, or of a set of other test sketches.
    """
    damaged = SetError(
        "The set in this address is damaged. Copy the whole address, or gather the "
        "sketches anew on the page Map."
    )
    if not NAME_PATTERN.fullmatch(name) or len(name) % 4 == 1:
        raise damaged
    content = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4))
    mark, packed = content[:MARK_BYTES], content[MARK_BYTES:]
    n = len(evaluation.ids)
    size = -(-n // 8)
    stream = zlib.decompressobj()
    try:
        # A few bytes can stand for gigabytes: no more is unpacked than can be right.
        unpacked = stream.decompress(packed, size + 1)
    except zlib.error as error:
        raise damaged from error
    if not stream.eof and len(unpacked) <= size:
        raise damaged
    if mark != _mark(evaluation):
        raise SetError(
            "The set in this address is of other test sketches than this run's. "
            "Choose the run that it was gathered from."
        )
    if not stream.eof or stream.unused_data or len(unpacked) != size:
        raise damaged
    bits = np.unpackbits(np.frombuffer(unpacked, dtype=np.uint8))
    if bits[n:].any() or not bits.any():
        raise damaged
    return np.flatnonzero(bits)


def _mark(evaluation: Evaluation) -> bytes:
    """Returns what tells these test sketches, in this order, from others."""
    digest = hashlib.sha256(str(evaluation.metrics.get("split_fingerprint")).encode())
    for sketch in evaluation.ids:
        digest.update(b"\0" + sketch.encode("utf-8", "surrogatepass"))
    return digest.digest()[:MARK_BYTES]


@dataclass(frozen=True)
class Gathering:
    """What can be said of a set in a sentence or two.

    Attributes:
        failures: Those of the set.
        usual: Share of all test sketches that are wrong.
        num_classes: How many classes were drawn.
        main: Those that were drawn most often and how often, at most three.
    """

    failures: Tally
    usual: float
    num_classes: int
    main: tuple[tuple[str, int], ...]


def describe_set(evaluation: Evaluation, rows: NDArray[np.int64]) -> Gathering:
    """Counts what is worth telling of a set; equal classes are in order of their names.

    Args:
        evaluation: The run's.
        rows: Of its arrays, at least one.
    """
    wrong = find_failures(evaluation, FailureFilter(among=rows))
    labels, counts = np.unique(evaluation.y_true[rows], return_counts=True)
    drawn = sorted(
        (-int(count), evaluation.class_names[label])
        for label, count in zip(labels, counts, strict=True)
    )
    return Gathering(
        failures=tally(evaluation, wrong, other=None, among=rows),
        usual=float((evaluation.y_pred != evaluation.y_true).mean()),
        num_classes=len(labels),
        main=tuple((name, -count) for count, name in drawn[:MAIN_CLASSES]),
    )

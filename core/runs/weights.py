"""Reads and writes safetensors files, which hold numbers and can't hold code."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from core.errors import RunError
from core.files import open_regular

Index = TypeVar("Index")

DIGEST = "sha256"
"""One more tensor, which tells whether a bit of the others was flipped.

As a second text beside them it would make two files of the same numbers differ:
safetensors writes texts in any order.
"""

_DAMAGE = (
    OSError,
    SafetensorError,
    ValueError,
    TypeError,
    AttributeError,  # a type of number that NumPy doesn't have
    RecursionError,
)


def open_tensors(path: Path) -> safe_open:
    """Opens a safetensors file; raises `OSError` where there is none."""
    open_regular(path).close()
    return safe_open(path, framework="numpy")


def tensor_names(file: Any) -> list[str]:
    """Returns the names of an open file's tensors, without their digest's."""
    return sorted(set(file.keys()) - {DIGEST})


def save_tensors(
    tensors: Mapping[str, NDArray[Any]], path: Path, metadata: dict[str, str]
) -> None:
    """Writes a safetensors file, and in it a digest of all its tensors.

    Written by Python and not by safetensors, whose own temporary file would stay where
    a process is killed.

    Raises:
        OSError: If it can't be written.
    """
    contiguous = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    path.write_bytes(save(contiguous | {DIGEST: _digest(contiguous)}, metadata))


def read_tensors(path: Path) -> tuple[dict[str, NDArray[Any]], Any]:
    """Reads a file that `core.training.networks.save_variables` wrote.

    Returns:
        The tensors by name, in the order they were saved in, and the metadata.

    Raises:
        RunError: If the file is missing or damaged.
    """
    try:
        with open_tensors(path) as file:
            tensors = {
                name: np.asarray(file.get_tensor(name)) for name in tensor_names(file)
            }
            metadata = json.loads((file.metadata() or {}).get("metadata", "{}"))
    except _DAMAGE as error:
        raise RunError(
            "{path} is missing or damaged: {reason}.", path=path, reason=error
        ) from error
    return tensors, metadata


def read_index(
    path: Path, parse: Callable[[Any], Index], *, command: str
) -> Index | None:
    """Reads an index that can be made anew.

    Args:
        path: Its safetensors file.
        parse: Makes it of the open file; raises `KeyError` or `ValueError` where that
            holds something else.
        command: What makes it anew.

    Returns:
        None if there is none.

    Raises:
        RunError: If it is damaged.
    """
    try:
        with open_tensors(path) as file:
            return parse(file)
    except FileNotFoundError:
        return None
    except (*_DAMAGE, KeyError) as error:
        raise RunError(
            "{path} is damaged ({reason}). `{command}` makes it anew.",
            path=path,
            reason=error,
            command=command,
        ) from error


def has_changed(path: Path) -> bool:
    """Returns whether a file's tensors are others than those that were saved.

    False where no digest of them was kept, as in files of earlier releases.

    Raises:
        RunError: If the file is missing or damaged.
    """
    tensors, _ = read_tensors(path)
    with open_tensors(path) as file:
        if DIGEST not in file.keys():  # noqa: SIM118 - it is no mapping
            return False
        return not np.array_equal(file.get_tensor(DIGEST), _digest(tensors))


def _digest(tensors: Mapping[str, NDArray[Any]]) -> NDArray[np.uint8]:
    found = hashlib.sha256()
    for name in sorted(tensors):
        array = tensors[name]
        found.update(f"{name} {array.dtype} {array.shape}\n".encode())
        found.update(array.tobytes())
    return np.frombuffer(found.digest(), np.uint8)


def read_metadata(path: Path) -> Any:
    """Reads what such a file says beside its tensors.

    Raises:
        RunError: If the file is missing or damaged.
    """
    try:
        with open_tensors(path) as file:
            return json.loads((file.metadata() or {}).get("metadata", "{}"))
    except _DAMAGE as error:
        raise RunError(
            "{path} is missing or damaged: {reason}.", path=path, reason=error
        ) from error


def misfit(path: Path) -> RunError:
    """Returns the error for weights of other names or shapes than a network's."""
    return RunError(
        "{path} doesn't fit the network that its config describes.", path=path
    )


def check_finite(run_id: str, *answers: NDArray[np.floating]) -> None:
    """Raises `RunError` if a run's network answers with NaN or infinity."""
    if not all(np.isfinite(answer).all() for answer in answers):
        raise RunError(
            "The network of run {run!r} answers with NaN; its training "
            "has diverged or its weights are damaged.",
            run=run_id,
        )

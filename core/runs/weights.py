"""Reads and writes safetensors files, which hold numbers and can't hold code."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from core.errors import RunError
from core.files import open_regular

DIGEST = "sha256"
"""Beside the tensors: what tells whether a bit of them was flipped."""

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


def save_tensors(
    tensors: Mapping[str, NDArray[Any]], path: Path, metadata: dict[str, str]
) -> None:
    """Writes a safetensors file, and in it a digest of all its tensors.

    Raises:
        OSError: If it can't be written, of which safetensors makes an error of its own.
    """
    contiguous = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    try:
        save_file(contiguous, path, metadata | {DIGEST: _digest(contiguous)})
    except SafetensorError as error:
        if number := re.search(r"os error (\d+)", str(error)):
            code = int(number[1])
            raise OSError(code, os.strerror(code), str(path)) from error
        raise


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
                name: np.asarray(file.get_tensor(name)) for name in sorted(file.keys())
            }
            metadata = json.loads((file.metadata() or {}).get("metadata", "{}"))
    except _DAMAGE as error:
        raise RunError(
            "{path} is missing or damaged: {reason}.", path=path, reason=error
        ) from error
    return tensors, metadata


def has_changed(path: Path) -> bool:
    """Returns whether a file's tensors are others than those that were saved.

    False where no digest of them was kept, as in files of earlier releases.

    Raises:
        RunError: If the file is missing or damaged.
    """
    tensors, _ = read_tensors(path)
    with open_tensors(path) as file:
        kept = (file.metadata() or {}).get(DIGEST)
    return kept is not None and kept != _digest(tensors)


def _digest(tensors: Mapping[str, NDArray[Any]]) -> str:
    found = hashlib.sha256()
    for name in sorted(tensors):
        array = tensors[name]
        found.update(f"{name} {array.dtype} {array.shape}\n".encode())
        found.update(array.tobytes())
    return found.hexdigest()


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

"""Reads safetensors files, which hold numbers and can't hold code."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from core.errors import RunError

_DAMAGE = (
    OSError,
    SafetensorError,
    ValueError,
    TypeError,
    AttributeError,  # a type of number that NumPy doesn't have
    RecursionError,
)


def read_tensors(path: Path) -> tuple[dict[str, NDArray[Any]], Any]:
    """Reads a file that `core.training.networks.save_variables` wrote.

    Returns:
        The tensors by name, in the order they were saved in, and the metadata.

    Raises:
        RunError: If the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            tensors = {
                name: np.asarray(file.get_tensor(name)) for name in sorted(file.keys())
            }
            metadata = json.loads((file.metadata() or {}).get("metadata", "{}"))
    except _DAMAGE as error:
        raise RunError(f"{path} is missing or damaged: {error}.") from error
    return tensors, metadata


def read_metadata(path: Path) -> Any:
    """Reads what such a file says beside its tensors.

    Raises:
        RunError: If the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            return json.loads((file.metadata() or {}).get("metadata", "{}"))
    except _DAMAGE as error:
        raise RunError(f"{path} is missing or damaged: {error}.") from error


def misfit(path: Path) -> RunError:
    """Returns the error for weights of other names or shapes than a network's."""
    return RunError(f"{path} doesn't fit the network that its config describes.")

"""Saves and restores everything a training needs to go on as if never stopped."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from core.errors import RunError
from core.files import replacing

_DAMAGE = (
    OSError,
    SafetensorError,
    ValueError,
    TypeError,
    AttributeError,  # a type of number that NumPy doesn't have
    RecursionError,
)


def save_variables(
    path: Path,
    variables: Iterable[Any],
    *,
    metadata: dict[str, Any] | None = None,
    dtype: str | None = None,
) -> None:
    """Replaces a safetensors file with the values of Keras variables, in order.

    Args:
        path: The file.
        variables: Keras variables of any dtype and shape.
        metadata: Anything JSON can hold, stored in the same file.
        dtype: What to convert the values to; None keeps them as they are.
    """
    tensors = {
        f"{position:04d}/{variable.path}": np.array(
            keras.ops.convert_to_numpy(variable), dtype=dtype, order="C"
        )
        for position, variable in enumerate(variables)
    }
    with replacing(path) as temporary:
        save_file(tensors, temporary, {"metadata": json.dumps(metadata or {})})


def load_variables(path: Path, variables: Iterable[Any]) -> dict[str, Any]:
    """Assigns what `save_variables` saved.

    Args:
        path: The file.
        variables: The same variables in the same order.

    Returns:
        The metadata.

    Raises:
        RunError: If the file is missing, damaged, or of other shapes.
    """
    variables = list(variables)
    try:
        with safe_open(path, framework="numpy") as file:
            names = sorted(file.keys())
            tensors = [file.get_tensor(name) for name in names]
            metadata = json.loads((file.metadata() or {}).get("metadata", "{}"))
    except _DAMAGE as error:
        raise RunError(f"{path} is missing or damaged: {error}.") from error
    saved = [tensor.shape for tensor in tensors]
    expected = [tuple(variable.shape) for variable in variables]
    if saved != expected or not isinstance(metadata, dict):
        raise RunError(f"{path} doesn't fit the network that its config describes.")
    for variable, tensor in zip(variables, tensors, strict=True):
        variable.assign(tensor)
    return metadata

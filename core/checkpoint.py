"""Saves and restores everything a training needs to go on as if never stopped."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from safetensors.numpy import save_file

from core.files import replacing
from core.tensors import misfit, read_tensors


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
    tensors, metadata = read_tensors(path)
    saved = [tensor.shape for tensor in tensors.values()]
    expected = [tuple(variable.shape) for variable in variables]
    if saved != expected or not isinstance(metadata, dict):
        raise misfit(path)
    for variable, tensor in zip(variables, tensors.values(), strict=True):
        variable.assign(tensor)
    return metadata

"""Builds networks from a run's config; loads and saves weights and checkpoints."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from core.errors import RunError
from core.files import replacing
from core.runs.config import RunConfig, Settings
from core.runs.folder import WEIGHTS
from core.runs.recipes import network_options
from core.runs.weights import misfit, read_tensors, save_tensors
from core.training.layers import TrainingLayers
from models import NETWORKS


def build_network(name: str, num_classes: int, settings: Settings) -> keras.Model:
    """Builds a network with fresh weights.

    Args:
        name: A name of `models.NETWORKS`.
        num_classes: Number of logits.
        settings: The fields named in the network's `options` are read, and the
            image sizes.

    Returns:
        See `models`. It takes any size where the network can.
    """
    spec = NETWORKS[name]
    inputs, logits = spec.build(
        TrainingLayers(),
        num_classes,
        image_size=None if spec.any_size else settings.test_image_size,
        **network_options(name, settings),
    )
    return keras.Model(inputs, logits, name=name)


def load_network(run_dir: Path, config: RunConfig) -> keras.Model:
    """Builds the network of a trained run and loads its weights.

    Raises:
        RunError: If the weights are missing, damaged, or of other shapes.
    """
    network = build_network(config.network, len(config.class_names), config.settings)
    load_variables(run_dir / WEIGHTS, network.weights)
    return network


def save_network(
    run_dir: Path, network: keras.Model, *, dtype: str | None = None
) -> None:
    """Replaces the weights of a run.

    Args:
        run_dir: The run's folder.
        network: The network.
        dtype: What to store them as; None keeps their precision.
    """
    save_variables(run_dir / WEIGHTS, network.weights, dtype=dtype)


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

    Raises:
        RunError: If a value is NaN or infinite; then the file stays as it is.
    """
    tensors = {
        f"{position:04d}/{variable.path}": np.array(
            keras.ops.convert_to_numpy(variable), dtype=dtype, order="C"
        )
        for position, variable in enumerate(variables)
    }
    # A file of NaN is of no use, and the one before may be.
    for tensor in tensors.values():
        if np.issubdtype(tensor.dtype, np.inexact) and not np.isfinite(tensor).all():
            raise RunError(
                "The weights are no longer numbers, so {path} was not written. Start a "
                "new run with a lower learning_rate.",
                path=path,
            )
    with replacing(path) as temporary:
        save_tensors(tensors, temporary, {"metadata": json.dumps(metadata or {})})


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


def load_matching(
    path: Path, variables: Iterable[Any], *, required: Iterable[Any]
) -> tuple[dict[str, Any], set[int]]:
    """Assigns what another training saved, as far as both have the same variables.

    Variables match by name and shape; several of one name in their order.

    Args:
        path: A file that `save_variables` wrote.
        variables: Those to be assigned.
        required: Those of them that must be there.

    Returns:
        The metadata, and the `id` of each variable that was assigned.

    Raises:
        RunError: If the file is missing or damaged, or lacks a required variable.
    """
    tensors, metadata = read_tensors(path)
    saved: dict[tuple[str, tuple[int, ...]], list[Any]] = {}
    for name, tensor in tensors.items():
        key = (_lasting_name(name.partition("/")[2]), tensor.shape)
        saved.setdefault(key, []).append(tensor)
    matching = []
    for variable in variables:
        key = (_lasting_name(variable.path), tuple(variable.shape))
        if saved.get(key):
            matching.append((variable, saved[key].pop(0)))
    loaded = {id(variable) for variable, _ in matching}
    if not isinstance(metadata, dict) or not loaded.issuperset(map(id, required)):
        raise misfit(path)
    for variable, tensor in matching:
        variable.assign(tensor)
    return metadata, loaded


def _lasting_name(path: str) -> str:
    """Returns a variable's name without the numbers that Keras gives in passing.

    The second optimizer of a process is `adamw_1`.
    """
    return re.sub(r"_\d+(?=/|$)", "", path)

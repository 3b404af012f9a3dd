"""Builds networks from a run's config, and loads and saves their weights."""

from pathlib import Path

import keras

from core.checkpoint import load_variables, save_variables
from core.runs.config import RunConfig, Settings
from core.runs.folder import WEIGHTS
from core.runs.recipes import network_options
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

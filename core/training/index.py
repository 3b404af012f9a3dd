"""Indexes a run's training sketches by what its network sees in them."""

from pathlib import Path

import numpy as np

from core.datasets.store import Dataset
from core.runs.config import RunConfig
from core.runs.neighbours import ordered_rows, write_neighbours
from core.runs.stopping import StopCheck


def build_neighbours(
    run_dir: Path,
    config: RunConfig,
    dataset: Dataset,
    *,
    is_stop_requested: StopCheck = lambda: False,
) -> bool:
    """Replaces a run's index of its training sketches, validation included.

    Takes as long as four evaluations, since the network sees every one of them.

    Args:
        run_dir: A run with weights, whose lock the caller holds.
        config: Its config.
        dataset: The run's own, or another copy of its sketches with the same split.
        is_stop_requested: Asked after every batch.

    Returns:
        Whether it came to its end; False if it was asked to stop.

    Raises:
        RunError: If the weights are missing or damaged.
    """
    from core.training.evaluate import answers, build_predictor, label_map
    from core.training.networks import load_network

    own_label = label_map(run_dir, config, dataset)
    rows = ordered_rows(dataset)
    embeddings = []
    predictor = build_predictor(load_network(run_dir, config), config)
    for _, embedding in answers(predictor, config, dataset, rows):
        if is_stop_requested():
            return False
        embeddings.append(embedding)
    write_neighbours(
        run_dir,
        np.concatenate(embeddings),
        own_label[dataset.labels[rows]],
        split_fingerprint=dataset.split_fingerprint,
    )
    return True

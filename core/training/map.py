"""Lays embeddings out in the plane."""

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

SEED = 0
PERPLEXITY = 30.0
COMPONENTS = 50
"""The customary reduction before t-SNE (van der Maaten and Hinton 2008)."""


def map_2d(embedding: NDArray[np.floating]) -> NDArray[np.float32]:
    """Lays embeddings out in the plane by t-SNE, always the same way.

    Args:
        embedding: Shape `(n, width)`.

    Returns:
        Shape `(n, 2)`; fewer than five points, or points that are all the same,
        are put on a circle.
    """
    n = len(embedding)
    if n < 5 or not np.ptp(embedding, axis=0).max() > 0:
        return _circle(n)
    components = min(COMPONENTS, n, embedding.shape[1])
    reduced = PCA(components, random_state=SEED).fit_transform(embedding)
    # Where all points are one, as with a dead layer, t-SNE divides by zero.
    if not np.ptp(reduced, axis=0).max() > 0:
        return _circle(n)
    layout = TSNE(
        perplexity=min(PERPLEXITY, (n - 1) / 3),
        init="pca",
        random_state=SEED,
        n_jobs=-1,
    ).fit_transform(reduced)
    return np.asarray(layout, dtype=np.float32)


def _circle(n: int) -> NDArray[np.float32]:
    """Returns n points on the unit circle, shape `(n, 2)`."""
    angle = 2 * np.pi * np.arange(n) / max(n, 1)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)

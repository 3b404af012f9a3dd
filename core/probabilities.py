"""From logits to probabilities. Needs NumPy alone, so that it is there at once."""

import numpy as np
from numpy.typing import NDArray


def to_probabilities(
    logits: NDArray[np.floating], *, temperature: float = 1.0
) -> NDArray[np.float64]:
    """Softmax over classes, in double precision.

    Args:
        logits: Shape `(n_samples, n_classes)`.
        temperature: What logits are divided by first.
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))

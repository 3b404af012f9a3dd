"""Loads Keras and its backend once, without the noise that TensorFlow makes."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import SketchScopeError


def load_backend() -> None:
    """Imports Keras and starts its backend, which takes seconds the first time.

    TensorFlow prints from C++ about oneDNN and absent GPUs before its log level
    counts; that would drown the one clear line that a command ends in.

    Raises:
        SketchScopeError: If the backend is not installed.
    """
    if "keras" in sys.modules:
        return
    try:
        with _silenced_stderr():
            import keras

            keras.ops.zeros(())
    except ImportError as error:
        raise SketchScopeError(
            f"The Keras backend can't be loaded: {error}. Install the requirements, "
            "or set KERAS_BACKEND to tensorflow or jax."
        ) from error


@contextmanager
def _silenced_stderr() -> Iterator[None]:
    """Sends what C++ writes to standard error nowhere."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)

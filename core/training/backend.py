"""Chooses and loads Keras's backend once, and hides what differs between backends.

TensorFlow makes noise on its way, and each backend compiles functions its own way.
"""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from core.errors import ConfigError, SketchScopeError, unknown
from core.runs.launch import check_installed

BACKENDS = ("tensorflow", "jax")
DEVICES = ("cpu", "gpu")


def choose_backend(name: str | None = None, *, device: str | None = None) -> None:
    """Settles what Keras computes with, before it is loaded.

    Args:
        name: A name of `BACKENDS`; None leaves it to `KERAS_BACKEND`, and that to
            TensorFlow.
        device: `cpu` hides all accelerators; `gpu` asks for one; None takes what is
            there.

    Raises:
        SketchScopeError: If there is no such backend or device, or the backend is
            not installed, or there is no accelerator that it can use.
    """
    if name not in (None, *BACKENDS):
        raise unknown("backend", name, BACKENDS)
    check_installed(name)
    if name is not None:
        os.environ["KERAS_BACKEND"] = name
    if device is None:
        return
    if device not in DEVICES:
        raise unknown("device", device, DEVICES)
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        os.environ["JAX_PLATFORMS"] = "cpu"
        return
    load_backend()
    import keras

    if all(name.startswith("cpu") for name in keras.distribution.list_devices()):
        raise SketchScopeError(
            f"{keras.backend.backend()} finds no accelerator here. Leave --device out, "
            "or install the backend's package for it."
        )


def share_batches(batch_size: int) -> int:
    """Makes all devices share each batch from now on; returns how many there are.

    Each holds all weights and sees a part of the batch; the gradient and the
    statistics of batch norm are the whole batch's.

    Raises:
        ConfigError: If the backend is not JAX, or the batch can't be shared evenly.
    """
    load_backend()
    import keras

    if keras.backend.backend() != "jax":
        raise ConfigError(
            "Devices share a batch on JAX only. Add --backend jax, or leave "
            "--data-parallel out."
        )
    devices = keras.distribution.list_devices()
    if batch_size % len(devices):
        raise ConfigError(
            f"`batch_size` must be a multiple of the {len(devices)} devices that are "
            f"to share it. Received: batch_size={batch_size}"
        )
    keras.distribution.set_distribution(
        keras.distribution.DataParallel(devices=devices)
    )
    return len(devices)


@contextmanager
def whole_batches() -> Iterator[None]:
    """Leaves batches whole meanwhile: the last one seldom divides by the devices."""
    import keras

    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


def compiled(layer: Any, **fixed: Any) -> Callable[..., Any]:
    """Makes one compiled function of a Keras layer or model.

    It keeps what the layer changes when called: the state of random generators, the
    statistics of batch norm, and whatever else is a variable that isn't trained.

    Args:
        layer: A Keras layer or model. What is no variable in it, such as an image
            size, is read at the first call with arrays of a shape, and kept.
        fixed: Keyword arguments of each of its calls, such as `training`.

    Returns:
        A function of arrays, which all have the batch as their first axis or none.
        It returns what the layer does, on the backend's device.
    """
    import keras

    if keras.backend.backend() == "jax":
        return _compiled_by_jax(layer, fixed)
    import tensorflow as tf

    # On a CPU, XLA takes longer to compile and is no faster. A `partial` is counted
    # by itself where TensorFlow warns of functions that are compiled too often.
    function: Callable[..., Any] = tf.function(
        partial(layer, **fixed), autograph=False, reduce_retracing=True
    )
    return function


def _compiled_by_jax(layer: Any, fixed: dict[str, Any]) -> Callable[..., Any]:
    import jax
    import keras

    @jax.jit
    def call(values: list[Any], inputs: tuple[Any, ...]) -> tuple[Any, list[Any]]:
        mapping = list(zip(layer.variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping) as scope:
            outputs = layer(*inputs, **fixed)
        state = [scope.get_current_value(v) for v in layer.non_trainable_variables]
        return outputs, state

    def run(*inputs: Any) -> Any:
        distribution = keras.distribution.distribution()
        if distribution is not None:
            inputs = tuple(
                keras.distribution.distribute_tensor(
                    array, distribution.get_data_layout(array.shape)
                )
                if len(array.shape)
                else array
                for array in inputs
            )
        outputs, state = call([v.value for v in layer.variables], inputs)
        for variable, value in zip(layer.non_trainable_variables, state, strict=True):
            variable.assign(value)
        return outputs

    return run


def clear_backend() -> None:
    """Frees what an earlier training left in this process, if there was one."""
    if "keras" in sys.modules:
        import keras

        keras.utils.clear_session()
        gc.collect()


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
        with silenced_stderr():
            import keras

            keras.ops.zeros(())
    except ImportError as error:
        check_installed()
        raise SketchScopeError(
            "The Keras backend can't be loaded: {reason}. Install the requirements "
            "anew, or set KERAS_BACKEND to tensorflow or jax.",
            reason=error,
        ) from error


@contextmanager
def silenced_stderr() -> Iterator[None]:
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

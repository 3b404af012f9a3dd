"""The formats that a network can be exported to: how each is written and run."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import SketchScopeError
from core.runs.config import RunConfig
from core.runs.folder import WEIGHTS
from core.runs.weights import misfit
from core.sketches.images import IMAGE_SIZE, PAPER
from core.training.backend import silenced_stderr

Array = NDArray[np.float32]
Answer = Callable[[NDArray[np.uint8]], Array]
"""From sketches of shape `(n, 128, 128)` to probabilities of `(n, num_classes)`."""


@dataclass(frozen=True)
class Trained:
    """A run's network, as it is written.

    Attributes:
        run_id: The run's name.
        config: The run's.
        weights: By the names that Keras gives variables.
        network: The same in Keras.
        temperature: What logits are divided by before the softmax; 1 where the run
            was not evaluated.
    """

    run_id: str
    config: RunConfig
    weights: dict[str, NDArray[Any]]
    network: Any
    temperature: float


@dataclass(frozen=True)
class Format:
    """One way of writing a model.

    Attributes:
        title: What people call it.
        file: The model's name in the folder that is made.
        needs: Modules that must be there, each with its package.
        write: Writes it to a path.
        load: Loads it from there with its own runtime.
    """

    title: str
    file: str
    needs: dict[str, str]
    write: Callable[[Trained, Path], None]
    load: Callable[[Path], Answer]


def find_format(name: str) -> Format:
    """Returns a format whose runtime is there.

    Raises:
        SketchScopeError: If there is none of this name, or a package is missing.
    """
    if name not in FORMATS:
        raise SketchScopeError(
            f"There is no format {name!r}. Choose one of: {', '.join(FORMATS)}."
        )
    chosen = FORMATS[name]
    missing = [package for module, package in chosen.needs.items() if not _has(module)]
    if missing:
        raise SketchScopeError(
            f"Writing {chosen.title} needs what is not installed: "
            f"`pip install {' '.join(missing)}`."
        )
    return chosen


def _has(module: str) -> bool:
    return find_spec(module) is not None


def _onnx_model(trained: Trained) -> Any:
    """Returns the network as ONNX, its class names in the metadata."""
    from core.inference.network import build_onnx

    try:
        model = build_onnx(
            trained.config.network,
            len(trained.config.class_names),
            trained.config.settings,
            trained.weights,
            temperature=trained.temperature,
        )
    except LookupError as error:
        raise misfit(Path(trained.run_id) / WEIGHTS) from error
    from onnx import helper

    helper.set_model_props(
        model,
        {
            "class_names": json.dumps(trained.config.class_names, ensure_ascii=False),
            "input": f"uint8 (n, {IMAGE_SIZE}, {IMAGE_SIZE}); {PAPER} paper, 0 ink",
        },
    )
    return model


def _write_onnx(trained: Trained, path: Path) -> None:
    path.write_bytes(_onnx_model(trained).SerializeToString())


def _load_onnx(path: Path) -> Answer:
    from onnxruntime import InferenceSession, SessionOptions

    from core.inference.network import ERRORS_ONLY

    options = SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    session = InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda sketches: np.asarray(
        session.run(["probabilities"], {"images": sketches})[0]
    )


def _write_openvino(trained: Trained, path: Path) -> None:
    import openvino

    model = openvino.convert_model(io.BytesIO(_onnx_model(trained).SerializeToString()))
    openvino.save_model(model, path, compress_to_fp16=False)


def _load_openvino(path: Path) -> Answer:
    import openvino

    # Some processors would compute in half precision, which is the user's choice.
    compiled = openvino.Core().compile_model(
        path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    return lambda sketches: np.asarray(compiled(sketches)["probabilities"])


def _keras_model(trained: Trained) -> Any:
    """Returns the network in Keras, from sketches to probabilities."""
    import keras

    from core.training.augmentation import SketchInput

    if keras.backend.backend() != "tensorflow":
        raise SketchScopeError(
            "This format is written by TensorFlow; leave KERAS_BACKEND out or set it "
            "to tensorflow."
        )
    settings = trained.config.settings
    front = SketchInput(settings, image_size=settings.test_image_size, name="front")
    images = keras.Input((IMAGE_SIZE, IMAGE_SIZE), dtype="uint8", name="images")
    logits = trained.network(front(images))
    scaled = keras.layers.Rescaling(1 / trained.temperature, name="temperature")(logits)
    answers = keras.layers.Softmax(name="probabilities", dtype="float32")(scaled)
    return keras.Model(images, answers)


def _write_saved_model(trained: Trained, path: Path) -> None:
    _keras_model(trained).export(path, format="tf_saved_model", verbose=False)


def _load_saved_model(path: Path) -> Answer:
    import tensorflow as tf

    # The loaded object must outlive what is called of it.
    model = tf.saved_model.load(str(path))
    return lambda sketches: np.asarray(model.serve(tf.constant(sketches)))


def _write_litert(trained: Trained, path: Path) -> None:
    with silenced_stderr():
        _keras_model(trained).export(path, format="litert", verbose=False)


def _load_litert(path: Path) -> Answer:
    from ai_edge_litert.interpreter import Interpreter

    with silenced_stderr():
        interpreter = Interpreter(model_path=str(path))
    (images,) = interpreter.get_input_details()
    (probabilities,) = interpreter.get_output_details()

    def answer(sketches: NDArray[np.uint8]) -> Array:
        interpreter.resize_tensor_input(images["index"], sketches.shape)
        with silenced_stderr():
            interpreter.allocate_tensors()
        interpreter.set_tensor(images["index"], sketches)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(probabilities["index"]))

    return answer


FORMATS: dict[str, Format] = {
    "onnx": Format("ONNX", "model.onnx", {}, _write_onnx, _load_onnx),
    "openvino": Format(
        "OpenVINO",
        "model.xml",
        {"openvino": "openvino"},
        _write_openvino,
        _load_openvino,
    ),
    "tf_saved_model": Format(
        "TensorFlow SavedModel",
        "saved_model",
        {"tensorflow": "tensorflow"},
        _write_saved_model,
        _load_saved_model,
    ),
    "litert": Format(
        "LiteRT",
        "model.tflite",
        {"tensorflow": "tensorflow", "ai_edge_litert": "ai-edge-litert"},
        _write_litert,
        _load_litert,
    ),
}
"""The formats by the names that Keras gives them."""

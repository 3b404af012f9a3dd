"""Writes a trained network as a model that other programs can run.

Whatever the format, the model takes packed sketches, `uint8` of shape
`(n, 128, 128)` with dark ink (0) on white paper (255), and gives probabilities,
`float32` of shape `(n, num_classes)`, at the run's temperature. Before a model is
handed out, its own runtime has loaded it and answered as Keras does.
"""

import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.datasets.starter import draw, find_starter, render
from core.errors import RunError, SketchScopeError, shorten
from core.files import is_abandoned, list_folder, remove_tree, write_json, write_text
from core.runs.config import RunConfig
from core.runs.evaluation import to_probabilities
from core.runs.folder import WEIGHTS, telling_removal
from core.runs.reading import check_weights, read_run
from core.runs.weights import misfit, read_tensors
from core.sketches.images import IMAGE_SIZE, PAPER
from core.training.backend import load_backend, silenced_stderr

LABELS = "labels.txt"
DESCRIPTION = "model.json"

TEMPORARY_PREFIX = ".export-"

PARITY_SKETCHES = 24
MAX_DIFFERENCE = 1e-3
"""How far a probability may be from Keras's. Runtimes sum in different orders, which
moves it by some millionths; a wrong layer moves it by far more."""

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


@dataclass(frozen=True)
class Exported:
    """What was made.

    Attributes:
        folder: Where it is.
        model: The model's file or folder in it.
        difference: The largest difference of a probability from Keras's.
    """

    folder: Path
    model: Path
    difference: float


def export_model(run_dir: Path, target: Path, *, format_name: str) -> Exported:
    """Writes a run's network as a model, with its class names beside it.

    The folder appears whole, after the model has answered as Keras does, or not at
    all; what a killed export left of it, the next one beside it removes.

    Args:
        run_dir: A run with weights.
        target: The folder to make.
        format_name: A name of `FORMATS`.

    Raises:
        SketchScopeError: If the format is unknown, its runtime is missing, the run
            has no weights or is damaged, `target` exists or can't be written, or
            the model does not answer as Keras does.
    """
    chosen = _find_format(format_name)
    check_weights(run_dir)
    if target.exists():
        raise _taken(target)
    with telling_removal(run_dir):
        trained = _load(run_dir)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _staging(target.parent) as folder:
            model = folder / chosen.file
            difference = _write(trained, chosen, model)
            _describe(folder, trained, format_name, difference)
            folder.rename(target)
    except OSError as error:
        if target.exists():
            raise _taken(target) from error
        raise RunError(f"{target} can't be written: {error}.") from error
    return Exported(target, target / chosen.file, difference)


def _write(trained: Trained, chosen: Format, model: Path) -> float:
    """Writes a model and compares it; returns the largest difference."""
    try:
        chosen.write(trained, model)
        answer = chosen.load(model)
    except (RuntimeError, ValueError) as error:
        raise RunError(
            f"The network of run {trained.run_id!r} can't be written as "
            f"{chosen.title}: {shorten(str(error))}."
        ) from error
    return check_parity(trained, answer, chosen.title)


def parity_sketches() -> NDArray[np.uint8]:
    """Draws what models are compared on, always the same, and a blank one.

    Returns:
        Shape `(PARITY_SKETCHES, 128, 128)`.
    """
    names = find_starter().class_names
    drawn = [np.full((IMAGE_SIZE, IMAGE_SIZE), PAPER, np.uint8)]
    for number in range(1, PARITY_SKETCHES):
        generator = np.random.default_rng(number)
        drawn.append(render(draw(names[number % len(names)], generator), generator))
    return np.stack(drawn)


def check_parity(trained: Trained, answer: Answer, title: str) -> float:
    """Compares a model with Keras on `parity_sketches`.

    Args:
        trained: The network that it was made of.
        answer: The model.
        title: What to call it.

    Returns:
        The largest difference of a probability.

    Raises:
        RunError: If that is above `MAX_DIFFERENCE` or no number, or a sketch's
            likeliest class is another one.
    """
    sketches = parity_sketches()
    expected = keras_probabilities(trained, sketches)
    if not np.isfinite(expected).all():
        raise RunError(
            f"The network of run {trained.run_id!r} answers with what is no number; "
            "its training has diverged or its weights are damaged."
        )
    found = answer(sketches)
    if found.shape != expected.shape:
        raise RunError(
            f"The {title} model of run {trained.run_id!r} answers in shape "
            f"{found.shape}, not {expected.shape}, so it was removed."
        )
    differences = np.abs(found - expected)
    difference = float(differences.max())
    moved = int((found.argmax(axis=1) != expected.argmax(axis=1)).sum())
    # A difference that is no number is not within anything.
    if not difference <= MAX_DIFFERENCE or moved:
        raise RunError(
            f"The {title} model of run {trained.run_id!r} does not answer as Keras "
            f"does, so it was removed: a probability differs by {difference:.2g} "
            f"(at most {MAX_DIFFERENCE:g} is allowed), and {moved} of "
            f"{len(sketches)} sketches are taken for something else."
        )
    return difference


def keras_probabilities(
    trained: Trained, sketches: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Returns what the network says in Keras, shape `(n, num_classes)`."""
    from core.training.evaluate import build_predictor

    predictor = build_predictor(trained.network, trained.config)
    logits = np.asarray(predictor.predict_on_batch(sketches)[0])
    return to_probabilities(logits, temperature=trained.temperature)


def _load(run_dir: Path) -> Trained:
    """Reads a run's weights, once, and builds its network."""
    run = read_run(run_dir)
    if run.config is None:
        raise RunError(run.problem)
    load_backend()
    from core.training.networks import load_network

    tensors, _ = read_tensors(run_dir / WEIGHTS)
    return Trained(
        run_id=run.run_id,
        config=run.config,
        # Saved as `0000/stem_conv/kernel`.
        weights={name.partition("/")[2]: value for name, value in tensors.items()},
        network=load_network(run_dir, run.config),
        temperature=float(run.metrics["temperature"]) if run.metrics else 1.0,
    )


@contextmanager
def _staging(parent: Path) -> Iterator[Path]:
    """Makes a hidden folder that is gone at the end, unless it was renamed."""
    for left in list_folder(parent, f"{TEMPORARY_PREFIX}*"):
        if is_abandoned(left):
            remove_tree(left)
    folder = Path(
        tempfile.mkdtemp(prefix=f"{TEMPORARY_PREFIX}{os.getpid()}-", dir=parent)
    )
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        if folder.exists():
            remove_tree(folder)


def _describe(
    folder: Path, trained: Trained, format_name: str, difference: float
) -> None:
    """Writes beside a model what one must know to use it."""
    names = trained.config.class_names
    write_text(folder / LABELS, "".join(f"{name}\n" for name in names))
    write_json(
        folder / DESCRIPTION,
        {
            "format": format_name,
            "model": FORMATS[format_name].file,
            "run_id": trained.run_id,
            "network": trained.config.network,
            "dataset": trained.config.dataset,
            "input": {
                "name": "images",
                "dtype": "uint8",
                "shape": ["n", IMAGE_SIZE, IMAGE_SIZE],
                "paper": PAPER,
                "ink": 0,
            },
            "output": {
                "name": "probabilities",
                "dtype": "float32",
                "shape": ["n", len(names)],
                "temperature": trained.temperature,
            },
            "class_names": list(names),
            "checked": {
                "against": "Keras",
                "sketches": PARITY_SKETCHES,
                "largest_difference": difference,
                "allowed": MAX_DIFFERENCE,
            },
        },
    )


def _find_format(name: str) -> Format:
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


def _taken(target: Path) -> RunError:
    return RunError(f"{target} exists already. Remove it or choose another folder.")


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

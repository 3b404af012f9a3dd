"""Networks answer without Keras what they answer with it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from core.datasets.starter import draw, render
from core.errors import RunError, SketchScopeError
from core.files import write_json
from core.inference.classify import Classifier
from core.inference.layers import Layers, Tensor
from core.inference.network import Inference, build_inference
from core.paths import TRAINED_DIR
from core.runs.config import Settings
from core.runs.folder import CONFIG, WEIGHTS
from core.runs.reading import read_config
from core.runs.recipes import make_settings
from core.runs.weights import DIGEST
from core.training.evaluate import build_predictor
from core.training.networks import build_network, load_network, save_network
from models import NETWORKS

NUM_CLASSES = 7
SHIPPED = sorted(path.parent for path in TRAINED_DIR.glob(f"*/{WEIGHTS}"))

NAMES = ("house", "key", "spider", "sun")


def assert_near(found: NDArray[Any], expected: NDArray[Any]) -> None:
    """Allows for single precision, in which sums depend on their order."""
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def sketches(n: int) -> NDArray[np.uint8]:
    """Draws what the starter dataset has, shape `(n, 128, 128)`."""
    drawn = []
    for number in range(n):
        generator = np.random.default_rng(number)
        drawn.append(render(draw(NAMES[number % len(NAMES)], generator), generator))
    return np.stack(drawn)


def random_network(name: str, settings: Settings) -> keras.Model:
    """Builds a network none of whose weights is as training begins with."""
    keras.utils.set_random_seed(0)
    network = build_network(name, NUM_CLASSES, settings)
    generator = np.random.default_rng(0)
    for variable in network.weights:
        if not variable.path.endswith("kernel"):
            shift = generator.uniform(0.1, 0.9, variable.shape).astype(np.float32)
            variable.assign(shift + 0.5 * np.asarray(variable))
    return network


def without_keras(name: str, network: keras.Model, settings: Settings) -> Inference:
    """Builds the same network for use."""
    weights = {variable.path: np.asarray(variable) for variable in network.weights}
    return build_inference(name, NUM_CLASSES, settings, weights)


OPTIONS: list[tuple[str, int, dict[str, Any], str]] = [
    *((name, 128, {}, name) for name in NETWORKS),
    ("simple", 45, {}, "simple-45px"),
    ("resnet18", 128, {"shortcut": "average_pool"}, "resnet18-average-pool"),
    ("resnet18", 100, {"shortcut": "average_pool"}, "resnet18-average-pool-100px"),
    ("resnet18", 75, {"zero_last_gamma": True}, "resnet18-75px"),
    ("resnet18", 128, {"pooling": "averaged"}, "resnet18-averaged"),
    ("resnet18", 75, {"pooling": "averaged"}, "resnet18-averaged-75px"),
]
VARIANTS = [
    pytest.param(name, {**options, "image_sizes": [size], "dropout": 0.5}, id=title)
    for name, size, options, title in OPTIONS
]


@pytest.mark.parametrize(("name", "overrides"), VARIANTS)
def test_answers_are_those_of_keras(name: str, overrides: dict[str, Any]) -> None:
    settings = make_settings(name, "report", overrides)
    network = random_network(name, settings)
    config: Any = SimpleNamespace(settings=settings)
    images = sketches(20)
    expected = build_predictor(network, config).predict_on_batch(images)
    logits, embedding, _ = without_keras(name, network, settings)(images)
    assert_near(logits, np.asarray(expected[0]))
    assert_near(embedding, np.asarray(expected[1]))


@pytest.mark.parametrize("run_dir", SHIPPED, ids=lambda path: path.name)
def test_shipped_networks_answer_what_they_answer_in_keras(run_dir: Path) -> None:
    config = read_config(run_dir)
    images = sketches(100)
    predictor = build_predictor(load_network(run_dir, config), config)
    expected = np.asarray(predictor.predict_on_batch(images)[0])
    analysis = Classifier(run_dir).analyse(images)
    assert_near(analysis.logits, expected)
    assert (analysis.logits.argmax(axis=1) == expected.argmax(axis=1)).all()
    np.testing.assert_allclose(analysis.probabilities.sum(axis=1), 1)


def test_threads_get_the_same_answers() -> None:
    classifier = Classifier(TRAINED_DIR / "resnet18")
    images = sketches(8)
    expected = [classifier(image[None])[0] for image in images]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(5):
            found = threads.map(lambda image: classifier(image[None])[0], images)
            for one, two in zip(found, expected, strict=True):
                assert [guess.class_name for guess in one] == [
                    guess.class_name for guess in two
                ]
                assert one[0].probability == pytest.approx(two[0].probability)


def test_many_sketches_are_answered_as_one_by_one() -> None:
    classifier = Classifier(TRAINED_DIR / "simple")
    images = sketches(37)
    together = classifier.analyse(images)
    alone = [classifier.analyse(image[None]).logits[0] for image in images]
    assert_near(together.logits, np.stack(alone))
    assert together.features.shape == (37, 13, 13, 128)


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A run of Simple at 32 px, trained on nothing."""
    config = read_config(TRAINED_DIR / "simple").model_copy(
        update={"settings": Settings(image_sizes=(32,)), "teacher": None}
    )
    folder = tmp_path / "run"
    folder.mkdir()
    write_json(folder / CONFIG, config.model_dump(mode="json"))
    network = build_network("simple", len(config.class_names), config.settings)
    save_network(folder, network)
    return folder


def test_weights_of_another_network_are_refused(run_dir: Path) -> None:
    Classifier(run_dir)
    save_network(run_dir, build_network("simple", 5, Settings(image_sizes=(32,))))
    with pytest.raises(RunError, match="doesn't fit the network"):
        Classifier(run_dir)
    save_network(run_dir, build_network("resnet18", 5, Settings(image_sizes=(32,))))
    with pytest.raises(RunError, match="doesn't fit the network"):
        Classifier(run_dir)


def test_damaged_weights_are_refused(run_dir: Path) -> None:
    (run_dir / WEIGHTS).write_bytes((run_dir / WEIGHTS).read_bytes()[:1000])
    with pytest.raises(RunError, match="damaged"):
        Classifier(run_dir)


def test_what_is_no_number_is_refused(run_dir: Path) -> None:
    tensors = load_file(run_dir / WEIGHTS)
    last = max(set(tensors) - {DIGEST})
    save_file(tensors | {last: np.full_like(tensors[last], np.nan)}, run_dir / WEIGHTS)
    with pytest.raises(RunError, match="answers with NaN"):
        Classifier(run_dir)(sketches(1))


def test_a_layer_is_refused_an_argument_that_would_change_its_answer() -> None:
    layers = Layers({})
    layers.Dense(3, kernel_initializer="he_normal", name="a")
    with pytest.raises(TypeError, match="activation"):
        layers.Dense(3, activation="relu", name="a")
    with pytest.raises(ValueError, match="embedding"):
        layers.ReLU(name="other")(Tensor("x", (None, 3)))


def test_a_layer_that_the_library_lacks_is_named_in_a_sentence() -> None:
    with pytest.raises(SketchScopeError, match=r"SeparableConv2D.*layers.py.*Conv2D"):
        Layers({}).SeparableConv2D(8, 3, name="conv")


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="needs TensorFlow")
@pytest.mark.parametrize("name", NETWORKS)
def test_the_gradient_of_the_features_is_tensorflow_s(name: str) -> None:
    import tensorflow as tf

    settings = make_settings(name, "report", {"image_sizes": [64]})
    network = random_network(name, settings)
    inference = without_keras(name, network, settings)
    _, embedding, features = inference(sketches(3))
    last = [layer.output for layer in network.layers if len(layer.output.shape) == 4]
    tail = keras.Model(last[-1], network.output)
    with tf.GradientTape() as tape:
        x = tf.constant(features)
        tape.watch(x)
        chosen = tail(x)[:, 4]
    expected = tape.gradient(chosen, x).numpy()
    for row in range(3):
        found = inference.feature_gradient(embedding[row], 4)
        np.testing.assert_allclose(found, expected[row], rtol=1e-4, atol=1e-6)


def test_values_stand_where_they_look() -> None:
    # By hand: Simple's convolutions and pools without padding begin at pixel
    # 1 + 1 + 2 + 2 + 4 + 4 = 14 and halve three times.
    simple = Classifier(TRAINED_DIR / "simple").inference
    assert (simple.start_px, simple.step_px) == (14, 8)
    resnet18 = Classifier(TRAINED_DIR / "resnet18").inference
    assert resnet18.step_px == 32
    assert 0 <= resnet18.start_px < 32

"""Each network: shapes, size, weights that come back, and one step that helps."""

from pathlib import Path

import keras
import numpy as np
import pytest

from core.errors import RunError
from core.runs.config import Settings
from core.runs.recipes import make_settings
from core.training.model import build_training_model
from core.training.networks import build_network, load_variables, save_variables
from models import NETWORKS
from tests.conftest import REPOSITORY

# Counted by hand from the layers: convolutions without bias, batch norms with four
# values a channel, dense layers.
PARAMETERS = {
    "simple": 9 * (32 + 32 * 64 + 64 * 128)
    + 4 * (32 + 64 + 128)
    + 13 * 13 * 128 * 256
    + 4 * 256
    + 256 * 250
    + 250,
    "resnet18": 49 * 64
    + 4 * 64
    + sum(
        9 * (into + 3 * width) * width
        + (into * width + 4 * width if into != width else 0)
        + 16 * width
        for into, width in ((64, 64), (64, 128), (128, 256), (256, 512))
    )
    + 512 * 250
    + 250,
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("recipe", ["report", "best"])
def test_a_network_maps_ink_to_logits(name: str, recipe: str) -> None:
    network = build_network(name, 250, make_settings(name, recipe))
    ink = np.random.default_rng(0).random((2, 128, 128, 1), dtype=np.float32)
    logits = np.asarray(network(ink))
    assert logits.shape == (2, 250)
    assert np.isfinite(logits).all()
    # Logits, not probabilities: nothing makes the rows add up to 1.
    assert network.layers[-1].activation is keras.activations.linear


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("recipe", ["report", "best"])
def test_a_network_has_the_parameters_of_its_layers(name: str, recipe: str) -> None:
    network = build_network(name, 250, make_settings(name, recipe))
    assert network.count_params() == PARAMETERS[name]


def test_resnet18_has_eighteen_layers_with_weights_on_its_path() -> None:
    network = build_network("resnet18", 10, Settings())
    layers = [
        layer.name
        for layer in network.layers
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)
        and "shortcut" not in layer.name
    ]
    assert len(layers) == 18
    assert "stage2_block0_conv1" in layers


def test_resnet18_takes_any_size() -> None:
    network = build_network("resnet18", 5, Settings())
    for side in (32, 64, 100):
        assert network(np.zeros((1, side, side, 1), np.float32)).shape == (1, 5)


def test_averaged_pooling_keeps_weights_and_sides_and_only_the_stem_s_stride() -> None:
    strided, averaged = (
        build_network("resnet18", 5, Settings(pooling=pooling))
        for pooling in ("strided", "averaged")
    )
    assert [(v.path, v.shape) for v in averaged.weights] == [
        (v.path, v.shape) for v in strided.weights
    ]
    ink = np.zeros((1, 75, 75, 1), np.float32)
    for stage in (1, 2, 3, 4):
        name = f"stage{stage}_block1_relu2"
        sides = [
            keras.Model(network.input, network.get_layer(name).output)(ink).shape
            for network in (strided, averaged)
        ]
        assert sides[0] == sides[1]
    windows = keras.layers.Conv2D | keras.layers.MaxPooling2D
    assert [
        layer.name
        for layer in averaged.layers
        if isinstance(layer, windows) and layer.strides != (1, 1)
    ] == ["stem_conv"]


def test_averaged_pooling_answers_a_shifted_drawing_more_alike() -> None:
    ink = np.zeros((8, 96, 96, 1), np.float32)
    for row, sketch in enumerate(ink):
        for start, end in np.random.default_rng(row).integers(24, 72, (8, 2)):
            sketch[start, 24:72] = sketch[24:72, end] = 1
    shifted = np.roll(ink, 1, axis=2)
    changes = []
    for pooling in ("strided", "averaged"):
        keras.utils.set_random_seed(0)
        network = build_network("resnet18", 5, Settings(pooling=pooling))
        embed = keras.Model(network.input, network.get_layer("embedding").output)
        before, after = np.asarray(embed(ink)), np.asarray(embed(shifted))
        changes.append(np.linalg.norm(after - before) / np.linalg.norm(before))
    assert changes[1] < 0.8 * changes[0]


def test_pooling_before_relu_gives_what_relu_before_pooling_gives() -> None:
    x = np.random.default_rng(0).normal(size=(2, 15, 15, 3)).astype(np.float32)
    pool, relu = keras.layers.MaxPooling2D(3, 2), keras.layers.ReLU()
    assert (np.asarray(relu(pool(x))) == np.asarray(pool(relu(x)))).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_come_back_bit_for_bit(name: str, tmp_path: Path) -> None:
    settings = make_settings(
        name, "best", {"image_sizes": [32], "image_size_shares": [1]}
    )
    one, two = (build_network(name, 5, settings) for _ in range(2))
    save_variables(tmp_path / "w", one.weights, metadata={"a": [1, "ä"]})
    assert load_variables(tmp_path / "w", two.weights) == {"a": [1, "ä"]}
    ink = np.random.default_rng(0).random((3, 32, 32, 1), dtype=np.float32)
    assert (np.asarray(one(ink)) == np.asarray(two(ink))).all()


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    settings = make_settings("simple", "best", {"image_sizes": [32]})
    save_variables(tmp_path / "w", build_network("simple", 5, settings).weights)
    with pytest.raises(RunError, match="doesn't fit the network"):
        load_variables(tmp_path / "w", build_network("simple", 6, settings).weights)


@pytest.mark.parametrize("keep", [0, 7, 100, 5000])
def test_truncated_weights_are_refused(keep: int, tmp_path: Path) -> None:
    network = build_network(
        "simple", 5, make_settings("simple", "best", {"image_sizes": [32]})
    )
    save_variables(tmp_path / "w", network.weights)
    (tmp_path / "w").write_bytes((tmp_path / "w").read_bytes()[:keep])
    with pytest.raises(RunError, match="damaged"):
        load_variables(tmp_path / "w", network.weights)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_few_steps_lower_the_loss(name: str) -> None:
    keras.utils.set_random_seed(0)
    settings = Settings(image_sizes=(32,), optimizer="adam")
    model = build_training_model(name, 4, settings, steps_per_epoch=8)
    images = np.random.default_rng(0).integers(0, 256, (16, 128, 128), dtype=np.uint8)
    targets = np.eye(4, dtype=np.float32)[np.arange(16) % 4]
    ink, targets = model.prepare(images, targets)
    losses = [
        model.network.train_on_batch(ink, targets, return_dict=True)["loss"]
        for _ in range(8)
    ]
    assert losses[-1] < losses[0]


def test_networks_speak_no_backend() -> None:
    paths = list((REPOSITORY / "models").glob("*.py"))
    assert paths
    for path in paths:
        text = path.read_text()
        assert "tensorflow" not in text
        assert "import tf" not in text

"""What is inside a network is what Keras has on the same weights."""

import re
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from core.inference.network import build_inference
from core.runs.recipes import make_settings
from core.training.evaluate import build_predictor
from models import NETWORKS, NetworkSpec
from tests.conftest import REPOSITORY
from tests.unit.inference.test_network import (
    NUM_CLASSES,
    VARIANTS,
    assert_near,
    random_network,
    sketches,
    without_keras,
)


@pytest.mark.parametrize(("name", "overrides"), VARIANTS)
def test_stages_are_those_of_keras(name: str, overrides: dict[str, Any]) -> None:
    settings = make_settings(name, "report", overrides)
    network = random_network(name, settings)
    inference = without_keras(name, network, settings)
    anatomy, images = inference.anatomy, sketches(3)
    ink, outputs = inference.look_inside(images)
    # Keras has no names for what goes between layers but the layers' own.
    of_keras = {layer.name: layer for layer in network.layers}
    wanted = [of_keras[stage.output].output for stage in anatomy.stages]
    expected = keras.Model(network.input, wanted).predict_on_batch(ink[..., None])
    for stage, found, answer in zip(anatomy.stages, outputs, expected, strict=True):
        values = np.moveaxis(found, 1, -1) if found.ndim == 4 else found
        assert_near(values, np.asarray(answer))
        assert found.shape[1:] == stage.shape
    layers = [layer for stage in anatomy.stages for layer in stage.layers]
    others = {"InputLayer", "Dropout"}
    assert {layer.name for layer in layers} == {
        name for name, one in of_keras.items() if type(one).__name__ not in others
    }
    for layer in layers:
        assert layer.num_parameters == of_keras[layer.name].count_params()
        shape = of_keras[layer.name].output.shape[1:]
        # A network of any size doesn't know its height and width.
        assert all(
            one in (other, None)
            for one, other in zip((*shape[2:], *shape[:2]), layer.shape, strict=True)
        )
    assert sum(s.num_parameters for s in anatomy.stages) == network.count_params()


@pytest.mark.parametrize("name", NETWORKS)
def test_contributions_and_bias_are_the_logit(name: str) -> None:
    settings = make_settings(name, "report", {"image_sizes": [64]})
    network = random_network(name, settings)
    inference = without_keras(name, network, settings)
    config: Any = SimpleNamespace(settings=settings)
    images = sketches(2)
    logits = build_predictor(network, config).predict_on_batch(images)[0]
    _, embedding, _ = inference(images)
    for label in range(NUM_CLASSES):
        added, bias = inference.anatomy.head.contributions(embedding[1], label)
        assert added.shape == embedding[1].shape
        assert added.sum() + bias == pytest.approx(float(logits[1][label]), abs=1e-3)


@pytest.mark.parametrize(
    ("name", "overrides"), [("simple", {}), ("resnet18", {"shortcut": "average_pool"})]
)
def test_a_value_changes_with_the_pixels_of_its_field_only(
    name: str, overrides: dict[str, Any]
) -> None:
    settings = make_settings(name, "report", {**overrides, "image_sizes": [128]})
    network = random_network(name, settings)
    for variable in network.weights:
        # Nothing cancels out, and no rectifier is shut.
        variable.assign(np.abs(np.asarray(variable)) + 0.1)
    inference = without_keras(name, network, settings)
    rows = np.full((128, 128, 128), 255, np.uint8)
    rows[np.arange(128), np.arange(128)] = 0
    blank = np.full((1, 128, 128), 255, np.uint8)
    _, inked = inference.look_inside(rows)
    _, empty = inference.look_inside(blank)
    for stage, with_ink, without in zip(
        inference.anatomy.stages, inked, empty, strict=True
    ):
        if stage.field is None:
            continue
        row, column = (side // 2 for side in stage.shape[1:])
        change = with_ink[:, 0, row, column] != without[0, 0, row, column]
        top, _, bottom, _ = stage.field.box(row, column, side=128)
        seen = np.flatnonzero(change)
        assert (seen[0], seen[-1] + 1) == (top, bottom), stage.name


def test_a_step_of_the_first_convolution_is_keras_s() -> None:
    for name in NETWORKS:
        settings = make_settings(name, "report", {"image_sizes": [64]})
        network = random_network(name, settings)
        inference = without_keras(name, network, settings)
        ink, _ = inference.look_inside(sketches(1))
        layer = next(x for x in network.layers if isinstance(x, keras.layers.Conv2D))
        answer = keras.Model(network.input, layer.output)
        expected = np.asarray(answer.predict_on_batch(ink[..., None]))[0]
        first = inference.anatomy.first
        assert first is not None
        down, across = first.shape
        assert (down, across, len(first.kernels)) == expected.shape
        for row, column in ((0, 0), (3, 5), (down - 1, across - 1)):
            window = first.at(ink[0], channel=2, row=row, column=column)
            assert window.total == pytest.approx(
                float(expected[row, column, 2]), abs=1e-4
            )
        with pytest.raises(ValueError, match="must be within"):
            first.at(ink[0], channel=0, row=down, column=0)


def test_a_third_network_has_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8")
    block = re.search(r"^# models/tiny.py\n(.*?)^```$", text, re.M | re.S)
    assert block
    made: dict[str, Any] = {}
    exec(block[1], made)
    spec = NetworkSpec(name="tiny", title="Tiny", build=made["tiny"], colour="#9B59B6")
    monkeypatch.setitem(NETWORKS, "tiny", spec)
    weights = {
        "conv/kernel": np.ones((5, 5, 1, 16), np.float32),
        "conv/bias": np.zeros(16, np.float32),
        "head/kernel": np.ones((16, 3), np.float32),
        "head/bias": np.zeros(3, np.float32),
    }
    settings = make_settings("simple", "report")
    inference = build_inference("tiny", 3, settings, weights)
    stages = inference.anatomy.stages
    assert [(s.name, s.shape, s.num_parameters) for s in stages] == [
        ("conv", (16, 31, 31), 416),
        ("embedding", (16,), 0),
        ("head", (3,), 51),
    ]
    assert stages[0].field is not None
    assert (stages[0].field.size, stages[0].field.step) == ((5, 5), (4, 4))
    assert inference.look_inside(sketches(1))[1][0].max() > 0

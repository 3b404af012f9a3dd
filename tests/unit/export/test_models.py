"""A network leaves the program as a model that answers as Keras does, or not at all."""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from core.errors import RunError, SketchScopeError
from core.export import formats
from core.export.formats import FORMATS
from core.export.models import (
    DESCRIPTION,
    LABELS,
    MAX_DIFFERENCE,
    export_model,
    parity_sketches,
)
from core.files import write_json
from core.inference.classify import Classifier
from core.paths import TRAINED_DIR
from core.runs.config import Settings
from core.runs.folder import CONFIG, WEIGHTS
from core.runs.reading import read_config
from core.runs.weights import DIGEST
from core.training.networks import build_network, save_network
from tests.conftest import LIBRARIES, Cli
from tests.preloaded import preloaded

SIMPLE = TRAINED_DIR / "simple"
NEEDS = {"openvino": "openvino", "litert": "ai_edge_litert"}

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="needs TensorFlow"
)


@pytest.fixture
def untrained(tmp_path: Path) -> Path:
    """A run of ResNet-18 at 32 px that has learned nothing, of four classes."""
    config = read_config(TRAINED_DIR / "resnet18").model_copy(
        update={
            "settings": Settings(image_sizes=(32,)),
            "class_names": ("a", "b b", "ć", "<d>"),
        }
    )
    folder = tmp_path / "untrained"
    folder.mkdir()
    write_json(folder / CONFIG, config.model_dump(mode="json"))
    keras.utils.set_random_seed(3)
    save_network(folder, build_network("resnet18", 4, config.settings))
    return folder


def probabilities(run_dir: Path, sketches: NDArray[np.uint8]) -> NDArray[np.float64]:
    return Classifier(run_dir).analyse(sketches).probabilities


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_shipped_network_leaves_and_answers_the_same(
    format_name: str, tmp_path: Path
) -> None:
    if format_name in NEEDS:
        pytest.importorskip(NEEDS[format_name])
    exported = export_model(SIMPLE, tmp_path / "model", format_name=format_name)
    assert exported.difference <= 1e-4
    answer = FORMATS[format_name].load(exported.model)
    sketches = parity_sketches()[[0, 5, 9]]
    expected = probabilities(SIMPLE, sketches)
    np.testing.assert_allclose(answer(sketches), expected, atol=1e-4)
    # One sketch at a time as well.
    np.testing.assert_allclose(answer(sketches[1:2]), expected[1:2], atol=1e-4)
    names = (exported.folder / LABELS).read_text(encoding="utf-8").splitlines()
    assert tuple(names) == read_config(SIMPLE).class_names
    described = json.loads((exported.folder / DESCRIPTION).read_text(encoding="utf-8"))
    assert described["input"]["shape"] == ["n", 128, 128]
    assert described["checked"]["largest_difference"] == exported.difference
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("format_name", ["onnx", "tf_saved_model"])
def test_an_untrained_resnet18_at_32_px_answers_the_same(
    format_name: str, untrained: Path, tmp_path: Path
) -> None:
    exported = export_model(untrained, tmp_path / "model", format_name=format_name)
    assert exported.difference <= 1e-4
    answer = FORMATS[format_name].load(exported.model)(parity_sketches())
    # It has seen nothing, and says different things of different sketches all the same.
    assert np.ptp(answer, axis=0).max() > 10 * MAX_DIFFERENCE


def test_onnx_carries_its_classes_and_needs_nothing_of_ours(tmp_path: Path) -> None:
    exported = export_model(SIMPLE, tmp_path / "model", format_name="onnx")
    session = onnxruntime.InferenceSession(str(exported.model))
    (images,) = session.get_inputs()
    assert (images.name, images.type) == ("images", "tensor(uint8)")
    assert images.shape[1:] == [128, 128]
    metadata = session.get_modelmeta().custom_metadata_map
    assert tuple(json.loads(metadata["class_names"])) == read_config(SIMPLE).class_names


def test_a_run_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="without its weights"):
        export_model(
            TRAINED_DIR / "simple-report", tmp_path / "model", format_name="onnx"
        )
    assert not list(tmp_path.iterdir())


def test_what_is_there_stays(untrained: Path, tmp_path: Path) -> None:
    target = tmp_path / "model"
    target.mkdir()
    with pytest.raises(RunError, match="exists already"):
        export_model(untrained, target, format_name="onnx")
    assert not list(target.iterdir())


def test_an_unknown_format_and_a_missing_runtime_are_named(
    untrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SketchScopeError, match=r"no format 'pickle'.*onnx"):
        export_model(untrained, tmp_path / "model", format_name="pickle")
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "openvino", raising=False)
    with pytest.raises(SketchScopeError, match="`pip install openvino`"):
        export_model(untrained, tmp_path / "model", format_name="openvino")


def test_a_model_that_answers_otherwise_is_removed(
    untrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx_model = formats._onnx_model

    def wrong(trained: formats.Trained) -> onnx.ModelProto:
        model: onnx.ModelProto = onnx_model(trained)
        for constant in model.graph.initializer:
            if constant.name == "paper":
                constant.CopyFrom(
                    onnx.numpy_helper.from_array(np.array(300, np.float32), "paper")
                )
        return model

    monkeypatch.setattr(formats, "_onnx_model", wrong)
    folder = tmp_path / "models"
    with pytest.raises(RunError, match="does not answer as Keras does, so it was"):
        export_model(untrained, folder / "model", format_name="onnx")
    assert not list(folder.iterdir())


def test_weights_that_are_no_numbers_are_not_handed_out(
    untrained: Path, tmp_path: Path
) -> None:
    tensors = load_file(untrained / WEIGHTS)
    last = max(set(tensors) - {DIGEST})
    save_file(
        tensors | {last: np.full_like(tensors[last], np.nan)}, untrained / WEIGHTS
    )
    folder = tmp_path / "models"
    with pytest.raises(RunError, match="answers with NaN"):
        export_model(untrained, folder / "model", format_name="onnx")
    assert not list(folder.iterdir())


def test_a_killed_export_leaves_no_model_and_the_next_one_clears_up(
    untrained: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom core.export import models\n"
        "models.check_parity = lambda *words: time.sleep(600)\n"
        f"models.export_model(Path({str(untrained)!r}), "
        f"Path({str(folder / 'model')!r}), format_name='onnx')"
    )
    process = preloaded(LIBRARIES).start(["-c", program], env=os.environ)
    while not list(folder.glob(".export-*/model.onnx")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (folder / "model").exists()
    export_model(untrained, folder / "model", format_name="onnx")
    assert [path.name for path in folder.iterdir()] == ["model"]


@pytest.mark.slow
def test_the_command_writes_a_model_or_a_small_run(
    cli: Cli, data_dir: Path, tmp_path: Path
) -> None:
    made = cli("export", "simple", "--format", "onnx", "--json")
    assert made.code == 0, made.err
    assert made.json["folder"] == str(data_dir / "exports" / "simple-onnx")
    assert made.json["largest_difference"] <= MAX_DIFFERENCE
    again = cli("export", "simple", "--format", "onnx")
    assert again.code == 2
    assert "exists already" in again.err
    small = cli("export", "simple", tmp_path / "small")
    assert small.code == 0, small.err
    assert (tmp_path / "small" / WEIGHTS).exists()
    shutil.rmtree(tmp_path / "small")

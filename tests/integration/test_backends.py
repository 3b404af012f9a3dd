"""TensorFlow and JAX, one device and four, compute the same training."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.datasets.store import Dataset
from core.errors import SketchScopeError
from core.runs.folder import kept_epochs, runs_dir
from core.runs.reading import read_run
from core.training.backend import choose_backend
from tests.conftest import (
    HANGING_S,
    JAX,
    JAX_FLAGS,
    REPOSITORY,
    TINY_SETTINGS,
    Cli,
    cli_environment,
)

STEP = """
import json, sys
from core.training.backend import choose_backend, load_backend, share_batches
choose_backend(sys.argv[1])
devices = share_batches(16) if sys.argv[2] == "shared" else 1
load_backend()
import keras, numpy as np
from pathlib import Path
from core.runs.recipes import make_settings
from core.datasets.starter import draw, render
from core.training.model import build_training_model
names = ("house", "key", "spider", "sun")
def sketch(number):
    generator = np.random.default_rng(number)
    return render(draw(names[number % 4], generator), generator)
images = np.stack([sketch(number) for number in range(16)])
targets = np.eye(4, dtype=np.float32)[np.arange(16) % 4]
settings = make_settings("simple", "report", {"image_sizes": [32], "batch_size": 16})
model = build_training_model("simple", 4, settings, steps_per_epoch=9)
network = model.network
# Weights that owe nothing to a backend's random numbers.
generator = np.random.default_rng(0)
for variable in network.weights:
    if variable.path.endswith("kernel"):
        fan_in = np.prod(variable.shape[:-1])
        values = generator.normal(0, (2 / fan_in) ** 0.5, variable.shape)
        variable.assign(values.astype(np.float32))
ink, targets = model.prepare(images, targets, training=False)
before = network.test_on_batch(ink, targets, return_dict=True)
ink, targets = model.prepare(images, targets)
steps = [network.train_on_batch(ink, targets, return_dict=True) for _ in range(2)]
print(json.dumps({
    "backend": keras.backend.backend(),
    "devices": devices,
    "losses": [float(logs["loss"]) for logs in (before, *steps)],
}))
"""


def step(backend: str, how: str = "alone", **variables: str) -> Any:
    """Scores one batch, then trains on it twice, in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-c", STEP, backend, how],
        cwd=REPOSITORY,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


FOUR = {
    **JAX,
    "XLA_FLAGS": f"{JAX_FLAGS} --xla_force_host_platform_device_count=4",
}


@pytest.mark.slow
def test_backends_and_devices_agree_on_the_loss_of_a_batch() -> None:
    pytest.importorskip("jax")
    tensorflow = step("tensorflow")
    jax = step("jax", **JAX)
    shared = step("jax", "shared", **FOUR)
    assert [tensorflow["backend"], jax["backend"]] == ["tensorflow", "jax"]
    assert [jax["devices"], shared["devices"]] == [1, 4]
    # Before and after a step in single precision; the first step's loss is of the
    # weights given, the second's of what each optimizer made of them.
    assert jax["losses"] == pytest.approx(tensorflow["losses"], rel=1e-3)
    assert shared["losses"] == pytest.approx(jax["losses"], rel=1e-3)


@pytest.mark.slow
def test_four_devices_train_a_run(tiny: Dataset, data_dir: Path) -> None:
    pytest.importorskip("jax")
    words = ("simple", "--dataset=tiny", "--run-id=four", "--epochs=1", *TINY_SETTINGS)
    result = subprocess.run(
        [
            *(sys.executable, "-m", "core", "train", *words),
            *("--backend=jax", "--data-parallel"),
        ],
        cwd=REPOSITORY,
        env={**cli_environment(data_dir), **FOUR},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    run = read_run(runs_dir(data_dir) / "four")
    assert run.state == "finished"
    assert run.metrics is not None


@pytest.mark.slow
def test_the_same_loop_with_every_field_trains_on_shared_jax_devices(
    tiny: Dataset, data_dir: Path
) -> None:
    pytest.importorskip("jax")
    words = ("simple", "--dataset=tiny", "--run-id=all", "--epochs=3")
    fields = (
        *("schedule=wsd", "decay_share=0.4", "ema=0.9", "keep=best", "patience=3"),
        *("mixing=sketch", "mixup=0.4", "cutmix=0.4", "unmixed_epochs=1"),
        *("flip=true", "rotation_deg=15", "dropout=0.2", "image_size_shares=[1]"),
    )
    result = subprocess.run(
        [
            *(sys.executable, "-m", "core", "train", *words, *TINY_SETTINGS),
            *(f"--set={field}" for field in fields),
            *("--backend=jax", "--data-parallel"),
        ],
        cwd=REPOSITORY,
        env={**cli_environment(data_dir), **FOUR},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    run = read_run(runs_dir(data_dir) / "all")
    assert run.state == "finished"
    assert len(run.history) == 3
    assert run.history[-1]["loss"] < run.history[0]["loss"]
    assert kept_epochs(run.path) == [2]


@pytest.mark.slow
def test_two_machines_train_as_one_by_the_documented_program(
    tiny: Dataset, data_dir: Path, tmp_path: Path
) -> None:
    pytest.importorskip("jax")
    text = (REPOSITORY / "docs" / "scale.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    weights = tmp_path / "weights.safetensors"
    words = [address, "simple", "tiny", str(weights)]
    words += ["epochs=2", "batch_size=16", "image_sizes=[32]"]
    environment = {**cli_environment(data_dir), **JAX}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, host, "2", *words],
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for host in ("0", "1")
    ]
    printed = []
    for process in processes:
        out, err = process.communicate(timeout=HANGING_S)
        assert process.returncode == 0, err
        printed.append(re.findall(r"epoch \d: loss.*", out))
    assert len(printed[0]) == 2
    assert printed[0] == printed[1]
    assert weights.exists()


def test_what_can_not_be_had_is_said_before_a_run_is_made(
    tiny: Dataset, data_dir: Path, cli: Cli
) -> None:
    words = ("train", "simple", "--dataset=tiny", "--epochs=1", *TINY_SETTINGS)
    for given, said in (
        (("--backend=torch",), "There is no backend 'torch'"),
        (("--device=abacus",), "There is no device 'abacus'"),
        (("--backend=tensorflow", "--data-parallel"), "on JAX only"),
    ):
        refused = cli(*words, *given)
        assert refused.code == 2
        assert said in refused.err
    assert not list(runs_dir(data_dir).glob("*"))


def test_a_backend_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "jax", raising=False)
    with pytest.raises(SketchScopeError, match=r"`pip install -r requirements-jax"):
        choose_backend("jax")

"""How fast each runtime answers one sketch: `python -m tests.runtimes`.

Those are measured that are installed: a warmed `tf.function`, ONNX Runtime,
which is what serves, and OpenVINO. All run the networks that ship, in
turn, on two threads, and must agree.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from core.datasets.starter import draw, render
from core.inference import network as inference_network
from core.inference.classify import Classifier
from core.paths import TRAINED_DIR
from core.runs.reading import read_config
from core.training.backend import load_backend

ROUNDS = 40
WARM_UP = 5
TOLERANCE = 1e-2
"""Between logits, which are about 10."""

Answer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def runtimes(name: str) -> dict[str, Answer]:
    """Loads a shipped network into every runtime there is."""
    run_dir = TRAINED_DIR / name
    models: list[bytes] = []
    start = inference_network._start

    def kept(model: onnx.ModelProto) -> Any:
        models.append(model.SerializeToString())
        return start(model)

    inference_network._start = kept
    try:
        classifier = Classifier(run_dir)
    finally:
        inference_network._start = start
    found: dict[str, Answer] = {
        "ONNX Runtime": lambda sketches: classifier.inference(sketches)[0]
    }
    load_backend()
    import tensorflow as tf

    from core.training.evaluate import build_predictor
    from core.training.networks import load_network

    config = read_config(run_dir)
    predictor = build_predictor(load_network(run_dir, config), config)
    signature = [tf.TensorSpec((1, 128, 128), tf.uint8)]
    function = tf.function(lambda x: predictor(x)[0], input_signature=signature)
    found["tf.function"] = lambda sketches: np.asarray(function(sketches))
    try:
        import openvino
    except ImportError:
        return found
    core = openvino.Core()
    model = core.compile_model(
        core.read_model(models[0]),
        "CPU",
        {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": 2},
    )
    found["OpenVINO"] = lambda sketches: np.asarray(model(sketches)["logits"])
    return found


def main() -> None:
    """Measures and prints it."""
    table = Table("network", "runtime", "median", "p95", "of ONNX Runtime's")
    generators = [np.random.default_rng(number) for number in range(ROUNDS)]
    sketches = [render(draw("house", g), g)[None] for g in generators]
    for network in ("simple", "resnet18"):
        found = runtimes(network)
        expected = found["ONNX Runtime"](sketches[0])
        times: dict[str, list[float]] = {name: [] for name in found}
        for name, ask in found.items():
            np.testing.assert_allclose(
                ask(sketches[0]), expected, atol=TOLERANCE, err_msg=name
            )
        for number, sketch in enumerate(sketches):
            for name, ask in found.items():
                started = time.perf_counter()
                ask(sketch)
                if number >= WARM_UP:
                    times[name].append(1000 * (time.perf_counter() - started))
        ours = statistics.median(times["ONNX Runtime"])
        for name, taken in times.items():
            table.add_row(
                network,
                name,
                f"{statistics.median(taken):.1f} ms",
                f"{np.percentile(taken, 95):.1f} ms",
                f"{statistics.median(taken) / ours:.2f}",
            )
    Console().print(table)


if __name__ == "__main__":
    main()

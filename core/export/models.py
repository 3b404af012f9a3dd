"""Writes a trained network as a model that other programs can run, and checks it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.datasets.starter import draw, find_starter, render
from core.errors import RunError, shorten
from core.export.formats import FORMATS, Answer, Format, Trained, find_format
from core.files import new_folder, write_json, write_text
from core.runs.evaluation import softmax
from core.runs.folder import WEIGHTS, reporting_removal
from core.runs.reading import check_weights, read_run
from core.runs.weights import check_finite, read_tensors
from core.sketches.images import IMAGE_SIZE, PAPER
from core.training.backend import load_backend

LABELS = "labels.txt"
DESCRIPTION = "model.json"

PARITY_SKETCHES = 24
MAX_DIFFERENCE = 1e-3
"""How far a probability may be from Keras's. Runtimes sum in different orders, which
moves it by some millionths; a wrong layer moves it by far more."""


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
    chosen = find_format(format_name)
    check_weights(run_dir)
    if target.exists():
        raise _taken(target)
    with reporting_removal(run_dir):
        trained = _load(run_dir)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with new_folder(target, prefix=".export-") as folder:
            difference = _write(trained, chosen, folder / chosen.file)
            _describe(folder, trained, format_name, difference)
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
    check_finite(trained.run_id, expected)
    answers = answer(sketches)
    if answers.shape != expected.shape:
        raise RunError(
            f"The {title} model of run {trained.run_id!r} answers in shape "
            f"{answers.shape}, not {expected.shape}, so it was removed."
        )
    differences = np.abs(answers - expected)
    difference = float(differences.max())
    moved = int((answers.argmax(axis=1) != expected.argmax(axis=1)).sum())
    # A NaN difference is not within anything.
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
    return softmax(logits, temperature=trained.temperature)


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


def _taken(target: Path) -> RunError:
    return RunError(f"{target} exists already. Remove it or choose another folder.")

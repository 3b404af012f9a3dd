"""What a teacher answers, what becomes of targets, and what is stored."""

from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from core.errors import RunError
from core.files import sha256, write_json
from core.runs.config import RunConfig, Settings, Teacher
from core.runs.folder import (
    CONFIG,
    TEACHER_ANSWERS,
    TEACHER_DIR,
    WEIGHTS,
    remove_intermediate,
)
from core.training.distillation import TeacherAnswers
from core.training.model import build_training_model
from core.training.networks import build_network, save_network

CLASSES = ("ant", "bat", "cat", "dog")
ORDER = [2, 0, 3, 1]
"""The label, to the teacher, of each class of the student."""
TEMPERATURE = 0.7
SIZE = 32
STEPS = 3

Ink = NDArray[np.float32]


def config(run_id: str, class_names: tuple[str, ...], **fields: object) -> RunConfig:
    return RunConfig.model_validate(
        {
            "run_id": run_id,
            "network": "simple",
            "dataset": "d",
            "dataset_fingerprint": "f",
            "split_fingerprint": "s",
            "attribution": "",
            "class_names": class_names,
            "recipe": "best",
            "created_at": "2026-01-01T00:00:00+00:00",
            **fields,
        }
    )


@pytest.fixture
def teacher(tmp_path: Path) -> keras.Model:
    """A network in a student's folder, with weights that answer boldly."""
    theirs = config("teacher", CLASSES, settings=Settings(image_sizes=(SIZE,)))
    network = build_network("simple", len(CLASSES), theirs.settings)
    network.get_layer("head").kernel.assign(
        np.random.default_rng(0).normal(
            scale=0.1, size=network.get_layer("head").kernel.shape
        )
    )
    folder = tmp_path / TEACHER_DIR
    folder.mkdir()
    write_json(folder / CONFIG, theirs.model_dump(mode="json"))
    save_network(folder, network)
    return network


def student(run_dir: Path, **fields: object) -> RunConfig:
    settings = {"batch_size": 8, "distillation": 0.6, "label_smoothing": 0.1, **fields}
    taught_by = Teacher(
        run_id="teacher",
        weights_sha256=sha256(run_dir / TEACHER_DIR / WEIGHTS),
        temperature=TEMPERATURE,
    )
    return config(
        "student",
        tuple(CLASSES[label] for label in ORDER),
        settings=settings,
        teacher=taught_by,
    )


def batch(seed: int = 0) -> tuple[Ink, Ink]:
    generator = np.random.default_rng(seed)
    ink = generator.random((8, SIZE, SIZE, 1), dtype=np.float32)
    return ink, np.eye(4, dtype=np.float32)[generator.integers(0, 4, 8)]


def direct(network: keras.Model, ink: Ink) -> Ink:
    logits: Ink = np.asarray(network(ink, training=False))[:, ORDER]
    return logits


def test_the_loss_is_its_share_the_teacher_s_and_only_labels_are_smoothed(
    tmp_path: Path, teacher: keras.Model
) -> None:
    answers = TeacherAnswers(tmp_path, student(tmp_path), steps_per_epoch=STEPS)
    ink, labels = batch()
    targets = np.asarray(answers.teach(ink, labels, view=0, step=0))
    assert targets.dtype == np.float32
    assert targets.sum(axis=1) == pytest.approx(1, abs=1e-5)
    logits = np.random.default_rng(5).normal(size=(8, 4)).astype(np.float32)
    # The loss that a training compiles.
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    taught = softmax(direct(teacher, ink) / TEMPERATURE, axis=1)
    expected = 0.4 * (0.9 * labels + 0.1 / 4) + 0.6 * taught
    by_hand = -(expected * log_softmax(logits, axis=1)).sum(axis=1).mean()
    assert float(loss(targets, logits)) == pytest.approx(by_hand, rel=1e-5)


def test_a_teacher_alone_leaves_nothing_of_the_labels(
    tmp_path: Path, teacher: keras.Model
) -> None:
    settings = {"distillation": 1, "label_smoothing": 0}
    answers = TeacherAnswers(
        tmp_path, student(tmp_path, **settings), steps_per_epoch=STEPS
    )
    ink, labels = batch()
    expected = softmax(direct(teacher, ink) / TEMPERATURE, axis=1)
    targets = np.asarray(answers.teach(ink, labels, view=0, step=0))
    assert targets == pytest.approx(expected, abs=1e-5)


def test_without_views_each_batch_is_answered_anew_and_no_file_is_made(
    tmp_path: Path, teacher: keras.Model
) -> None:
    answers = TeacherAnswers(tmp_path, student(tmp_path), steps_per_epoch=STEPS)
    for seed in range(2):
        ink, _ = batch(seed)
        logits = np.asarray(answers.logits(ink, view=0, step=0))
        assert logits == pytest.approx(direct(teacher, ink), abs=1e-4)
    assert not (tmp_path / TEACHER_ANSWERS).exists()


def test_a_view_s_answer_is_asked_for_once_and_outlives_the_process(
    tmp_path: Path, teacher: keras.Model
) -> None:
    taught = student(tmp_path, views=2)
    first = TeacherAnswers(tmp_path, taught, steps_per_epoch=STEPS)
    ink, other = batch(0)[0], batch(1)[0]
    expected = direct(teacher, ink).astype(np.float16)
    logits = np.asarray(first.logits(ink, view=1, step=2))
    # Rounded from the first, as later ones are.
    assert np.array_equal(logits, logits.astype(np.float16))
    assert logits == pytest.approx(expected, rel=1e-3, abs=1e-2)
    again = TeacherAnswers(tmp_path, taught, steps_per_epoch=STEPS)
    for answers in (first, again):
        assert np.array_equal(np.asarray(answers.logits(other, view=1, step=2)), logits)
        assert np.asarray(answers.logits(other, view=0, step=2)) == pytest.approx(
            direct(teacher, other), rel=1e-3, abs=1e-2
        )
    stored = np.load(tmp_path / TEACHER_ANSWERS)
    assert stored.shape == (2, STEPS, 8, 4)
    assert np.array_equal(np.isnan(stored).all(axis=(2, 3)), [[1, 1, 0], [1, 1, 0]])


def test_an_answer_of_which_a_part_is_unknown_is_asked_for_anew(
    tmp_path: Path, teacher: keras.Model
) -> None:
    taught = student(tmp_path, views=2)
    ink, _ = batch()
    answers = TeacherAnswers(tmp_path, taught, steps_per_epoch=STEPS)
    logits = np.asarray(answers.logits(ink, view=0, step=0))
    stored = np.load(tmp_path / TEACHER_ANSWERS, mmap_mode="r+")
    stored[0, 0, 5:] = np.nan
    stored.flush()
    again = TeacherAnswers(tmp_path, taught, steps_per_epoch=STEPS)
    assert np.array_equal(again.logits(ink, view=0, step=0), logits)


@pytest.mark.parametrize("content", [b"", b"no array", None])
def test_a_file_of_answers_that_does_not_fit_is_made_anew(
    tmp_path: Path, teacher: keras.Model, content: bytes | None
) -> None:
    if content is None:
        np.save(tmp_path / TEACHER_ANSWERS, np.zeros((2, STEPS + 1, 8, 4), np.float16))
    else:
        (tmp_path / TEACHER_ANSWERS).write_bytes(content)
    taught = student(tmp_path, views=2)
    ink, _ = batch()
    answers = TeacherAnswers(tmp_path, taught, steps_per_epoch=STEPS)
    logits = np.asarray(answers.logits(ink, view=0, step=0))
    assert logits == pytest.approx(direct(teacher, ink), rel=1e-3, abs=1e-2)


def test_a_teacher_of_other_classes_or_weights_is_refused(
    tmp_path: Path, teacher: keras.Model
) -> None:
    fit = student(tmp_path)
    other = fit.model_copy(update={"class_names": ("ant", "bat", "cat", "eel")})
    with pytest.raises(RunError, match="other classes"):
        TeacherAnswers(tmp_path, other, steps_per_epoch=STEPS)
    weights = tmp_path / TEACHER_DIR / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(RunError, match=r"missing or damaged.*--teacher teacher"):
        TeacherAnswers(tmp_path, fit, steps_per_epoch=STEPS)
    remove_intermediate(tmp_path)
    with pytest.raises(RunError):
        TeacherAnswers(tmp_path, fit, steps_per_epoch=STEPS)


def test_a_view_is_the_same_ink_and_targets_whenever_it_is_shown() -> None:
    settings = Settings(
        batch_size=8, views=2, image_sizes=(SIZE,), shift=0.1, mixing="sketch", cutmix=1
    )
    assert [settings.view_at(epoch) for epoch in range(5)] == [0, 1, 0, 1, 0]
    model = build_training_model("simple", 4, settings, steps_per_epoch=STEPS)
    model.set_teacher_size(48)
    images = np.random.default_rng(0).integers(0, 256, (8, 128, 128), dtype=np.uint8)
    labels = batch()[1]
    shown = []
    for view in (0, 1, 0):
        model.reseed(settings.seed, view, 2)
        shown.append([np.asarray(x) for x in model.prepare(images, labels, mixed=True)])
    first, other, again = shown
    assert first[0].shape == (8, 48, 48, 1)
    assert model.resize(first[0], SIZE).shape == (8, SIZE, SIZE, 1)
    assert np.asarray(model.resize(first[0], SIZE)).mean() == pytest.approx(
        first[0].mean(), rel=0.02
    )
    for one, two, three in zip(first, other, again, strict=True):
        assert not np.array_equal(one, two)
        assert np.array_equal(one, three)

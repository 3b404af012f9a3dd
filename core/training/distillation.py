"""Teaches a network by another's answers (Hinton et al. 2015).

Teacher and student see the same view of a sketch: the same ink, after augmentation
and mixing. Cross-entropy is linear in its targets, so a share of the loss that is the
teacher's is a share of the targets that is its probabilities; that differs from the
Kullback-Leibler divergence by a constant.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from core.errors import RunError
from core.files import load_array, replacing, sha256
from core.runs.config import RunConfig
from core.runs.folder import TEACHER_ANSWERS, TEACHER_DIR, WEIGHTS
from core.runs.reading import read_config
from core.training.backend import compiled
from core.training.networks import load_network


class TeacherAnswers:
    """A trained network that answers each batch, or has answered it before.

    Attributes:
        image_size: Side in pixels of the ink that it must be shown. It is the
            teacher's own: its batch-norm statistics belong to one size, and at
            another it is a much worse network.
    """

    def __init__(
        self, run_dir: Path, config: RunConfig, *, steps_per_epoch: int
    ) -> None:
        """Loads the teacher, and makes or opens the file of its answers.

        Args:
            run_dir: The student's folder, which holds its teacher's.
            config: The student's, with a teacher.
            steps_per_epoch: Steps of an epoch.

        Raises:
            RunError: If the teacher is missing, damaged, not the one that the config
                names, or of other classes.
        """
        assert config.teacher is not None
        settings = config.settings
        folder = run_dir / TEACHER_DIR
        teacher = read_config(folder)
        if set(teacher.class_names) != set(config.class_names):
            raise RunError(
                "Run {teacher!r} can't teach run {run!r}: it was trained on other "
                "classes.",
                teacher=config.teacher.run_id,
                run=run_dir.name,
            )
        if (
            not (folder / WEIGHTS).exists()
            or sha256(folder / WEIGHTS) != config.teacher.weights_sha256
        ):
            raise RunError(
                "{path} is missing or damaged. Start a new run with `--teacher "
                "{teacher}`.",
                path=folder / WEIGHTS,
                teacher=config.teacher.run_id,
            )
        self.image_size = teacher.settings.test_image_size
        self._temperature = config.teacher.temperature
        self._share = settings.distillation
        self._smoothing = settings.label_smoothing
        self._columns = [teacher.class_names.index(c) for c in config.class_names]
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy(settings.precision)
        try:
            self._answer = compiled(load_network(folder, teacher), training=False)
        finally:
            keras.config.set_dtype_policy(policy)
        self._stored: NDArray[np.float16] | None = None
        if settings.views:
            self._stored = _open_answers(
                run_dir / TEACHER_ANSWERS,
                (
                    *(settings.views, steps_per_epoch, settings.batch_size),
                    len(config.class_names),
                ),
            )

    def teach(self, ink: Any, targets: Any, *, view: int, step: int) -> Any:
        """Makes the teacher's answers their share of a batch's targets.

        The loss smooths all targets alike, and only the labels are to be smoothed;
        so what the teacher says is sharpened here by as much as it is smoothed
        there. That may leave small negative targets, and rows still add up to 1.

        Args:
            ink: What the student sees, at the teacher's size: float of shape
                `(batch, size, size, 1)`.
            targets: Those of the labels, of shape `(batch, num_classes)`.
            view: Of which view the batch is; read only where answers are stored.
            step: Of the epoch, counted from 0; likewise.

        Returns:
            Targets of the same shape, `float32`.
        """
        logits = self.logits(ink, view=view, step=step)
        answers = ops.softmax(logits / self._temperature)
        floor = self._smoothing / answers.shape[1]
        sharpened = (answers - floor) / (1 - self._smoothing)
        return (1 - self._share) * targets + self._share * sharpened

    def logits(self, ink: Any, *, view: int, step: int) -> Any:
        """Returns the teacher's answers, in the order of the student's classes.

        Stored ones are rounded to half precision, also when they are new: else a
        run that was killed would go on with other targets than one that was not.

        Args:
            ink: See `teach`.
            view: See `teach`.
            step: See `teach`.

        Returns:
            A tensor of shape `(batch, num_classes)`, `float32`.
        """
        if self._stored is None:
            return self._ask(ink)
        known = self._stored[view, step]
        # A write that was cut off left a part of them unknown.
        if np.isnan(known).any():
            known[:] = ops.convert_to_numpy(self._ask(ink))
        return ops.convert_to_tensor(known.astype(np.float32))

    def _ask(self, ink: Any) -> Any:
        return ops.take(ops.cast(self._answer(ink), "float32"), self._columns, axis=1)


def _open_answers(path: Path, shape: tuple[int, ...]) -> NDArray[np.float16]:
    """Memory-maps the file of stored answers, made anew where there is none that fits.

    Answers that are not known yet are NaN. They are written out, not left as holes:
    a disk that fills up later can't fail a write to them.

    Args:
        path: The file.
        shape: `(views, steps_per_epoch, batch_size, num_classes)`.
    """
    try:
        stored = load_array(path)
        is_fit = stored.shape == shape and stored.dtype == np.float16
    except (OSError, ValueError, AttributeError):
        is_fit = False
    if not is_fit:
        with replacing(path) as temporary, temporary.open("wb") as stream:
            unknown = np.full(shape[1:], np.nan, np.float16)
            header = {"descr": "<f2", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(stream, header)
            for _ in range(shape[0]):
                unknown.tofile(stream)
    answers: NDArray[np.float16] = np.load(path, mmap_mode="r+", allow_pickle=False)
    return answers

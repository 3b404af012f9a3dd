"""Trains one run: from its config to its weights, stoppable and resumable.

A training that was stopped, killed or powered off goes on from its last checkpoint
with the same weights, optimizer state, order of sketches and random state, so that
it ends as if nothing had happened.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from core.datasets.joined import join
from core.datasets.splits import seen_keys
from core.datasets.store import Dataset
from core.datasets.variants import StrokeVariants, open_variants
from core.errors import RunError
from core.files import list_folder, replacing, write_json
from core.runs.config import RunConfig
from core.runs.dataset import validation_split
from core.runs.folder import (
    BEST_WEIGHTS_GLOB,
    CHECKPOINT,
    CHECKPOINT_INTERVAL_S,
    ENVIRONMENT,
    INITIAL_CHECKPOINT,
    INITIAL_WEIGHTS,
    STOP_REQUEST,
    TRAIN_KEYS,
    best_weights,
    kept_checkpoint,
    remove_intermediate,
)
from core.runs.keeping import is_exhausted, kept_epoch, own_best_epoch
from core.runs.reading import read_run, read_train_keys, write_history
from core.runs.status import Status, current_process, write_status
from core.runs.stopping import StopCheck
from core.training.averaging import AVERAGING_STEPS, preserved
from core.training.backend import whole_batches
from core.training.batches import (
    DrawnVariants,
    batches,
    epoch_order,
    mix,
    rehearsed_rows,
)
from core.training.distillation import TeacherAnswers
from core.training.environment import describe_environment
from core.training.model import build_training_model, enable_determinism
from core.training.networks import (
    load_matching,
    load_variables,
    save_network,
    save_variables,
)
from core.training.progress import STATUS_INTERVAL_S, THROUGHPUT_STEPS, Means

EVALUATION_BATCH_SIZE = 128

STATISTICS_SKETCHES = 2_048
FINAL_STATISTICS_SKETCHES = 5_120
"""Training sketches that batch norm's statistics for averaged weights are of, at each
validation and at the end; all where there are fewer."""

Report = Callable[[Status, Sequence[dict[str, Any]]], None]
"""Called with the status and the history whenever either was written."""


@dataclass
class _State:
    """What a checkpoint says beside the variables.

    Attributes:
        epoch: Epochs completed.
        step: Steps completed in the current epoch.
        elapsed_s: Seconds of training so far, over all sittings.
        means: Of the current epoch's training figures.
        history: A row for each completed epoch.
    """

    epoch: int = 0
    step: int = 0
    elapsed_s: float = 0.0
    means: Means = field(default_factory=Means)
    history: list[dict[str, Any]] = field(default_factory=list)


def train_run(
    run_dir: Path,
    config: RunConfig,
    dataset: Dataset,
    *,
    drawings: Dataset | None = None,
    is_stop_requested: StopCheck,
    report: Report | None = None,
    checkpoint_interval_s: float = CHECKPOINT_INTERVAL_S,
) -> bool:
    """Trains a run from where it is to its end, or until it is asked to stop.

    The caller holds the run's lock. The status says `running` while it works, then
    `stopped`, `trained` or `failed`.

    Args:
        run_dir: The run's folder, with its config written.
        config: That config.
        dataset: The dataset that the config names.
        drawings: Those that the config names besides it, if any.
        is_stop_requested: Asked after every step.
        report: Told of progress from this thread.
        checkpoint_interval_s: Seconds between checkpoints within an epoch.

    Returns:
        Whether training is complete and the weights are saved.

    Raises:
        RunError: If the dataset isn't the one that the run began with, the
            checkpoint is damaged, the disk is full, or the loss diverges.
    """
    training = _Training(
        run_dir,
        config,
        dataset,
        drawings=drawings,
        is_stop_requested=is_stop_requested,
        report=report,
        checkpoint_interval_s=checkpoint_interval_s,
    )
    try:
        return training.run()
    except OSError as error:
        message = f"{run_dir} can't be written: {error.strerror or error}."
        training.fail(message)
        raise RunError(message) from error
    except BaseException as error:
        training.fail(str(error) or type(error).__name__)
        raise


class _Training:
    """One sitting of a run's training.

    It steps by `train_on_batch`, not by `fit`: Keras feeds `fit` through a
    `tf.data` generator, whose end was seen to stand still for 10 to 40 seconds an
    epoch (Keras 3.15, TensorFlow 2.21), and a step of one's own is where a
    training is to be saved and stopped anyway.
    """

    def __init__(
        self,
        run_dir: Path,
        config: RunConfig,
        dataset: Dataset,
        *,
        drawings: Dataset | None,
        is_stop_requested: StopCheck,
        report: Report | None,
        checkpoint_interval_s: float,
    ) -> None:
        self._run_dir = run_dir
        self._config = config
        self._settings = config.settings
        self._dataset = dataset
        self._drawings = drawings
        self._is_stop_requested = is_stop_requested
        self._report = report
        self._checkpoint_interval_s = checkpoint_interval_s
        # What an earlier sitting showed stays until this one has something newer.
        shown = read_run(run_dir)
        self._status = replace(
            shown.status,
            **current_process(),
            epochs=config.settings.epochs,
            message="",
        )
        self._state = _State(
            epoch=shown.status.epoch,
            step=shown.status.step,
            elapsed_s=shown.status.elapsed_s,
            history=list(shown.history),
        )
        now = time.monotonic()
        self._last_tick = self._last_save = self._last_status = now
        self._step_times: deque[float] = deque(maxlen=THROUGHPUT_STEPS)
        self._teacher: TeacherAnswers | None = None

    def run(self) -> bool:
        """Trains to the end or to a stop request; returns whether to the end."""
        self._write_status(state="running")
        self._check_dataset()
        self._variants = self._open_variants()
        settings = self._settings
        train_rows, val_rows = validation_split(self._dataset, settings)
        self._note_seen()
        write_json(self._run_dir / ENVIRONMENT, describe_environment())
        self._sketches = join(
            self._dataset, self._drawings, class_names=self._config.class_names
        )
        self._steps_per_epoch = (
            len(self._epoch_rows(train_rows, epoch=0)) // settings.batch_size
        )
        if settings.deterministic:
            enable_determinism()
        keras.utils.set_random_seed(settings.seed)
        self._model = build_training_model(
            self._config.network,
            self._sketches.num_classes,
            settings,
            steps_per_epoch=self._steps_per_epoch,
        )
        if self._config.teacher is not None:
            self._teacher = TeacherAnswers(
                self._run_dir, self._config, steps_per_epoch=self._steps_per_epoch
            )
            self._model.set_teacher_size(self._teacher.image_size)
        self._begin()
        # The checkpoint decides: a killed process may have been between the two.
        write_history(self._run_dir, self._state.history)
        self._write_status(steps_per_epoch=self._steps_per_epoch)
        while self._state.epoch < settings.epochs and not is_exhausted(
            self._config, self._state.history
        ):
            self._model.set_image_size(settings.image_size_at(self._state.epoch))
            if not self._train_epoch(train_rows):
                return False
            # Whatever is done with the averaged weights, training goes on from here.
            with preserved(self._model.network.variables if settings.ema else ()):
                if settings.ema:
                    self._average(train_rows, count=STATISTICS_SKETCHES)
                val_logs: dict[str, float] = {}
                if len(val_rows):
                    self._write_status(phase="validating")
                    val_logs = self._validate(val_rows)
                self._add_row(val_logs)
                if settings.keep == "best":
                    self._keep_if_best()
            self._finish_epoch()
        self._finish(train_rows)
        return True

    def _begin(self) -> None:
        """Puts the training where it was, or where its origin was, or at its start."""
        origin = self._config.origin
        path = self._run_dir / CHECKPOINT
        if path.exists():
            self._restore(load_variables(path, self._model.variables), path=path)
            return
        self._state = _State()
        if origin is None:
            return
        averages = self._model.averages
        if origin.epoch is None:
            load_variables(self._run_dir / INITIAL_WEIGHTS, self._model.network.weights)
            is_averaged = False
        else:
            path = self._run_dir / INITIAL_CHECKPOINT
            metadata, found = load_matching(
                path, self._model.variables, required=self._model.indispensable
            )
            self._restore(metadata, path=path)
            if (self._state.epoch, self._state.step) != (origin.epoch, 0):
                raise RunError(
                    f"{path} is not of the end of epoch {origin.epoch} of run "
                    f"{origin.run_id!r}."
                )
            # An epoch may have other steps here, since the split may be another.
            self._model.network.optimizer.iterations.assign(
                origin.epoch * self._steps_per_epoch
            )
            is_averaged = averages is not None and found.issuperset(
                id(average) for average in averages.averages
            )
        if averages is not None and not is_averaged:
            averages.restart()

    def fail(self, message: str) -> None:
        """Says in the status why the training ended."""
        # Where not even this can be written, the dead process tells it.
        with suppress(OSError):
            self._write_status(state="failed", message=message)

    def _train_epoch(self, train_rows: NDArray[np.int64]) -> bool:
        """Trains the rest of an epoch; returns False if asked to stop."""
        settings = self._settings
        state = self._state
        self._step_times.clear()
        self._write_status(phase="training")
        view = settings.view_at(state.epoch)
        order = epoch_order(
            self._epoch_rows(train_rows, epoch=view),
            seed=settings.seed,
            epoch=view,
            batch_size=settings.batch_size,
        )[state.step * settings.batch_size :]
        self._tick()
        for images, targets in batches(
            self._sketches,
            order,
            batch_size=settings.batch_size,
            drawn_variants=self._drawn_variants(view),
        ):
            if self._is_stop_requested():
                self._stop()
                return False
            is_mixed = settings.is_mixed_at(state.epoch)
            if is_mixed:
                images, targets = mix(
                    images, targets, settings, epoch=view, step=state.step
                )
            if settings.views:
                self._model.reseed(settings.seed, view, state.step)
            ink, targets = self._model.prepare(images, targets, mixed=is_mixed)
            if self._teacher is not None:
                shown = self._model.resize(ink, self._teacher.image_size)
                targets = self._teacher.teach(
                    shown, targets, view=view, step=state.step
                )
                ink = self._model.resize(ink, self._model.front.image_size)
            logs = self._model.network.train_on_batch(ink, targets, return_dict=True)
            state.step += 1
            self._follow_weights()
            state.means.add(logs, count=len(images))
            self._step_times.append(self._tick())
            self._after_step()
        return True

    def _drawn_variants(self, view: int) -> DrawnVariants | None:
        """Returns what replaces some sketches in the rest of this epoch, if anything.

        Rows of drawings that were joined to the dataset lie beyond its own.
        """
        if self._variants is None:
            return None
        return DrawnVariants(
            self._variants,
            share=self._settings.stroke_variants,
            seed=self._settings.seed,
            epoch=view,
            first_step=self._state.step,
        )

    def _epoch_rows(
        self, train_rows: NDArray[np.int64], *, epoch: int
    ) -> NDArray[np.int64]:
        """Returns what an epoch learns: train, or drawings and some of train."""
        if self._drawings is None:
            return train_rows
        first = len(self._dataset.labels)
        number = self._drawings.num_train
        rehearsed = rehearsed_rows(
            train_rows,
            count=self._settings.rehearsal * number,
            seed=self._settings.seed,
            epoch=epoch,
        )
        return np.concatenate([np.arange(first, first + number), rehearsed])

    def _after_step(self) -> None:
        """Saves and tells of progress when it is time."""
        now = time.monotonic()
        # After an epoch's last step it is validated and saved anyway.
        if (
            self._state.step < self._steps_per_epoch
            and now - self._last_save > self._checkpoint_interval_s
        ):
            self._save(self._run_dir / CHECKPOINT)
        if now - self._last_status > STATUS_INTERVAL_S:
            self._last_status = now
            step_s = float(np.mean(self._step_times))
            means = self._state.means.result()
            self._write_status(
                loss=_finite(means["loss"]),
                top1=_finite(means["top1"]),
                images_per_s=self._settings.batch_size / step_s,
                eta_s=self._remaining_s(step_s),
            )

    def _follow_weights(self) -> None:
        """Takes the weights into their averages when it is time."""
        averages, step = self._model.averages, self._state.step
        if averages is None:
            return
        unseen = step % AVERAGING_STEPS or AVERAGING_STEPS
        # Validation sees the averages, so an epoch leaves nothing for later.
        if unseen == AVERAGING_STEPS or step == self._steps_per_epoch:
            step += self._state.epoch * self._steps_per_epoch
            averages.update(step=step, steps=unseen)

    def _average(self, train_rows: NDArray[np.int64], *, count: int) -> None:
        """Puts averaged weights in place, with batch-norm statistics of their own.

        Args:
            train_rows: Those that the statistics may be of.
            count: Of how many; whole batches of them are taken, at least one.
        """
        averages = self._model.averages
        assert averages is not None
        averages.put_in_place()
        self._estimate_statistics(train_rows, count=count)

    def _estimate_statistics(
        self, train_rows: NDArray[np.int64], *, count: int
    ) -> None:
        rows = self._epoch_rows(train_rows, epoch=0)
        count = min(count, len(rows))
        size = min(EVALUATION_BATCH_SIZE, count)
        # At random: a batch of a few classes would be normalised by theirs.
        generator = np.random.default_rng([self._settings.seed, count])
        chosen = generator.permutation(rows)[: count // size * size]
        with whole_batches():
            self._model.statistics.estimate(
                self._model.prepare(images, targets, training=False)[0]
                for images, targets in batches(self._sketches, chosen, batch_size=size)
            )

    def _validate(self, val_rows: NDArray[np.int64]) -> dict[str, float]:
        """Returns the means over the validation part."""
        means = Means()
        for images, targets in batches(
            self._sketches, val_rows, batch_size=EVALUATION_BATCH_SIZE
        ):
            with whole_batches():
                ink, targets = self._model.prepare(images, targets, training=False)
                logs = self._model.network.test_on_batch(ink, targets, return_dict=True)
            means.add(logs, count=len(images))
        return means.result()

    def _add_row(self, val_logs: dict[str, float]) -> None:
        """Ends the epoch with its row in the history; `val_logs` may be empty."""
        state = self._state
        logs = state.means.result()
        if not np.isfinite([logs["loss"], val_logs.get("loss", 0.0)]).all():
            raise RunError(
                f"The loss is no longer a number in epoch {state.epoch + 1}. "
                "Start a new run with a lower learning_rate."
            )
        self._tick()
        state.epoch += 1
        state.step = 0
        state.means = Means()
        rate = keras.ops.convert_to_numpy(self._model.network.optimizer.learning_rate)
        state.history.append(
            {
                "epoch": state.epoch,
                "step": state.epoch * self._steps_per_epoch,
                **logs,
                **{f"val_{name}": value for name, value in val_logs.items()},
                "learning_rate": float(rate),
                "image_size": self._settings.image_size_at(state.epoch - 1),
                "elapsed_s": round(state.elapsed_s, 3),
            }
        )

    def _keep_if_best(self) -> None:
        """Saves the weights that were just validated if none were better."""
        epoch = self._state.epoch
        if own_best_epoch(self._config, self._state.history) == epoch:
            save_variables(
                self._run_dir / best_weights(epoch), self._model.network.weights
            )

    def _finish_epoch(self) -> None:
        """Saves what a resumed training, or a branch, goes on with."""
        state, settings = self._state, self._settings
        if settings.schedule == "wsd" and state.epoch == settings.fall_epoch:
            # First, lest a kill between the two lose it.
            self._save(self._run_dir / kept_checkpoint(state.epoch))
        self._save(self._run_dir / CHECKPOINT)
        best = best_weights(kept_epoch(self._config, state.history))
        for path in list_folder(self._run_dir, BEST_WEIGHTS_GLOB):
            # Not before: the checkpoint until now may have needed an earlier one.
            if path.name != best:
                path.unlink(missing_ok=True)
        write_history(self._run_dir, state.history)
        self._write_status()

    def _finish(self, train_rows: NDArray[np.int64]) -> None:
        """Saves the weights that are to be kept, and deletes what isn't needed."""
        settings, network = self._settings, self._model.network
        self._model.set_image_size(settings.test_image_size)
        epoch = kept_epoch(self._config, self._state.history)
        if settings.keep == "best":
            load_variables(self._run_dir / best_weights(epoch), network.weights)
        elif self._model.averages is not None:
            self._model.averages.put_in_place()
        if settings.ema:
            self._estimate_statistics(train_rows, count=FINAL_STATISTICS_SKETCHES)
        save_network(self._run_dir, network)
        # It holds a file open that goes.
        self._teacher = None
        remove_intermediate(self._run_dir)
        self._write_status(state="trained", eta_s=0.0, kept_epoch=epoch)

    def _stop(self) -> None:
        """Saves, and says that the training was stopped."""
        self._save(self._run_dir / CHECKPOINT)
        (self._run_dir / STOP_REQUEST).unlink(missing_ok=True)
        self._write_status(
            state="stopped",
            message="Stopped on request. Go on with `python -m core train --resume "
            f"{self._run_dir.name}`.",
        )

    def _save(self, path: Path) -> None:
        """Replaces a checkpoint."""
        # JSON keeps Python's numbers exactly.
        save_variables(path, self._model.variables, metadata=asdict(self._state))
        self._last_save = time.monotonic()

    def _restore(self, metadata: dict[str, Any], *, path: Path) -> None:
        """Puts the state back to that of a checkpoint."""
        try:
            self._state = TypeAdapter(_State).validate_python(metadata)
        except ValueError as error:
            raise RunError(
                f"{path} is damaged: what it says of the training can't be read."
            ) from error

    def _write_status(self, **changes: Any) -> None:
        self._status = replace(
            self._status,
            epoch=self._state.epoch,
            step=self._state.step,
            elapsed_s=self._state.elapsed_s,
            **changes,
        )
        write_status(self._run_dir, self._status)
        if self._report:
            self._report(self._status, self._state.history)

    def _tick(self) -> float:
        """Adds the time since the last tick to the training's; returns it."""
        now = time.monotonic()
        seconds = now - self._last_tick
        self._last_tick = now
        self._state.elapsed_s += seconds
        return seconds

    def _remaining_s(self, step_s: float) -> float:
        """Estimates the time left; a step costs as much as it has pixels."""
        settings = self._settings
        pixels = [
            settings.image_size_at(epoch) ** 2
            for epoch in range(self._state.epoch, settings.epochs)
        ]
        steps = self._steps_per_epoch * sum(pixels) / pixels[0] - self._state.step
        return step_s * steps

    def _note_seen(self) -> None:
        """Writes down what this run, its origin or its teacher may learn from."""
        path = self._run_dir / TRAIN_KEYS
        keys = seen_keys(self._dataset)
        if self._drawings is not None:
            keys = np.union1d(keys, seen_keys(self._drawings))
        if self._config.origin is not None or self._config.teacher is not None:
            keys = np.union1d(keys, read_train_keys(self._run_dir))
        with replacing(path) as temporary, temporary.open("wb") as stream:
            np.save(stream, keys)

    def _check_dataset(self) -> None:
        found = {d.fingerprint for d in (self._dataset, self._drawings) if d}
        config = self._config
        expected = {config.dataset_fingerprint}
        if config.drawings is not None:
            expected.add(config.drawings.fingerprint)
        if found != expected:
            raise RunError(
                f"Dataset {self._dataset.name!r} is not the one that run "
                f"{self._run_dir.name!r} began with: other sketches or another split."
            )

    def _open_variants(self) -> StrokeVariants | None:
        """Opens the stroke variants that the run began with, if it draws from any."""
        if not self._settings.stroke_variants:
            return None
        variants = open_variants(self._dataset)
        if variants.fingerprint != self._config.variants_fingerprint:
            raise RunError(
                f"The stroke variants of dataset {self._dataset.name!r} are not those "
                f"that run {self._run_dir.name!r} began with. Start a new run."
            )
        variants.hold()
        return variants


def _finite(value: float) -> float | None:
    """Returns a number, or None for what JSON has no word for."""
    return float(value) if np.isfinite(value) else None

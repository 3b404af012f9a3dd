"""Trains one run: from its config to its weights, stoppable and resumable.

A training that was stopped, killed or powered off goes on from its last checkpoint
with the same weights, optimizer state, order of sketches and random state, so that
it ends as if nothing had happened.
"""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from pydantic import TypeAdapter

from core.datasets.store import Dataset
from core.errors import RunError, Sentence, message_of, unwritable
from core.files import list_folder, write_json
from core.runs.config import RunConfig
from core.runs.folder import (
    BEST_WEIGHTS_GLOB,
    CHECKPOINT,
    CHECKPOINT_INTERVAL_S,
    ENVIRONMENT,
    INITIAL_CHECKPOINT,
    INITIAL_WEIGHTS,
    STOP_REQUEST,
    best_weights,
    kept_checkpoint,
    remove_intermediate,
)
from core.runs.keeping import is_exhausted, kept_epoch, own_best_epoch
from core.runs.reading import write_history
from core.runs.stopping import StopCheck
from core.training.averaging import AVERAGING_STEPS, preserved
from core.training.backend import whole_batches
from core.training.batches import batches, mix
from core.training.data import TrainingData
from core.training.distillation import TeacherAnswers
from core.training.environment import describe_environment
from core.training.model import build_training_model, enable_determinism
from core.training.networks import (
    load_matching,
    load_variables,
    save_network,
    save_variables,
)
from core.training.progress import Means, Progress, Report, TrainingState, check_loss

EVALUATION_BATCH_SIZE = 128
STATISTICS_SKETCHES = 2_048
FINAL_STATISTICS_SKETCHES = 5_120
"""Training sketches that batch norm's statistics for averaged weights are of, at each
validation and at the end; all where there are fewer."""


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
        message = unwritable(run_dir, error)
        training.progress.fail(message)
        raise RunError(message) from error
    except BaseException as error:
        training.progress.fail(message_of(error))
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
        self._checkpoint_interval_s = checkpoint_interval_s
        self.progress = Progress(run_dir, config.settings, report=report)
        self._last_save = time.monotonic()
        self._teacher: TeacherAnswers | None = None

    @property
    def _state(self) -> TrainingState:
        """How far the training is."""
        return self.progress.state

    def run(self) -> bool:
        """Trains to the end or to a stop request; returns whether to the end."""
        self.progress.write(state="running")
        settings = self._settings
        self._data = TrainingData(
            self._run_dir, self._config, self._dataset, drawings=self._drawings
        )
        self._data.note_seen()
        write_json(self._run_dir / ENVIRONMENT, describe_environment())
        self._steps_per_epoch = self._data.steps_per_epoch
        self.progress.steps_per_epoch = self._steps_per_epoch
        if settings.deterministic:
            enable_determinism()
        keras.utils.set_random_seed(settings.seed)
        self._model = build_training_model(
            self._config.network,
            self._data.sketches.num_classes,
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
        self.progress.write(steps_per_epoch=self._steps_per_epoch)
        while self._state.epoch < settings.epochs and not is_exhausted(
            self._config, self._state.history
        ):
            self._model.set_image_size(settings.image_size_at(self._state.epoch))
            if not self._train_epoch():
                return False
            # Whatever is done with the averaged weights, training goes on from here.
            with preserved(self._model.network.variables if settings.ema else ()):
                if settings.ema:
                    self._average(count=STATISTICS_SKETCHES)
                val_logs: dict[str, float] = {}
                if len(self._data.val_rows):
                    self.progress.write(phase="validating")
                    val_logs = self._validate()
                self._add_row(val_logs)
                if settings.keep == "best":
                    self._keep_if_best()
            self._finish_epoch()
        self._finish()
        return True

    def _begin(self) -> None:
        """Puts the training where it was, or where its origin was, or at its start."""
        origin = self._config.origin
        path = self._run_dir / CHECKPOINT
        if path.exists():
            self._restore(load_variables(path, self._model.variables), path=path)
            return
        self.progress.state = TrainingState()
        if origin is None:
            return
        averages = self._model.averages
        if origin.epoch is None:
            load_variables(self._run_dir / INITIAL_WEIGHTS, self._model.network.weights)
            is_averaged = False
        else:
            path = self._run_dir / INITIAL_CHECKPOINT
            metadata, loaded = load_matching(
                path, self._model.variables, required=self._model.indispensable
            )
            self._restore(metadata, path=path)
            if (self._state.epoch, self._state.step) != (origin.epoch, 0):
                raise RunError(
                    "{path} is not of the end of epoch {epoch} of run {run!r}.",
                    path=path,
                    epoch=origin.epoch,
                    run=origin.run_id,
                )
            # An epoch may have other steps here, since the split may be another.
            self._model.network.optimizer.iterations.assign(
                origin.epoch * self._steps_per_epoch
            )
            is_averaged = averages is not None and loaded.issuperset(
                id(average) for average in averages.averages
            )
        if averages is not None and not is_averaged:
            averages.restart()

    def _train_epoch(self) -> bool:
        """Trains the rest of an epoch; returns False if asked to stop."""
        settings = self._settings
        state = self._state
        self.progress.begin_epoch()
        view = settings.view_at(state.epoch)
        order = self._data.order(view)[state.step * settings.batch_size :]
        self.progress.tick()
        for images, targets in batches(
            self._data.sketches,
            order,
            batch_size=settings.batch_size,
            drawn_variants=self._data.drawn_variants(view, first_step=state.step),
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
            check_loss(float(logs["loss"]), epoch=state.epoch)
            state.step += 1
            self._follow_weights()
            state.means.add(logs, count=len(images))
            self.progress.end_step()
            self._after_step()
        return True

    def _after_step(self) -> None:
        """Saves and tells of progress when it is time."""
        # After an epoch's last step it is validated and saved anyway.
        if (
            self._state.step < self._steps_per_epoch
            and time.monotonic() - self._last_save > self._checkpoint_interval_s
        ):
            self._save(self._run_dir / CHECKPOINT)
        self.progress.tell()

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

    def _average(self, *, count: int) -> None:
        """Puts averaged weights in place, with batch-norm statistics of their own.

        Args:
            count: Of how many training sketches the statistics are; whole batches of
                them are taken, at least one.
        """
        averages = self._model.averages
        assert averages is not None
        averages.put_in_place()
        self._estimate_statistics(count=count)

    def _estimate_statistics(self, *, count: int) -> None:
        rows = self._data.epoch_rows(0)
        count = min(count, len(rows))
        size = min(EVALUATION_BATCH_SIZE, count)
        # At random: a batch of a few classes would be normalised by theirs.
        generator = np.random.default_rng([self._settings.seed, count])
        chosen = generator.permutation(rows)[: count // size * size]
        with whole_batches():
            self._model.statistics.estimate(
                self._model.prepare(images, targets, training=False)[0]
                for images, targets in batches(
                    self._data.sketches, chosen, batch_size=size
                )
            )

    def _validate(self) -> dict[str, float]:
        """Returns the means over the validation part."""
        means = Means()
        for images, targets in batches(
            self._data.sketches,
            self._data.val_rows,
            batch_size=EVALUATION_BATCH_SIZE,
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
        check_loss(val_logs.get("loss", 0.0), epoch=state.epoch)
        self.progress.tick()
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
        best = self._run_dir / best_weights(kept_epoch(self._config, state.history))
        # Not before: the checkpoint until now may have needed an earlier one.
        for path in set(list_folder(self._run_dir, BEST_WEIGHTS_GLOB)) - {best}:
            path.unlink(missing_ok=True)
        write_history(self._run_dir, state.history)
        self.progress.write()

    def _finish(self) -> None:
        """Saves the weights that are to be kept, and deletes what isn't needed."""
        settings, network = self._settings, self._model.network
        self._model.set_image_size(settings.test_image_size)
        epoch = kept_epoch(self._config, self._state.history)
        if settings.keep == "best":
            load_variables(self._run_dir / best_weights(epoch), network.weights)
        elif self._model.averages is not None:
            self._model.averages.put_in_place()
        if settings.ema:
            self._estimate_statistics(count=FINAL_STATISTICS_SKETCHES)
        save_network(self._run_dir, network)
        # It holds a file open that goes.
        self._teacher = None
        remove_intermediate(self._run_dir)
        self.progress.write(state="trained", eta_s=0.0, kept_epoch=epoch)

    def _stop(self) -> None:
        """Saves, and says that the training was stopped."""
        self._save(self._run_dir / CHECKPOINT)
        (self._run_dir / STOP_REQUEST).unlink(missing_ok=True)
        self.progress.write(
            state="stopped",
            message=Sentence(
                "Stopped on request. Go on with `python -m core train --resume {run}`.",
                run=self._run_dir.name,
            ),
        )

    def _save(self, path: Path) -> None:
        """Replaces a checkpoint; JSON keeps Python's numbers exactly."""
        save_variables(path, self._model.variables, metadata=asdict(self._state))
        self._last_save = time.monotonic()

    def _restore(self, metadata: dict[str, Any], *, path: Path) -> None:
        """Puts the state back to that of a checkpoint."""
        try:
            self.progress.state = TypeAdapter(TrainingState).validate_python(metadata)
        except ValueError as error:
            raise RunError(
                "{path} is damaged: what it says of the training can't be read.",
                path=path,
            ) from error

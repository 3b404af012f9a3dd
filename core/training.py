"""Trains one run: from its config to its weights, stoppable and resumable.

A training that was stopped, killed or powered off goes on from its last checkpoint
with the same weights, optimizer state, order of sketches and random state, so that
it ends as if nothing had happened.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from pydantic import TypeAdapter

from core.augmentation import SketchInput
from core.batches import SketchBatches, epoch_order
from core.checkpoint import load_variables, save_variables
from core.config import RunConfig, Settings
from core.datasets.store import Dataset
from core.errors import RunError
from core.images import IMAGE_SIZE, PAPER
from core.networks import build_network, save_network
from core.runs import (
    CHECKPOINT,
    CHECKPOINT_INTERVAL_S,
    STOP_REQUEST,
    TRAIN_KEYS,
    Status,
    current_process,
    read_run,
    write_history,
    write_status,
)
from core.splits import stratified_split
from core.stopping import StopCheck

STATUS_INTERVAL_S = 0.5
THROUGHPUT_STEPS = 20
"""Steps over which the shown throughput is averaged."""

EVALUATION_BATCH_SIZE = 128

Report = Callable[[Status, Sequence[dict[str, Any]]], None]
"""Called with the status and the history whenever either was written."""


@dataclass
class _State:
    """What a checkpoint says beside the variables.

    Attributes:
        epoch: Epochs completed.
        step: Steps completed in the current epoch.
        elapsed_s: Seconds of training so far, over all sittings.
        history: A row for each completed epoch.
    """

    epoch: int = 0
    step: int = 0
    elapsed_s: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


def train_run(
    run_dir: Path,
    config: RunConfig,
    dataset: Dataset,
    *,
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
    """One sitting of a run's training."""

    def __init__(
        self,
        run_dir: Path,
        config: RunConfig,
        dataset: Dataset,
        *,
        is_stop_requested: StopCheck,
        report: Report | None,
        checkpoint_interval_s: float,
    ) -> None:
        pid, process_started = current_process()
        self._run_dir = run_dir
        self._config = config
        self._settings = config.settings
        self._dataset = dataset
        self._report = report
        self._checkpoint_interval_s = checkpoint_interval_s
        # What an earlier sitting showed stays until this one has something newer.
        shown = read_run(run_dir)
        self._status = replace(
            shown.status,
            pid=pid,
            process_started=process_started,
            epochs=config.settings.epochs,
            message="",
        )
        self.is_stop_requested = is_stop_requested
        self.state = _State(
            epoch=shown.status.epoch,
            step=shown.status.step,
            elapsed_s=shown.status.elapsed_s,
            history=list(shown.history),
        )

    def write_status(self, **changes: Any) -> None:
        self._status = replace(
            self._status,
            epoch=self.state.epoch,
            step=self.state.step,
            elapsed_s=self.state.elapsed_s,
            **changes,
        )
        write_status(self._run_dir, self._status)
        if self._report:
            self._report(self._status, self.state.history)

    def fail(self, message: str) -> None:
        # Where not even this can be written, the dead process tells it.
        with suppress(OSError):
            self.write_status(state="failed", message=message)

    def run(self) -> bool:
        self.write_status(state="running")
        self._check_dataset()
        settings = self._settings
        train_rows, val_rows = validation_split(self._dataset, settings)
        np.save(self._run_dir / TRAIN_KEYS, seen_keys(self._dataset))
        steps_per_epoch = len(train_rows) // settings.batch_size
        if settings.deterministic:
            enable_determinism()
        keras.utils.set_random_seed(settings.seed)
        model, front, network = build_training_model(
            self._config.network,
            self._dataset.num_classes,
            settings,
            steps_per_epoch=steps_per_epoch,
        )
        recorder = _Recorder(
            self,
            model,
            steps_per_epoch=steps_per_epoch,
            checkpoint_interval_s=self._checkpoint_interval_s,
        )
        if (self._run_dir / CHECKPOINT).exists():
            recorder.restore(self._run_dir / CHECKPOINT)
        else:
            self.state = _State()
        # The checkpoint decides: a killed process may have been between the two.
        write_history(self._run_dir, self.state.history)
        self.write_status(steps_per_epoch=steps_per_epoch)
        val_batches = self._batches(val_rows, batch_size=EVALUATION_BATCH_SIZE)
        while self.state.epoch < settings.epochs:
            if self.is_stop_requested():
                return self._stopped(recorder)
            set_image_size(model, front, settings.image_size_at(self.state.epoch))
            order = epoch_order(
                train_rows,
                seed=settings.seed,
                epoch=self.state.epoch,
                batch_size=settings.batch_size,
            )[self.state.step * settings.batch_size :]
            self.write_status(phase="training")
            logs = model.fit(
                self._batches(order, batch_size=settings.batch_size),
                initial_epoch=self.state.epoch,
                epochs=self.state.epoch + 1,
                shuffle=False,
                verbose=0,
                callbacks=[recorder],
            ).history
            if recorder.stopped:
                return self._stopped(recorder)
            self.write_status(phase="validating")
            val_logs = model.evaluate(val_batches, verbose=0, return_dict=True)
            recorder.finish_epoch(
                {name: values[-1] for name, values in logs.items()}, val_logs
            )
        save_network(self._run_dir, network)
        (self._run_dir / CHECKPOINT).unlink(missing_ok=True)
        self.write_status(state="trained", eta_s=0.0)
        return True

    def _stopped(self, recorder: "_Recorder") -> bool:
        recorder.save()
        (self._run_dir / STOP_REQUEST).unlink(missing_ok=True)
        self.write_status(
            state="stopped",
            message="Stopped on request. Go on with `python -m core train --resume "
            f"{self._run_dir.name}`.",
        )
        return False

    def _check_dataset(self) -> None:
        if self._dataset.fingerprint != self._config.dataset_fingerprint:
            raise RunError(
                f"Dataset {self._dataset.name!r} is not the one that run "
                f"{self._run_dir.name!r} began with: other sketches or another split."
            )

    def _batches(self, rows: Any, *, batch_size: int) -> SketchBatches:
        return SketchBatches(
            self._dataset.images,
            self._dataset.labels,
            rows,
            num_classes=self._dataset.num_classes,
            batch_size=batch_size,
        )


class _Recorder(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps a training's state, and writes checkpoint, status and history."""

    def __init__(
        self,
        training: _Training,
        model: keras.Model,
        *,
        steps_per_epoch: int,
        checkpoint_interval_s: float,
    ) -> None:
        super().__init__()
        self.stopped = False
        self._training = training
        self._training_model = model
        self._steps_per_epoch = steps_per_epoch
        self._checkpoint_interval_s = checkpoint_interval_s
        self._restored_metrics: list[Any] | None = None
        now = time.monotonic()
        self._last_tick = self._last_save = self._last_status = now
        self._step_times: list[float] = []

    @property
    def _state(self) -> _State:
        return self._training.state

    def restore(self, path: Path) -> None:
        """Puts variables and state back to those of a checkpoint."""
        # Keras clears metrics when an epoch begins, so theirs travel apart and are
        # put back after that.
        metadata = load_variables(
            path,
            self._training_model.variables + self._training_model.optimizer.variables,
        )
        try:
            self._restored_metrics = [np.float32(v) for v in metadata.pop("metrics")]
            self._training.state = TypeAdapter(_State).validate_python(metadata)
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(
                f"{path} is damaged: what it says of the training can't be read."
            ) from error
        # Metrics get their variables from the first batch that they see; a test
        # batch changes nothing else.
        paper = np.full((1, IMAGE_SIZE, IMAGE_SIZE), PAPER, np.uint8)
        classes = self._training_model.output_shape[-1]
        self._training_model.test_on_batch(paper, np.eye(1, classes, dtype=np.float32))

    def save(self) -> None:
        """Replaces the checkpoint."""
        model = self._training_model
        if keras.backend.backend() == "jax":
            # While it trains on JAX, Keras keeps the values outside the variables.
            model.jax_state_sync()
        metrics = self._restored_metrics
        if metrics is None:
            metrics = [
                keras.ops.convert_to_numpy(variable)
                for variable in model.metrics_variables
            ]
        state = self._state
        save_variables(
            self._training._run_dir / CHECKPOINT,
            model.variables + model.optimizer.variables,
            metadata={
                "epoch": state.epoch,
                "step": state.step,
                "elapsed_s": state.elapsed_s,
                "history": state.history,
                # A float32 is a double, and JSON keeps doubles exactly.
                "metrics": [float(value) for value in metrics],
            },
        )
        self._last_save = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Puts the running means of a half-finished epoch back."""
        if self._restored_metrics is not None and self._state.step > 0:
            for variable, value in zip(
                self._training_model.metrics_variables,
                self._restored_metrics,
                strict=True,
            ):
                variable.assign(value)
        self._restored_metrics = None
        self._step_times = []
        self._tick()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Counts the step, and saves or stops when it is time."""
        state = self._state
        state.step += 1
        seconds = self._tick()
        self._step_times = [*self._step_times[-THROUGHPUT_STEPS + 1 :], seconds]
        now = time.monotonic()
        # After the last step the epoch is finished first.
        in_mid_epoch = state.step < self._steps_per_epoch
        if in_mid_epoch and self._training.is_stop_requested():
            self.stopped = True
            self._training_model.stop_training = True
            return
        if in_mid_epoch and now - self._last_save > self._checkpoint_interval_s:
            self.save()
        if now - self._last_status > STATUS_INTERVAL_S:
            self._last_status = now
            step_s = float(np.mean(self._step_times))
            self._training.write_status(
                loss=float(logs["loss"]),
                top1=float(logs["top1"]),
                images_per_s=self._training._settings.batch_size / step_s,
                eta_s=self._remaining_s(step_s),
            )

    def finish_epoch(self, logs: dict[str, float], val_logs: dict[str, float]) -> None:
        """Adds the epoch's row and saves."""
        self._tick()
        if not np.isfinite([logs["loss"], val_logs["loss"]]).all():
            raise RunError(
                f"The loss is no longer a number in epoch {self._state.epoch + 1}. "
                "Start a new run with a lower learning_rate."
            )
        state = self._state
        state.epoch += 1
        state.step = 0
        state.history.append(
            {
                "epoch": state.epoch,
                "step": state.epoch * self._steps_per_epoch,
                **{name: float(value) for name, value in logs.items()},
                **{f"val_{name}": float(value) for name, value in val_logs.items()},
                "learning_rate": float(
                    keras.ops.convert_to_numpy(
                        self._training_model.optimizer.learning_rate
                    )
                ),
                "image_size": self._training._settings.image_size_at(state.epoch - 1),
                "elapsed_s": round(state.elapsed_s, 3),
            }
        )
        self.save()
        write_history(self._training._run_dir, state.history)
        self._training.write_status()

    def _tick(self) -> float:
        """Adds the time since the last tick to the training's; returns it."""
        now = time.monotonic()
        seconds = now - self._last_tick
        self._last_tick = now
        self._state.elapsed_s += seconds
        return seconds

    def _remaining_s(self, step_s: float) -> float:
        """Estimates the time left; a step costs as much as it has pixels."""
        settings = self._training._settings
        state = self._state
        pixels = [
            settings.image_size_at(epoch) ** 2
            for epoch in range(state.epoch, settings.epochs)
        ]
        steps = self._steps_per_epoch * sum(pixels) / pixels[0] - state.step
        return step_s * steps


def validation_split(dataset: Dataset, settings: Settings) -> tuple[Any, Any]:
    """Returns the rows of train proper and of validation, ascending."""
    rows = dataset.indices("train")
    kept, held_out = stratified_split(
        dataset.labels[rows], fraction=settings.val_fraction, seed=settings.seed
    )
    return rows[kept], rows[held_out]


def seen_keys(dataset: Dataset) -> Any:
    """Returns the keys of all sketches that a training on a dataset may learn from.

    Validation counts as seen, since settings are chosen by it.

    Returns:
        Sorted unique `uint64` keys of shape `(m,)`; see `Dataset.keys`.
    """
    return np.unique(dataset.keys[dataset.indices("train")])


def build_training_model(
    network_name: str, num_classes: int, settings: Settings, *, steps_per_epoch: int
) -> tuple[keras.Model, SketchInput, keras.Model]:
    """Builds and compiles what `fit` trains.

    Returns:
        The compiled model from packed sketches to logits, its front, and the
        network proper, which shares its weights.
    """
    network = build_network(network_name, num_classes, settings)
    front = SketchInput(settings, image_size=settings.image_size_at(0), name="front")
    images = keras.Input((None, None), dtype="uint8", name="images")
    model = keras.Model(images, network(front(images)), name="training")
    return (
        compile_model(model, settings, steps_per_epoch=steps_per_epoch),
        front,
        network,
    )


def compile_model(
    model: keras.Model, settings: Settings, *, steps_per_epoch: int
) -> keras.Model:
    """Gives a model of logits the loss, metrics and optimizer of its settings."""
    model.compile(
        optimizer=_build_optimizer(settings, steps_per_epoch=steps_per_epoch),
        loss=keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=settings.label_smoothing
        ),
        metrics=[
            keras.metrics.CategoricalAccuracy(name="top1"),
            keras.metrics.TopKCategoricalAccuracy(k=5, name="top5"),
        ],
        # On a CPU, XLA takes longer to compile and is no faster.
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    model.optimizer.build(model.trainable_variables)
    return model


def set_image_size(model: keras.Model, front: SketchInput, image_size: int) -> None:
    """Changes the size at which a training model works."""
    if front.image_size != image_size:
        front.image_size = image_size
        # Compiled functions hold the old size; Keras makes new ones when it needs.
        model.train_function = model.test_function = model.predict_function = None


def enable_determinism() -> None:
    """Makes TensorFlow use only operations that repeat bit for bit."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def _build_optimizer(
    settings: Settings, *, steps_per_epoch: int
) -> keras.optimizers.Optimizer:
    """Builds the optimizer with its schedule; norms and biases do not decay."""
    total_steps = settings.epochs * steps_per_epoch
    warmup_steps = round(settings.warmup_epochs * steps_per_epoch)
    rate: Any = settings.learning_rate
    if settings.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            0.0 if warmup_steps else settings.learning_rate,
            max(total_steps - warmup_steps, 1),
            warmup_target=settings.learning_rate if warmup_steps else None,
            warmup_steps=warmup_steps,
        )
    elif warmup_steps:
        rate = keras.optimizers.schedules.PolynomialDecay(
            settings.learning_rate / warmup_steps,
            warmup_steps,
            end_learning_rate=settings.learning_rate,
        )
    if settings.optimizer == "adam":
        return keras.optimizers.Adam(rate)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return optimizer

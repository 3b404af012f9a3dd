"""How the learning rate changes during a training."""

from typing import Any

import keras
from keras import ops

from core.runs.config import Settings


class WarmupStableDecay(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A linear rise, a constant rate, then a fall to 0 by 1 − √.

    What was learned at the constant rate fits every later fall, so several trainings
    can branch from one (Hu et al. 2024); the shape of the fall is Hägele et al.'s
    (2024).
    """

    def __init__(
        self, peak: float, *, warmup_steps: int, fall_step: int, total_steps: int
    ) -> None:
        """Creates the schedule.

        Args:
            peak: The constant rate.
            warmup_steps: Steps of the rise; the first of them has one part of it.
            fall_step: The step that the fall begins with, counted from 0.
            total_steps: The step at which the rate would be 0.
        """
        super().__init__()
        self._peak = peak
        self._warmup_steps = warmup_steps
        self._fall_step = fall_step
        self._total_steps = total_steps

    def __call__(self, step: Any) -> Any:
        """Returns the rate of a step, counted from 0."""
        step = ops.cast(step, "float32")
        risen = ops.minimum((step + 1) / max(self._warmup_steps, 1), 1.0)
        length = max(self._total_steps - self._fall_step, 1)
        fallen = ops.sqrt(ops.clip((step - self._fall_step) / length, 0.0, 1.0))
        return self._peak * risen * (1 - fallen)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that it was made with."""
        return {
            "peak": self._peak,
            "warmup_steps": self._warmup_steps,
            "fall_step": self._fall_step,
            "total_steps": self._total_steps,
        }


def build_schedule(settings: Settings, *, steps_per_epoch: int) -> Any:
    """Builds what an optimizer takes as its learning rate: a schedule or a number."""
    total_steps = settings.epochs * steps_per_epoch
    warmup_steps = round(settings.warmup_epochs * steps_per_epoch)
    if settings.schedule == "wsd":
        return WarmupStableDecay(
            settings.learning_rate,
            warmup_steps=warmup_steps,
            fall_step=settings.fall_epoch * steps_per_epoch,
            total_steps=total_steps,
        )
    if settings.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(
            0.0 if warmup_steps else settings.learning_rate,
            max(total_steps - warmup_steps, 1),
            warmup_target=settings.learning_rate if warmup_steps else None,
            warmup_steps=warmup_steps,
        )
    if warmup_steps:
        return keras.optimizers.schedules.PolynomialDecay(
            settings.learning_rate / warmup_steps,
            warmup_steps,
            end_learning_rate=settings.learning_rate,
        )
    return settings.learning_rate

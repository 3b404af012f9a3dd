"""Everything that changes a run's result: its fields and their checks."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.datasets.folds import Fold
from core.sketches.images import IMAGE_SIZE
from models import NETWORKS

FORMAT_VERSION = 1
"""Of a run folder. Fields that are added have a default, so that folders of earlier
releases stay readable; what they can't express would be format 2."""

ImageSize = Annotated[int, Field(ge=32, le=IMAGE_SIZE)]
Share = Annotated[float, Field(gt=0, le=1)]
Gain = Annotated[float, Field(gt=0, le=11)]


class Settings(BaseModel):
    """The fields that a recipe sets and a user may override.

    The defaults are Keras's own for training, without augmentation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    epochs: int = Field(50, ge=1, le=10_000, description="Passes over train")
    seed: int = Field(
        0, ge=0, lt=2**31, description="Seed of split, order, weights, augmentation"
    )
    batch_size: int = Field(
        64,
        ge=1,
        le=4096,
        title="Batch size (sketches)",
        description="Sketches a step",
    )
    val_fraction: float = Field(
        0.2,
        ge=0,
        le=0.5,
        title="Validation share",
        description="Share of train held out for validation",
    )
    optimizer: Literal["adam", "adamw"] = Field("adam", description="Update rule")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Peak learning rate")
    schedule: Literal["constant", "cosine", "wsd"] = Field(
        "constant",
        description="Learning rate after the warm-up; cosine and wsd end at 0",
    )
    decay_share: float = Field(
        0.3, gt=0, le=1, description="Share of the epochs in which wsd's rate falls"
    )
    warmup_epochs: float = Field(
        0,
        ge=0,
        title="Warm-up (epochs)",
        description="Epochs of linear rise from 0 to the peak",
    )
    weight_decay: float = Field(
        0, ge=0, le=1, description="Decoupled decay of kernels (AdamW only)"
    )
    label_smoothing: float = Field(
        0, ge=0, lt=1, description="Probability spread evenly over all classes"
    )
    rehearsal: int = Field(
        0,
        ge=0,
        le=1000,
        description="Sketches of the origin's dataset learned again with each drawing",
    )
    dropout: float = Field(0, ge=0, lt=1, description="Dropped before the head")
    shortcut: Literal["conv", "average_pool"] = Field(
        "conv", description="ResNet's downsampling shortcut (average_pool: ResNet-D)"
    )
    zero_last_gamma: bool = Field(
        False, description="Start every residual block as the identity"
    )
    pooling: Literal["strided", "averaged"] = Field(
        "strided",
        description="How ResNet halves a side (averaged: 2×2 means, antialiased)",
    )
    image_sizes: tuple[ImageSize, ...] = Field(
        (IMAGE_SIZE,),
        min_length=1,
        title="Image sizes (pixels)",
        description="Side in pixels of each phase; the last is the test's",
    )
    image_size_shares: tuple[Share, ...] = Field(
        (1.0,), min_length=1, description="Share of the epochs of each phase"
    )
    flip: bool = Field(False, description="Mirror half of the sketches")
    rotation_deg: float = Field(
        0,
        ge=0,
        le=180,
        title="Rotation (± degrees)",
        description="Turn by up to ± this",
    )
    scale: float = Field(
        0, ge=0, lt=1, description="Grow or shrink by up to this factor beyond 1"
    )
    aspect: float = Field(0, ge=0, lt=1, description="Stretch one side likewise")
    shear: float = Field(0, ge=0, le=1, description="Slant by up to ± this")
    shift: float = Field(
        0, ge=0, le=0.5, description="Move by up to ± this share of the side"
    )
    ink_gain: tuple[Gain, Gain] = Field(
        (1.0, 1.0), description="Lowest and highest factor of a sketch's ink"
    )
    perspective: float = Field(
        0, ge=0, lt=0.5, description="Tilt: one edge nearer by up to ± this share"
    )
    thickness: float = Field(
        0,
        ge=0,
        le=1,
        title="Stroke thickness (± pixels)",
        description="Thicken or thin strokes by up to this, in pixels",
    )
    erase: float = Field(
        0,
        ge=0,
        le=1,
        title="Erasing",
        description="Share of the sketches that lose a rectangle",
    )
    mixup: float = Field(
        0, ge=0, le=1, title="MixUp", description="Share that is blended pairwise"
    )
    cutmix: float = Field(
        0, ge=0, le=1, title="CutMix", description="Share that is pasted pairwise"
    )
    mixing: Literal["batch", "sketch"] = Field(
        "batch",
        description="Mix whole batches before augmentation, or sketches after it",
    )
    distillation: float = Field(
        0, ge=0, le=1, description="Share of the teacher's answers in the targets"
    )
    views: int = Field(
        0,
        ge=0,
        le=1000,
        description="Epochs after which order and augmentation repeat; 0 never does",
    )
    unmixed_epochs: int = Field(
        0, ge=0, description="Last epochs, in which nothing is mixed"
    )
    ema: float = Field(
        0,
        ge=0,
        lt=1,
        title="Averaging of weights (EMA)",
        description="Decay a step of averaged weights, which are then kept; 0 is off",
    )
    keep: Literal["last", "best"] = Field(
        "last",
        title="Weights to keep",
        description="Epoch whose weights are kept: best has the highest validation "
        "top-1, which is what runs are compared by; ties go to the lower loss",
    )
    patience: int = Field(
        0,
        ge=0,
        title="Patience (epochs)",
        description="Epochs without a better validation that end it early; 0 never",
    )
    stroke_variants: float = Field(
        0,
        ge=0,
        le=1,
        description="Share of the sketches replaced by a variant of their strokes",
    )
    precision: Literal["float32", "mixed_bfloat16"] = Field(
        "float32", description="Of the computations; weights are always float32"
    )
    deterministic: bool = Field(
        False, description="Use only operations that repeat bit for bit (slower)"
    )

    @field_validator("ink_gain", mode="before")
    @classmethod
    def _read_gain(cls, value: Any) -> Any:
        # Earlier releases had one number, beyond 1.
        if isinstance(value, int | float) and not isinstance(value, bool):
            return (1.0, 1.0 + value) if 0 <= value <= 10 else value
        return value

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if len(self.image_sizes) != len(self.image_size_shares):
            raise ValueError(
                "`image_sizes` and `image_size_shares` must have the same length"
            )
        if abs(sum(self.image_size_shares) - 1) > 1e-6:
            raise ValueError("`image_size_shares` must add up to 1")
        if self.warmup_epochs >= self.epochs:
            raise ValueError(
                f"`warmup_epochs` ({self.warmup_epochs:g}) must be less than "
                f"`epochs` ({self.epochs})"
            )
        if self.ink_gain[0] > self.ink_gain[1]:
            raise ValueError("`ink_gain` must be the lower factor, then the higher")
        if self.schedule == "wsd" and self.warmup_epochs > self.fall_epoch:
            raise ValueError(
                f"`warmup_epochs` ({self.warmup_epochs:g}) must end before the rate "
                f"falls, after {self.fall_epoch} epochs (`decay_share`)"
            )
        if not self.val_fraction and (self.keep == "best" or self.patience):
            raise ValueError(
                "`keep=best` and `patience` need a `val_fraction` above 0 to choose by"
            )
        if self.mixup + self.cutmix > 1:
            raise ValueError("`mixup` and `cutmix` must not add up to more than 1")
        if self.views and len(self.image_sizes) > 1:
            raise ValueError("`views` needs a single size in `image_sizes`")
        if self.views and self.unmixed_epochs and self.mixup + self.cutmix:
            raise ValueError("`views` is for what is mixed in all epochs or in none")
        if self.weight_decay and self.optimizer != "adamw":
            raise ValueError("`weight_decay` needs `optimizer=adamw`")
        return self

    def image_size_at(self, epoch: int) -> int:
        """Returns the image size in pixels of an epoch, counted from 0."""
        done = 0.0
        for size, share in zip(self.image_sizes, self.image_size_shares, strict=True):
            done += share
            # Rounded, so that 0.6 of 10 epochs are 6 in spite of binary fractions.
            if epoch < round(done * self.epochs):
                return size
        return self.image_sizes[-1]

    def is_mixed_at(self, epoch: int) -> bool:
        """Returns whether sketches are mixed in an epoch, counted from 0."""
        return bool(self.mixup + self.cutmix) and (
            epoch < self.epochs - self.unmixed_epochs
        )

    @property
    def fall_epoch(self) -> int:
        """The number of epochs after which the rate of `schedule=wsd` falls."""
        return self.epochs - max(round(self.decay_share * self.epochs), 1)

    def view_at(self, epoch: int) -> int:
        """Returns the view of an epoch, counted from 0.

        Its order, variants, augmentation and mixing are those of every epoch of the
        same view.
        """
        return epoch % self.views if self.views else epoch

    @property
    def test_image_size(self) -> int:
        """Side in pixels at which the trained network is used."""
        return self.image_sizes[-1]


def field_title(name: str) -> str:
    """Returns what people read for a field of the settings."""
    return Settings.model_fields[name].title or name.replace("_", " ").capitalize()


class Origin(BaseModel):
    """Whose weights a run began with.

    Attributes:
        run_id: The run that had been trained.
        weights_sha256: Of its weights file, or of the checkpoint of `epoch`.
        epoch: Where a branch leaves it: the epochs completed in the checkpoint that
            it goes on from, optimizer, history and all. None where only the weights
            of a trained run are the start of a history of its own.
        earlier_epochs: Epochs of all trainings before those of this run's history;
            None where they are not known.
        earlier_s: Seconds of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    run_id: str
    weights_sha256: str = Field(pattern="[0-9a-f]{64}")
    epoch: int | None = Field(None, ge=1)
    earlier_epochs: int | None = Field(None, ge=0)
    earlier_s: float | None = Field(None, ge=0)


class Calibration(BaseModel):
    """Whose temperature a run takes that holds out nothing to fit one on.

    Attributes:
        run_id: The run on whose validation part it was fitted.
        temperature: What logits are divided by before the softmax.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    run_id: str
    temperature: float = Field(gt=0)


class Teacher(BaseModel):
    """Whose answers a run learns from besides the labels.

    Attributes:
        run_id: The run that had been trained.
        weights_sha256: Of its weights file.
        temperature: What its logits are divided by before the softmax.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    run_id: str
    weights_sha256: str = Field(pattern="[0-9a-f]{64}")
    temperature: float = Field(gt=0)


class ExtraDataset(BaseModel):
    """A dataset without test sketches that a run learns from.

    Attributes:
        dataset: Its name when it was used.
        fingerprint: `Dataset.fingerprint`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    fingerprint: str


class RunConfig(BaseModel):
    """What a run folder's `config.json` holds, written before the first step.

    Attributes:
        format_version: Of the run folder.
        run_id: The folder's name when it was made.
        network: A name of `models.NETWORKS`.
        dataset: The dataset's name when it was used.
        dataset_fingerprint: `Dataset.fingerprint`; of the fold, if it has one.
        split_fingerprint: `Dataset.split_fingerprint`.
        attribution: The dataset's.
        class_names: The class of each logit.
        recipe: The recipe that `settings` started from.
        settings: Every field that changes the result.
        origin: The run that it goes on from with new settings; None from scratch.
        teacher: The run whose answers it learns from; None where
            `settings.distillation` is 0.
        variants_fingerprint: `StrokeVariants.fingerprint`, where `settings` draw from
            them.
        drawings: What it learns from besides `dataset`, of whose training sketches
            it then only rehearses some; or `dataset` itself, where that has no test
            sketches.
        fold: The part of `dataset` that is its test; None for the dataset's own.
        calibration: Whose temperature it takes; None where it fits its own or, without
            a validation part, none.
        created_at: ISO 8601, UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = 1
    run_id: str
    network: str
    dataset: str
    dataset_fingerprint: str
    split_fingerprint: str
    attribution: str
    class_names: tuple[str, ...] = Field(min_length=2)
    recipe: str
    settings: Settings
    origin: Origin | None = None
    teacher: Teacher | None = None
    drawings: ExtraDataset | None = None
    variants_fingerprint: str | None = None
    fold: Fold | None = None
    calibration: Calibration | None = None
    created_at: str

    @property
    def datasets(self) -> tuple[str, ...]:
        """The names of all datasets that it learns from."""
        besides = () if self.drawings is None else (self.drawings.dataset,)
        return (self.dataset, *besides)

    @property
    def is_tested(self) -> bool:
        """Whether its dataset has test sketches to score it on."""
        drawings = self.drawings
        return drawings is None or drawings.fingerprint != self.dataset_fingerprint

    @model_validator(mode="after")
    def _check_network(self) -> Self:
        if self.network not in NETWORKS:
            raise ValueError(f"unknown network {self.network!r}")
        return self

    @model_validator(mode="after")
    def _check_teacher(self) -> Self:
        if (self.teacher is None) != (self.settings.distillation == 0):
            raise ValueError("`teacher` and `settings.distillation` need each other")
        return self

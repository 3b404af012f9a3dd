"""What a run learns from: its sketches, epoch by epoch, and a note of all it saw."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.datasets.joined import join
from core.datasets.splits import seen_keys
from core.datasets.store import Dataset
from core.datasets.variants import StrokeVariants, open_variants
from core.errors import RunError
from core.files import replacing
from core.runs.config import RunConfig
from core.runs.dataset import validation_split
from core.runs.folder import TRAIN_KEYS
from core.runs.reading import read_train_keys
from core.training.batches import DrawnVariants, epoch_order, rehearsed_rows


class TrainingData:
    """The sketches of a run: those that each epoch learns, and those that validate it.

    Attributes:
        sketches: The dataset's, and after them the drawings' besides it.
        train_rows: Rows of the dataset that are learned.
        val_rows: Rows that validate; may be empty.
    """

    def __init__(
        self,
        run_dir: Path,
        config: RunConfig,
        dataset: Dataset,
        *,
        drawings: Dataset | None,
    ) -> None:
        """Opens what the run began with.

        Raises:
            RunError: If it is another dataset, or has other stroke variants.
        """
        self._run_dir = run_dir
        self._config = config
        self._settings = config.settings
        self._dataset = dataset
        self._drawings = drawings
        self._check_dataset()
        self._variants = self._open_variants()
        self.train_rows, self.val_rows = validation_split(dataset, config.settings)
        self.sketches = join(dataset, drawings, class_names=config.class_names)

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches of an epoch."""
        return len(self.epoch_rows(0)) // self._settings.batch_size

    def epoch_rows(self, epoch: int) -> NDArray[np.int64]:
        """Returns what an epoch learns: train, or drawings and some of train."""
        if self._drawings is None:
            return np.asarray(self.train_rows)
        first = len(self._dataset.labels)
        number = self._drawings.num_train
        rehearsed = rehearsed_rows(
            self.train_rows,
            count=self._settings.rehearsal * number,
            seed=self._settings.seed,
            epoch=epoch,
        )
        return np.concatenate([np.arange(first, first + number), rehearsed])

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Returns an epoch's rows in the order in which they are learned."""
        return epoch_order(
            self.epoch_rows(epoch),
            seed=self._settings.seed,
            epoch=epoch,
            batch_size=self._settings.batch_size,
        )

    def drawn_variants(self, view: int, *, first_step: int) -> DrawnVariants | None:
        """Returns what replaces some sketches in the rest of an epoch, if anything.

        Rows of drawings that were joined to the dataset lie beyond its own.
        """
        if self._variants is None:
            return None
        return DrawnVariants(
            self._variants,
            share=self._settings.stroke_variants,
            seed=self._settings.seed,
            epoch=view,
            first_step=first_step,
        )

    def note_seen(self) -> None:
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
        fingerprints = {d.fingerprint for d in (self._dataset, self._drawings) if d}
        config = self._config
        expected = {config.dataset_fingerprint}
        if config.drawings is not None:
            expected.add(config.drawings.fingerprint)
        if fingerprints != expected:
            raise RunError(
                "Dataset {dataset!r} is not the one that run {run!r} began with: "
                "other sketches or another split.",
                dataset=self._dataset.name,
                run=self._run_dir.name,
            )

    def _open_variants(self) -> StrokeVariants | None:
        """Opens the stroke variants that the run began with, if it draws from any."""
        if not self._settings.stroke_variants:
            return None
        variants = open_variants(self._dataset)
        if variants.fingerprint != self._config.variants_fingerprint:
            raise RunError(
                "The stroke variants of dataset {dataset!r} are not those that run "
                "{run!r} began with. Start a new run.",
                dataset=self._dataset.name,
                run=self._run_dir.name,
            )
        variants.hold()
        return variants

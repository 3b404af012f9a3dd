"""Means of an epoch so far, and how often progress is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

STATUS_INTERVAL_S = 0.5
THROUGHPUT_STEPS = 20
"""Steps over which the shown throughput is averaged."""


@dataclass
class Means:
    """Means over the sketches seen so far.

    Keras clears its metrics with every `train_on_batch`, so they are added up here.

    Attributes:
        count: Sketches seen.
        sums: The sum of each figure over them.
    """

    count: int = 0
    sums: dict[str, float] = field(default_factory=dict)

    def add(self, logs: Mapping[str, float], *, count: int) -> None:
        """Takes in the means over one batch of `count` sketches."""
        self.count += count
        for name, value in logs.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value) * count

    def result(self) -> dict[str, float]:
        """Returns the mean of each figure."""
        return {name: total / self.count for name, total in self.sums.items()}

"""Which pixels of a sketch a value inside a network can depend on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """Which pixels of a sketch a stage's values can depend on.

    Attributes:
        start: Of the first value: its first row and column; below 0 where padding is.
        size: How many rows and columns.
        step: How many pixels further the next value's field is, down and across.
    """

    start: tuple[float, float]
    size: tuple[float, float]
    step: tuple[float, float]

    def box(self, row: int, column: int, *, side: int) -> tuple[float, ...]:
        """Returns the top, left, bottom and right edge of a value's field.

        Args:
            row: Of the value.
            column: Of the value.
            side: That of a sketch in pixels; what is outside it is cut off.
        """
        edges = [
            (start + place * step, start + place * step + size)
            for start, size, step, place in zip(
                self.start, self.size, self.step, (row, column), strict=True
            )
        ]
        (top, bottom), (left, right) = (
            (max(low, 0.0), min(high, float(side))) for low, high in edges
        )
        return top, left, bottom, right

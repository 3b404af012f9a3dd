"""What a report is made of, before it is a page: blocks of words, charts, tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from plotly import graph_objects as go

Shape = Literal["wide", "half", "square", "medium"]


@dataclass(frozen=True)
class Paragraph:
    """Some sentences.

    Attributes:
        text: Plain text.
        is_note: Whether it explains what stands above it.
    """

    text: str
    is_note: bool = False


@dataclass(frozen=True)
class Subheading:
    """A heading within a section."""

    text: str


@dataclass(frozen=True)
class Card:
    """One figure that is to be seen first.

    Attributes:
        title: Of what.
        value: The figure.
        details: What stands below it, a line each.
        network: Whose colour it has.
    """

    title: str
    value: str
    details: tuple[str, ...]
    network: str


@dataclass(frozen=True)
class Cards:
    """Cards side by side."""

    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Chart:
    """An interactive figure.

    Attributes:
        figure: What Plotly draws.
        alt: What it shows, for those who can't see it.
        caption: What it is and how to read it; empty where the next one's holds.
        shape: How much room it takes.
    """

    figure: go.Figure
    alt: str
    caption: str
    shape: Shape = "wide"


@dataclass(frozen=True)
class Charts:
    """Charts side by side where there is room, with one caption."""

    charts: tuple[Chart, ...]
    caption: str


@dataclass(frozen=True)
class Interval:
    """An accuracy with its interval, drawn small.

    Attributes:
        value: A fraction.
        low: The interval's lower end.
        high: Its upper end.
        text: Of how many it is.
        network: Whose colour it has.
    """

    value: float
    low: float
    high: float
    text: str
    network: str


@dataclass(frozen=True)
class Sketch:
    """One test sketch and what was made of it.

    Attributes:
        id: Its id in its dataset.
        image: A data URI; "" where the picture isn't there.
        alt: What it is, for those who can't see it.
        verdicts: A line a run: whether it was recognised, and what was said.
    """

    id: str
    image: str
    alt: str
    verdicts: tuple[tuple[bool, str], ...]


Cell = str | Interval | tuple[Sketch, ...]


@dataclass(frozen=True)
class Column:
    """A table's column: its title, and what its cells are."""

    title: str
    kind: Literal["text", "number", "code", "interval", "sketches"] = "text"


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        caption: What it is.
        columns: Its columns.
        rows: A cell a column.
        note: What stands below it; may be empty.
        is_long: Whether it may be broken over pages of paper.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    is_long: bool = False

    @property
    def has_sketches(self) -> bool:
        """Whether it shows sketches, whose rows are high."""
        return any(column.kind == "sketches" for column in self.columns)


Block = Paragraph | Subheading | Cards | Chart | Charts | Table


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes:
        id: Its place in the page's address.
        title: Its heading.
        blocks: What stands in it.
    """

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A whole report in words.

    Attributes:
        title: What it is of.
        subtitle: On which sketches.
        opening: What it found, a sentence or two each.
        cards: The metrics that are to be seen first.
        sections: All the rest.
        words: The page's own words in its language, by what they are for.
        language: Which that is.
    """

    title: str
    subtitle: str
    opening: tuple[str, ...]
    cards: Cards
    sections: tuple[Section, ...]
    words: dict[str, str]
    language: str


def charts_of(document: Document) -> list[Chart]:
    """Returns all charts in the order in which they stand."""
    charts: list[Chart] = []
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Chart):
                charts.append(block)
            elif isinstance(block, Charts):
                charts += block.charts
    return charts


def type_name(block: Any) -> str:
    """Returns what the template calls a kind of block."""
    return type(block).__name__.lower()

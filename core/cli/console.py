"""How every command prints: tables, JSON, progress, and errors in one line."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from core.language import printable
from models import NETWORKS

if TYPE_CHECKING:
    from rich.progress import Progress


class _Console(Console):
    """A console that shows what steers a terminal, in whatever it is given."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(printable(text), **options)


# Lines are broken for people only, not in a file or a pipe.
out = _Console(
    emoji=False,
    soft_wrap=not sys.stdout.isatty(),
    width=None if sys.stdout.isatty() else 10_000,
)
err = _Console(stderr=True, emoji=False, soft_wrap=not sys.stderr.isatty())

NETWORK = "|".join(NETWORKS)
"""How help calls a network's name."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def complain(message: str) -> None:
    """Prints an error as one line."""
    # Not through Rich, which would wrap the line.
    sys.stderr.write(f"Error: {printable(' '.join(message.split()))}\n")


def end(message: str) -> NoReturn:
    """Prints an error as one line and exits with 2."""
    complain(message)
    sys.exit(2)


def percent(share: float, *, digits: int = 1) -> str:
    """Returns a fraction in percent, as English writes it."""
    from core.language import write_number

    return write_number(share, f".{digits}%", "en")


def print_json(value: Any, *, indent: int | None = 2) -> None:
    """Prints one JSON document, on standard output and unwrapped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    encoding = sys.stdout.encoding or "utf-8"
    is_known = text.encode(encoding, errors="replace").decode(encoding) == text
    if printable(text) != text or not is_known:
        text = json.dumps(value, indent=indent)
    sys.stdout.write(f"{text}\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Prints a table without lines, its cells as plain text and whole.

    The first column is what a command takes; the others make room for it.
    """
    table = Table(box=None, header_style="bold")
    for place, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=not place)
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    out.print(table)


@contextmanager
def progress() -> Iterator["Progress"]:
    """Shows progress bars on standard error, where that is a terminal."""
    # For which a command that shows none does not wait.
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as bars:
        yield bars

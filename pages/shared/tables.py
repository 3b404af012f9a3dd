"""A table's column of numbers, and its rows as a file."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.files import to_csv
from core.runs.reading import Run

Rows = Sequence[Mapping[str, Any]]


def number_column(label: str, number: str) -> Any:
    """Returns a table's column of numbers in a format."""
    return st.column_config.NumberColumn(label, format=number)


def download_csv(
    label: str, rows: Rows | Callable[[], Rows], *names: str | Run
) -> None:
    """Offers rows as CSV, in every language with the English names of their columns.

    Args:
        label: What the button says.
        rows: The rows, or what makes them once they are asked for.
        *names: What the file is called after: words, and runs.
    """
    words = (name if isinstance(name, str) else name.run_id for name in names)
    st.download_button(
        label,
        lambda: to_csv(rows() if callable(rows) else rows),
        file_name=f"{'-'.join(words)}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )

"""A table's column of numbers, and its rows as a file."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.language import to_csv
from core.runs.reading import Run


def number_column(label: str, number: str) -> Any:
    """Returns a table's column of numbers in a format."""
    return st.column_config.NumberColumn(label, format=number)


def download_rows(
    label: str, rows: Sequence[dict[str, Any]], name: str, runs: Sequence[Run]
) -> None:
    """Offers a table's rows as CSV, in a file named after the runs."""
    st.download_button(
        label,
        lambda: to_csv(rows),
        file_name=f"{name}-{'-'.join(run.run_id for run in runs)}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"download_{name}",
    )

"""A table's column of numbers, and its rows as a file."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from gettext import NullTranslations
from typing import Any

import pandas as pd
import streamlit as st

from core.analysis.metrics import Metric
from core.files import to_csv
from core.language import number
from core.runs.reading import Run
from pages.shared.language import gettext as _
from pages.shared.language import thing, words

Rows = Sequence[Mapping[str, Any]]


def number_column(label: str, form: str) -> Any:
    """Returns a table's column of numbers in a format."""
    return st.column_config.NumberColumn(label, format=form)


def metric_column(metric: Metric, label: str = "") -> Any:
    """Returns a table's column of a metric, which percents have been scaled for."""
    digits, kind = metric.format[:-1], metric.format[-1]
    return number_column(
        label or _(metric.column), f"%{digits}f{'%%' if kind == '%' else ''}"
    )


PRINTED = re.compile(r"%(?P<sign>\+?)(?:\.(?P<digits>\d+))?(?P<kind>[fdg])")
"""How a column of numbers says its form to the browser, as C's `printf` does."""


def number_table(
    rows: Rows, *, column_config: Mapping[str, Any], **options: Any
) -> Any:
    """Shows a table whose numbers are written as the visitor's language writes them.

    The browser knows only decimal points, or its own language. It still sorts by the
    numbers.

    Args:
        rows: The rows.
        column_config: As `st.dataframe` has it; of its forms those are written here
            that are `printf`'s.
        options: All else that `st.dataframe` has.

    Returns:
        What `st.dataframe` does.
    """
    frame = pd.DataFrame(list(rows))
    forms, config = {}, dict(column_config)
    for name, column in column_config.items():
        kind = (column.get("type_config") or {}) if isinstance(column, dict) else {}
        form = kind.get("format")
        # A bar writes its number itself.
        if kind.get("type") == "progress":
            continue
        if name in frame and form and PRINTED.search(form):
            forms[name] = partial(_write, form, words())
            config[name] = column | {"type_config": kind | {"format": None}}
    styled = frame.style.format(forms, na_rep=options.get("placeholder", "–"))
    return st.dataframe(styled, column_config=config, **options)


def small_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Shows a few rows as text that any screen has room for.

    Args:
        head: The columns' titles.
        rows: Of each a cell a column, as Markdown.
    """
    lines = [head, ["---"] * len(head), *rows]
    st.markdown("\n".join(f"| {' | '.join(cells)} |" for cells in lines))


def _write(form: str, its_words: NullTranslations, value: float) -> str:
    """Writes a number in a form of `printf`, as the language of some words does."""
    spec = PRINTED.search(form)
    assert spec is not None
    digits = "" if spec["digits"] is None else f".{spec['digits']}"
    told = number(value, f"{spec['sign']}{digits}{spec['kind']}", its_words)
    before, after = form[: spec.start()], form[spec.end() :]
    return f"{before}{told}{after}".replace("%%", "%").replace(
        " ", "\N{NO-BREAK SPACE}"
    )


def in_words(rows: Rows, *columns: str) -> list[dict[str, Any]]:
    """Returns rows whose classes in some columns are as the visitor calls them.

    The same rows go into files as they are.
    """
    return [
        {**row, **{name: thing(row[name]) for name in columns if name in row}}
        for row in rows
    ]


def chosen_line(table: Any, lines: int) -> int | None:
    """Returns the line of the cell that is chosen in a table of so many lines.

    What a browser has chosen it may have chosen in a longer table that stood there.
    """
    cells = table.selection.cells
    return cells[0][0] if cells and 0 <= cells[0][0] < lines else None


def open_table(
    rows: Rows, on_open: Callable[[int], None], *, key: str, **looks: Any
) -> None:
    """Shows a table of which a click on any cell opens the row.

    Args:
        rows: The rows.
        on_open: Called with a row's number, before the page runs again.
        key: Unique on the page.
        **looks: What else `st.dataframe` takes.
    """

    def selected() -> None:
        line = chosen_line(st.session_state[key], len(rows))
        if line is not None:
            on_open(line)

    number_table(
        rows,
        hide_index=True,
        on_select=selected,
        selection_mode="single-cell",
        key=key,
        **looks,
    )


def download_csv(
    label: str, rows: Rows | Callable[[], Rows], *names: str | Run
) -> None:
    """Offers rows as CSV, in every language with the English names of their columns.

    Args:
        label: What the button says.
        rows: The rows, or what makes them once they are asked for.
        *names: What the file is called after: words, and runs.
    """
    parts = (name if isinstance(name, str) else name.run_id for name in names)
    st.download_button(
        label,
        lambda: to_csv(rows() if callable(rows) else rows),
        file_name=f"{'-'.join(parts)}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )

"""Words as Plotly and CSV are to hold them: as they are."""

import csv
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any


def plain_label(text: str) -> str:
    """Escapes what Plotly would take for a tag."""
    return html.escape(text, quote=False)


def to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns rows as CSV with a header; a column that a row lacks stays empty."""
    stream = io.StringIO()
    fields = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(stream, fieldnames=fields)
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()

"""Words as Markdown and Plotly are to show them: as they are."""

import html
import re

MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&])")


def plain(text: str) -> str:
    """Escapes what Streamlit's Markdown would take for more than text."""
    return MARKDOWN_SIGNS.sub(r"\\\1", text)


def plain_label(text: str) -> str:
    """Escapes what Plotly would take for a tag."""
    return html.escape(text, quote=False)

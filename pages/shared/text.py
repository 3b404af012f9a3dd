"""Words as Markdown is to hold them: as they are."""

import re

MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&])")


def plain(text: str) -> str:
    """Escapes what Streamlit's Markdown would take for more than text."""
    return MARKDOWN_SIGNS.sub(r"\\\1", text)

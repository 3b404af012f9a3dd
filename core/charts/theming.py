"""The script that gives a chart the colours of its page, dashboard and report alike."""

from pathlib import Path

SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
"""Functions that the scripts behind it call: `themed` and `axesOf`."""

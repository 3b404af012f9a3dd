"""Keeps every page inside the dashboard's frame.

When the first request to a fresh server is the address of a page, Streamlit 1.67 takes
the scripts in `pages/` for pages of their own and runs one without `dashboard.py`.
"""

import gc
import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import streamlit as st

DASHBOARD = Path(__file__).parent.parent.parent / "dashboard.py"

_is_framed: ContextVar[bool] = ContextVar("is_framed", default=False)


@contextmanager
def frame() -> Iterator[None]:
    """What `dashboard.py` runs a page in."""
    token = _is_framed.set(True)
    try:
        yield
    finally:
        _is_framed.reset(token)


def require_frame() -> None:
    """Runs the dashboard, and in it this page, if the page was started without it."""
    if not _is_framed.get():
        runpy.run_path(str(DASHBOARD), run_name="__main__")
        st.stop()


@st.cache_resource(show_spinner=False)
def settle(what: str) -> None:
    """Takes what was imported or loaded out of the garbage collector's rounds.

    Does so once for each `what`, such as a page, whose imports are its own.

    A round walks all objects that there are, of which most are the modules', while a
    visitor waits for it.
    """
    del what
    gc.collect()
    gc.freeze()

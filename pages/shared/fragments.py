"""Parts of a page that run anew by themselves, and what they say when they can't."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from core.errors import SketchScopeError
from pages.shared.language import say

Parameters = ParamSpec("Parameters")


def fragment(
    function: Callable[Parameters, None], *, run_every: float | None = None
) -> Callable[Parameters, None]:
    """Makes a function a part of a page that runs anew by itself.

    Streamlit shows an error that a fragment raises as a bug, even when the page would
    have told it as a sentence; here it is one.

    Args:
        function: What shows the part.
        run_every: Seconds between two runs that nobody asks for.
    """

    @wraps(function)
    def told(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except SketchScopeError as error:
            st.error(say(error), icon=":material/error:")

    shown: Callable[Parameters, None] = st.fragment(told, run_every=run_every)
    return shown

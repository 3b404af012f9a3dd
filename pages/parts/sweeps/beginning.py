"""How a sweep is begun from a terminal, and on more than one machine."""

import importlib.util

import streamlit as st

from models import FIRST_NETWORK
from pages.shared.language import gettext as _


def show_beginning() -> None:
    """Says how a sweep is begun by its file, on a cluster, and with folds."""
    st.write(
        _(
            "A sweep is a YAML file such as the form writes. From a terminal, this "
            "begins it, or goes on with it after a break:"
        )
    )
    st.code("python -m core sweep FILE.yaml", language="sh")
    st.write(
        _(
            "Ray trains several runs at once, on all machines of a cluster with "
            "`--address HOST:PORT`. It also adds a search that learns what to try "
            "next, and early stopping."
        )
    )
    if importlib.util.find_spec("ray") is None:
        st.caption(
            _(
                "Ray is not installed here: `pip install -r requirements-ray.txt` adds "
                "it."
            )
        )
    st.write(_("Cross-validation needs no file:"))
    st.code(
        f"python -m core cross-validate {FIRST_NETWORK} --dataset starter --folds 3",
        language="sh",
    )

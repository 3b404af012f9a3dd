"""How a sweep is begun."""

import importlib.util

import streamlit as st

from pages.shared.language import gettext as _

EXAMPLE = """\
dataset: starter
networks: [simple, resnet18]
fields:
  epochs: 5
  learning_rate: [0.001, 0.003]
seeds: [0, 1]
"""
FILE = "first-sweep.yaml"


def show_beginning() -> None:
    """Says how a sweep is begun, and what has to be installed for it."""
    if importlib.util.find_spec("ray") is None:
        st.warning(
            _(
                "Sweeps run on Ray, which is not installed here. Install it with "
                "`pip install -r requirements-ray.txt`; everything else works without."
            ),
            icon=":material/download:",
        )
    st.write(
        _(
            "Write what to try into a file. This one, `{file}`, trains eight runs: two "
            "networks, each with two learning rates and two seeds."
        ).format(file=FILE)
    )
    st.code(EXAMPLE, language="yaml")
    st.write(_("Begin it, or go on with it after a break, with"))
    st.code(f"python -m core sweep {FILE}", language="sh")
    st.write(
        _(
            "On a Ray cluster, add `--address HOST:PORT`. Cross-validation needs no "
            "Ray and no file:"
        )
    )
    st.code(
        "python -m core cross-validate simple --dataset starter --folds 3",
        language="sh",
    )

"""Who drew a dataset's sketches, told wherever they are shown."""

import streamlit as st

from core.datasets.store import Dataset
from core.language import plain
from pages.shared.language import gettext as _


def show_attribution(dataset: Dataset) -> None:
    """Says whose sketches a dataset holds, if that is known."""
    if dataset.attribution:
        st.caption(plain(_(dataset.attribution)))

"""What the networks say of a drawing, side by side."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.charts.theme import network_colour
from core.sketches.strokes import Drawing
from pages.shared.guesses import agreement, show_guesses, speak
from pages.shared.language import gettext as _
from pages.shared.networks import Network, guesses


def show_invitation(drawing: Drawing) -> None:
    """Says what to do while there is nothing to guess."""
    if drawing.strokes:
        st.info(_("Go on; this is too little to be anything yet."))
    else:
        st.info(_("The five best guesses of each network appear here as you draw."))


def show_answers(
    networks: list[Network], probabilities: list[NDArray[np.float32]]
) -> None:
    """Shows each network's guesses beside each other, and whether they agree."""
    bests = [
        guesses(network, row)
        for network, row in zip(networks, probabilities, strict=True)
    ]
    st.subheader(agreement([best[0] for best in bests]))
    columns = st.columns(len(networks), gap="medium")
    for column, network, best in zip(columns, networks, bests, strict=True):
        with column:
            show_guesses(
                network.name,
                best,
                colour=network_colour(network.run),
                run=network.run,
            )
    speak(
        {network.name: best[0] for network, best in zip(networks, bests, strict=True)}
    )

"""A step through the first convolution: a window, a kernel, their products, the sum."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.inference.stages import FirstConvolution
from pages.parts.inside.channel import SHOWN_PX, framed, number_grid
from pages.shared.fragments import fragment
from pages.shared.language import gettext as _
from pages.shared.language import number
from pages.shared.networks import Network, pick_network


@fragment
def show_convolution(
    networks: list[Network], inks: list[NDArray[np.float32]], sketch: NDArray[np.uint8]
) -> None:
    """Shows one step of a network's first convolution, to be moved by sliders."""
    network = pick_network(networks, key="inside_convolution")
    first = network.classifier.inference.anatomy.first
    if first is None:
        st.caption(_("Its first layer is no convolution of the drawing."))
        return
    ink = inks[networks.index(network)]
    channel, row, column = _pick(first, network.run.run_id, ink)
    window = first.at(ink, channel=channel, row=row, column=column)
    height, width = window.values.shape
    scale = sketch.shape[0] / ink.shape[0]
    edges = (window.top, window.left, window.top + height, window.left + width)
    top, left, bottom, right = (
        min(max(scale * edge, 0.0), float(sketch.shape[0])) for edge in edges
    )
    row_of = st.container(horizontal=True, gap="medium", vertical_alignment="bottom")
    row_of.image(
        framed(sketch, (top, left, bottom, right)),
        width=SHOWN_PX,
        output_format="PNG",
        alt=_("The drawing with the window framed"),
    )
    parts = (
        (_("What the window sees: 0 is paper, 1 is ink"), window.values),
        (_("The kernel"), window.kernel),
        (_("Their products"), window.products),
    )
    for title, values in parts:
        with row_of.container(width="content"):
            st.caption(title)
            st.html(number_grid(values))
    st.write(
        _("The products add up to {products}; with the bias, {bias}: {total}.").format(
            products=number(float(window.products.sum()), "z.3f"),
            bias=number(window.bias, "z.3f"),
            total=number(window.total, "z.3f"),
        )
    )


def _pick(
    first: FirstConvolution, run_id: str, ink: NDArray[np.float32]
) -> tuple[int, int, int]:
    """Asks for a channel and a place of the window, at first where there is ink."""
    down, across = first.shape
    places = np.argwhere(ink > ink.max() / 2)
    middle = np.array(ink.shape) / 2
    if len(places):
        middle = places[np.abs(places - middle).sum(axis=1).argmin()]
    row, column = (middle * np.array(first.shape) / ink.shape).astype(int).tolist()
    return (
        st.slider(_("Channel"), 0, len(first.kernels) - 1, key=f"inside_c_{run_id}"),
        st.slider(_("Row"), 0, down - 1, row, key=f"inside_row_{run_id}"),
        st.slider(_("Column"), 0, across - 1, column, key=f"inside_col_{run_id}"),
    )

"""Which channels spoke for a network's guess, and which against it."""

import html

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.language import plain
from pages.shared.language import gettext as _
from pages.shared.language import number, thing
from pages.shared.networks import Network

SHOWN = 5

STYLE = """
<style>
.vote { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr) 3.5rem; gap: 0.5rem;
  align-items: center; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
.vote div { height: 0.6rem; border-radius: 0.25rem; }
.vote .share { text-align: right; }
</style>
"""
FOR, AGAINST = "#E6550D", "#0072B2"


def show_votes(network: Network, values: NDArray[np.float32], label: int) -> None:
    """Shows what the channels before the head add to a class's logit.

    Args:
        network: Whose.
        values: What its head was given, shape `(width,)`.
        label: Class index.
    """
    head = network.classifier.inference.anatomy.head
    added, bias = head.contributions(values, label)
    order = np.argsort(-added, kind="stable")
    name = plain(thing(network.classifier.class_names[label]))
    most = max(float(np.abs(added).max()), 1e-9)
    for title, channels, colour in (
        (_("Spoke for {name}"), order[:SHOWN], FOR),
        (_("Spoke against {name}"), order[::-1][:SHOWN], AGAINST),
    ):
        st.caption(title.format(name=name))
        bars = "".join(
            _bar(int(channel), float(added[channel]), most=most, colour=colour)
            for channel in channels
            if (added[channel] > 0) == (colour == FOR) and added[channel]
        )
        st.html(STYLE + bars)
    st.write(
        _(
            "All {count:,} channels add up to {added}; with the bias, {bias}, that is "
            "the logit: {logit}."
        ).format(
            count=len(added),
            added=number(float(added.sum()), "z.2f"),
            bias=number(bias, "z.2f"),
            logit=number(float(added.sum()) + bias, "z.2f"),
        )
    )


def _bar(channel: int, value: float, *, most: float, colour: str) -> str:
    title = _("Channel {number}").format(number=channel)
    return (
        f'<div class="vote"><span>{html.escape(title)}</span>'
        f'<div style="width: {100 * abs(value) / most:.0f}%; background: {colour}">'
        f'</div><span class="share">{number(value, "+.2f")}</span></div>'
    )

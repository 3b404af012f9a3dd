"""One channel, enlarged: its map, kernel or field, and the sketches that excite it."""

import html
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.errors import RunError
from core.inference.stages import Stage
from core.language import plain
from core.runs.excitation import EXCITATION, Excitation, read_current_excitation
from core.runs.reading import Run
from core.sketches.images import IMAGE_SIZE
from pages.parts.inside.diagram import map_picture
from pages.parts.inside.indexing import offer_index
from pages.shared import reads
from pages.shared.attribution import show_attribution
from pages.shared.language import gettext as _
from pages.shared.language import number, say, thing
from pages.shared.networks import Network
from pages.shared.sketches import SKETCH_WIDTH, offer_dataset, sketch_dataset
from pages.shared.why import HEAT

SHOWN_PX = 256
SHOWN_SKETCHES = 6

STRONGEST = 0.6
"""Opacity behind the largest number; more would leave it hard to read."""


def show_channel(
    network: Network,
    place: int,
    channel: int,
    values: NDArray[np.float32],
    sketch: NDArray[np.uint8],
) -> None:
    """Shows one channel in the open dialog.

    Args:
        network: Whose.
        place: Of its stage.
        channel: Its number.
        values: What it answers to the sketch, shape `(height, width)`.
        sketch: Gray values of shape `(128, 128)`.
    """
    anatomy = network.classifier.inference.anatomy
    stage = anatomy.stages[place]
    st.subheader(
        _("Channel {number} of {stage}").format(number=channel, stage=plain(stage.name))
    )
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    field_column, map_column = st.columns(2)
    if stage.field is not None:
        box = stage.field.box(int(row), int(column), side=IMAGE_SIZE)
        height, width = (round(side) for side in stage.field.size)
        with field_column:
            st.image(
                framed(sketch, box),
                width=SHOWN_PX,
                output_format="PNG",
                alt=_("The drawing with the field of the strongest value framed"),
            )
            told = _(
                "Its strongest value can depend on the framed pixels: a receptive "
                "field of {height} × {width}."
            ).format(height=height, width=width)
            top, left, bottom, right = box
            if (round(bottom - top), round(right - left)) != (height, width):
                told += " " + _("A part of it is outside the drawing.")
            st.caption(told)
    with map_column:
        enlarged = Image.fromarray(map_picture(values))
        st.image(
            enlarged.resize((SHOWN_PX, SHOWN_PX), Image.Resampling.NEAREST),
            width=SHOWN_PX,
            output_format="PNG",
            alt=_("What the channel answers, dark where most"),
        )
        st.caption(
            _("What it answers: dark where most, {value} at most.").format(
                value=number(float(values.max()), ".2f")
            )
        )
    if place == 0 and anatomy.first is not None:
        st.markdown(_("**Its kernel**"))
        st.html(number_grid(anatomy.first.kernels[channel]))
    show_exciting(network.run, stage, channel)


def show_exciting(run: Run, stage: Stage, channel: int) -> None:
    """Shows the test sketches that excite a channel most, or their names."""
    st.markdown(_("**Test sketches that excite it most**"))
    evaluation = reads.evaluation(run)
    try:
        index = _excitation(
            run.path,
            reads.changed_ns(run.path / EXCITATION),
            str(evaluation.metrics["evaluated_at"]),
            run,
        )
    except RunError as error:
        st.caption(say(error))
        offer_index(run)
        return
    rows = index.best(stage.name, channel)[:SHOWN_SKETCHES]
    names = [thing(evaluation.class_names[evaluation.y_true[row]]) for row in rows]
    if not names:
        st.caption(_("No sketches."))
        return
    dataset = sketch_dataset(run)
    if dataset is None:
        st.write(plain(", ".join(dict.fromkeys(names))))
        offer_dataset(run)
        return
    st.image(
        [dataset.images[dataset.rows[evaluation.ids[row]]] for row in rows],
        caption=[plain(name) for name in names],
        width=SKETCH_WIDTH,
        output_format="PNG",
        alt=[_("Test sketch of {name}").format(name=name) for name in names],
    )
    show_attribution(dataset)


def framed(sketch: NDArray[np.uint8], box: tuple[float, ...]) -> Image.Image:
    """Draws a frame around a box, given as top, left, bottom and right in pixels."""
    scale = SHOWN_PX / IMAGE_SIZE
    picture = Image.fromarray(sketch).resize((SHOWN_PX, SHOWN_PX)).convert("RGB")
    top, left, bottom, right = (scale * edge for edge in box)
    edges = (left, top, max(right - 1, left), max(bottom - 1, top))
    ImageDraw.Draw(picture).rectangle(edges, outline=HEAT, width=3)
    return picture


def number_grid(values: NDArray[np.float32]) -> str:
    """Returns numbers as a table, the background by their sign and size."""
    most = max(float(np.abs(values).max()), 1e-9)
    cells = "".join(
        "<tr>"
        + "".join(
            f'<td style="background: rgba({_colour(value)}, '
            f'{STRONGEST * abs(value) / most:.2f})">'
            f"{html.escape(number(float(value), 'z.2f'))}</td>"
            for value in row
        )
        + "</tr>"
        for row in values
    )
    return f"{GRID}<table class='numbers'>{cells}</table>"


GRID = """
<style>
.numbers { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.numbers td { border: 1px solid color-mix(in srgb, currentColor 20%, transparent);
  padding: 0.1rem 0.2rem; font-size: 0.75rem; text-align: right; }
</style>
"""


def _colour(value: float) -> str:
    return "230, 85, 13" if value > 0 else "0, 114, 178"


@st.cache_resource(
    max_entries=4, show_spinner=False, hash_funcs={Run: lambda r: r.run_id}
)
def _excitation(path: Path, changed: int, evaluated_at: str, run: Run) -> Excitation:
    del changed, evaluated_at  # Parts of the key.
    return read_current_excitation(path, reads.evaluation(run))

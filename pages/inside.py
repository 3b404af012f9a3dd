"""Inside: what the stages of two networks make of one drawing."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from core.datasets.starter import draw, render
from core.language import plain
from core.runs.folder import WEIGHTS
from core.runs.reading import Run
from core.sketches.canvas import parse_canvas
from core.sketches.strokes import guessable_sketch
from pages.parts.draw.canvas import CANVAS_SIZE, GROUND
from pages.parts.inside.channel import show_channel
from pages.parts.inside.convolution import show_convolution
from pages.parts.inside.diagram import show_diagram
from pages.parts.inside.tour import offer_tour, show_step
from pages.parts.inside.votes import show_votes
from pages.shared import reads
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import percent, thing
from pages.shared.networks import Network, load_networks
from pages.shared.one_sketch import SKETCH
from pages.shared.pickers import evaluated_runs, no_evaluation_yet, pick_networks
from pages.shared.sketches import offer_dataset, sketch_dataset

EXAMPLE = "house"
"""What is looked at before anything is drawn."""

SHOWN_PX = 192

CHANNEL = "channel"
"""The address's parameter: the open channel as `run:stage:number`."""


def find_sketch(run: Run) -> tuple[NDArray[np.uint8], str]:
    """Returns the sketch to look into, and what it is in words."""
    asked = st.query_params.get(SKETCH)
    evaluation, dataset = reads.evaluation(run), sketch_dataset(run)
    if asked is not None and asked not in evaluation.ids:
        st.warning(_("This run has no test sketch of that name."))
    elif asked is not None and dataset is None:
        offer_dataset(run)
    elif asked is not None and dataset is not None:
        drawn = evaluation.class_names[evaluation.y_true[evaluation.ids.index(asked)]]
        words = _("Test sketch of {name}").format(name=thing(drawn))
        return np.asarray(dataset.images[dataset.rows[asked]]), words
    if on_canvas := st.session_state.get("canvas_last"):
        drawing = parse_canvas(
            on_canvas, width=CANVAS_SIZE, height=CANVAS_SIZE, eraser_colour=GROUND
        )
        if (sketch := guessable_sketch(drawing)) is not None:
            return sketch, _("Your drawing")
    generator = np.random.default_rng(1)
    example = render(draw(EXAMPLE, generator), generator)
    return example, _("An example, since nothing is drawn yet")


def show_network(network: Network, outputs: list[NDArray[np.float32]]) -> str | None:
    """Shows a network's guess and stages; returns the channel that was clicked."""
    guess = network.classifier.class_names[int(outputs[-1].argmax())]
    st.subheader(network.name)
    st.write(_("Its guess: **{name}**").format(name=plain(thing(guess))))
    stages = network.classifier.inference.anatomy.stages
    return show_diagram(stages, outputs, key=f"inside_{network.run.run_id}")


def open_channel(
    network: Network, outputs: list[NDArray[np.float32]], sketch: NDArray[np.uint8]
) -> None:
    """Opens the channel that the address names, if this network has such a one."""
    run_id, _colon, chosen = st.query_params.get(CHANNEL, "").partition(":")
    stage, _colon, channel = chosen.rpartition(":")
    place = network.classifier.inference.anatomy.stage(stage)
    if run_id != network.run.run_id or place is None or outputs[place].ndim != 3:
        return
    numbers = [str(number) for number in range(len(outputs[place]))]
    if channel in numbers:
        number = numbers.index(channel)
        opened = st.dialog(plain(network.name), width="large", on_dismiss=close_channel)
        opened(show_channel)(network, place, number, outputs[place][number], sketch)


def close_channel() -> None:
    """Takes the open channel out of the address."""
    st.query_params.pop(CHANNEL, None)


def show(runs: list[Run]) -> None:
    """Shows the page of one run and the other beside it."""
    run, other = pick_networks(runs)
    sketch, words = find_sketch(run)
    offer_tour()
    show_step("drawing")
    row = st.container(horizontal=True, gap="medium", vertical_alignment="center")
    row.image(sketch, width=SHOWN_PX, output_format="PNG", alt=words)
    told = row.container(width="content")
    told.write(words)
    told.page_link("pages/draw.py", label=_("Draw"), icon=":material/draw:")
    networks = load_networks([run] if other is None else [run, other])
    inks, inside = [], []
    for network in networks:
        ink, outputs = network.classifier.inference.look_inside(sketch[None])
        inks.append(ink[0])
        inside.append([values[0] for values in outputs])
    show_step("stages")
    show_step("channels")
    st.header(_("Stage by stage"))
    st.caption(
        _(
            "Channels × height × width, then the channels that answer most. A click "
            "enlarges one."
        )
    )
    clicked = [
        _in(column, network, outputs)
        for column, network, outputs in zip(
            st.columns(len(networks), gap="large"), networks, inside, strict=True
        )
    ]
    for network, chosen in zip(networks, clicked, strict=True):
        if chosen is not None:
            st.query_params[CHANNEL] = f"{network.run.run_id}:{chosen}"
    for network, outputs in zip(networks, inside, strict=True):
        open_channel(network, outputs, sketch)
    show_step("convolution")
    st.header(_("Step through the first convolution"))
    show_convolution(networks, inks, sketch)
    show_step("votes")
    st.header(_("For and against the guess"))
    for column, network, outputs in zip(
        st.columns(len(networks), gap="large"), networks, inside, strict=True
    ):
        with column:
            label = int(outputs[-1].argmax())
            analysis = network.classifier.analyse(sketch[None])
            st.markdown(
                _("**{network}**: {name}, {share}").format(
                    network=plain(network.name),
                    name=plain(thing(network.classifier.class_names[label])),
                    share=percent(float(analysis.probabilities[0, label])),
                )
            )
            show_votes(network, given_to_head(network, outputs), label)


def given_to_head(
    network: Network, outputs: list[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Returns what a network's last layer was given."""
    anatomy = network.classifier.inference.anatomy
    names = [stage.output for stage in anatomy.stages]
    return outputs[names.index(anatomy.head.source)]


def _in(
    column: DeltaGenerator,
    network: Network,
    outputs: list[NDArray[np.float32]],
) -> str | None:
    with column:
        return show_network(network, outputs)


require_frame()
st.title(_("Inside"))
candidates = [run for run in evaluated_runs() if (run.path / WEIGHTS).exists()]
if candidates:
    show(candidates)
else:
    no_evaluation_yet()

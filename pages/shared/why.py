"""Why: what in a drawing speaks for a class, and what the network has learned of it."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from core.analysis.classes import taken_for
from core.datasets.store import Dataset
from core.errors import DatasetError, RunError
from core.inference.classify import Analysis, Classifier
from core.inference.explain import heat_map, occlusion_map
from core.language import noop as N_
from core.language import plain
from core.paths import data_dir
from core.runs.dataset import find_dataset
from core.runs.neighbours import Neighbours
from core.runs.reading import Run
from core.sketches.images import IMAGE_SIZE, PAPER
from pages.shared import reads
from pages.shared.language import gettext as _
from pages.shared.language import number, thing
from pages.shared.networks import Network, guesses, pick_network
from pages.shared.sketches import SKETCH_WIDTH, offer_dataset, sketch_dataset

SHOWN_SIZE = 320
"""Side of the heat map in pixels."""

HEAT = (170, 40, 150)
"""A purple that stands out from black strokes and white paper, and is no network's."""

COLD = (190, 190, 190)

GRAD_CAM = N_("Where it looks")
METHODS = {
    GRAD_CAM: N_(
        "What speaks for {name} is purple: where the last convolutions, which see the "
        "drawing coarsely, find it (Grad-CAM)."
    ),
    N_("Which ink counts"): N_(
        "What speaks for {name} is purple: the ink without which the network would be "
        "less sure (a patch is hidden at a time)."
    ),
}

SHOWN_NEIGHBOURS = 5
NAMED_CONFUSIONS = 3


def _fingerprint(dataset: Dataset) -> str:
    return dataset.fingerprint


def show_why(
    networks: list[Network],
    analyses: list[Analysis],
    sketch: NDArray[np.uint8],
    *,
    drawn: str | None = None,
) -> None:
    """Shows which strokes speak for a class, and the nearest training sketches.

    Args:
        networks: What guesses.
        analyses: What each made of the sketch.
        sketch: Gray values of shape `(128, 128)`.
        drawn: The class that was drawn, where it is known; training sketches of it
            stand beside those of the guess, then.
    """
    left, right = st.columns([2, 3], gap="large")
    with left:
        network = pick_network(networks, key="why_network")
        analysis = analyses[networks.index(network)]
        names = [
            guess.class_name for guess in guesses(network, analysis.probabilities[0])
        ]
        guess = names[0]
        if drawn is not None and drawn not in names:
            names.append(drawn)
        name = st.selectbox(
            _("For class"), names, format_func=thing, key=f"why_class_{guess}"
        )
        how = st.segmented_control(
            _("How"),
            list(METHODS),
            format_func=_,
            default=GRAD_CAM,
            required=True,
            key="why_how",
        )
        label = network.classifier.class_names.index(name)
        if how == GRAD_CAM:
            picture = overlay(
                sketch, heat_map(network.classifier, analysis, label=label)
            )
        else:
            heat = _hidden(network.classifier, sketch.tobytes(), label)
            picture = coloured(sketch, heat)
        st.image(
            picture,
            width=SHOWN_SIZE,
            output_format="PNG",
            alt=_("The drawing; what speaks for {name} is purple").format(
                name=thing(name)
            ),
        )
        st.caption(_(METHODS[how]).format(name=plain(thing(name))))
        asked = st.query_params.get("sketch")
        st.page_link(
            "pages/inside.py",
            label=_("See inside, stage by stage"),
            icon=":material/layers:",
            query_params={} if asked is None else {"sketch": asked},
        )
    with right:
        show_nearest(network, analysis, () if drawn is None else (drawn, guess))
        show_usual(network.run, label)


@st.cache_data(
    max_entries=64, show_spinner=False, hash_funcs={Classifier: lambda c: c.run.run_id}
)
def _hidden(classifier: Classifier, pixels: bytes, label: int) -> NDArray[np.float32]:
    sketch = np.frombuffer(pixels, dtype=np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE)
    return occlusion_map(classifier, sketch, label=label)


def coloured(sketch: NDArray[np.uint8], heat: NDArray[np.floating]) -> Image.Image:
    """Draws a sketch's ink in the heat's colour: gray where there is none."""
    size = (SHOWN_SIZE, SHOWN_SIZE)
    share = Image.fromarray((heat * PAPER).astype(np.uint8)).resize(size)
    warmth = np.asarray(share, dtype=np.float32)[..., None] / PAPER
    strokes = Image.fromarray(sketch).resize(size, Image.Resampling.BICUBIC)
    ink = 1 - np.asarray(strokes, dtype=np.float32)[..., None] / PAPER
    # Thin antialiased strokes are faint; colours need more of them.
    ink = np.minimum(1.6 * ink, 1)
    colour = np.array(COLD) * (1 - warmth) + np.array(HEAT) * warmth
    return Image.fromarray((PAPER * (1 - ink) + colour * ink).astype(np.uint8))


def overlay(sketch: NDArray[np.uint8], heat: NDArray[np.floating]) -> Image.Image:
    """Lays a heat map of shape `(128, 128)`, 0 to 1, under a sketch's strokes."""
    size = (SHOWN_SIZE, SHOWN_SIZE)
    strokes = Image.fromarray(sketch).resize(size, Image.Resampling.BICUBIC)
    warm = Image.fromarray((heat * PAPER).astype(np.uint8)).resize(
        size, Image.Resampling.BICUBIC
    )
    share = np.asarray(warm, dtype=np.float32)[..., None] / PAPER
    ground = PAPER * (1 - share) + np.array(HEAT, dtype=np.float32) * share
    ink = np.asarray(strokes, dtype=np.float32)[..., None] / PAPER
    return Image.fromarray((ground * ink).astype(np.uint8))


def show_nearest(
    network: Network, analysis: Analysis, class_names: Sequence[str]
) -> None:
    """Shows the nearest training sketches, or the nearest classes by name.

    Args:
        network: Whose embedding tells what is near.
        analysis: What it made of the sketch.
        class_names: Classes to show the nearest of, each by itself; none for the
            nearest of all.
    """
    run = network.run
    index = reads.neighbours(run)
    st.markdown(_("**Nearest to {network}'s eye**").format(network=plain(network.name)))
    if index is None:
        st.caption(
            _("Its training sketches are not indexed. `{command}` does it.").format(
                command=f"python -m core runs index {run.run_id}"
            )
        )
        return
    names = network.classifier.class_names
    dataset, rows = sketch_dataset(run), _train_rows(run, index)
    if dataset is None or rows is None:
        labels = index.nearest_classes(analysis.embedding, k=SHOWN_NEIGHBOURS)[0]
        st.write(plain(", ".join(thing(names[label]) for label in labels[0])))
        offer_dataset(run)
        return
    # Of a sketch that is right, both are the same class.
    wanted: list[int | None] = [names.index(n) for n in dict.fromkeys(class_names)]
    for label in wanted or [None]:
        if label is not None:
            st.write(_("Of {name}:").format(name=plain(thing(names[label]))))
        nearest = index.nearest(analysis.embedding, k=SHOWN_NEIGHBOURS, label=label)
        show_training_sketches(dataset, rows, names, nearest)
    st.caption(
        _(
            "Training sketches whose features are most like the drawing's (cosine of "
            "the angle between them). {attribution}"
        ).format(attribution=plain(_(dataset.attribution)))
    )


def show_training_sketches(
    dataset: Dataset,
    rows: NDArray[np.int64],
    names: Sequence[str],
    nearest: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]],
) -> None:
    """Shows what `Neighbours.nearest` found for one sketch."""
    positions, labels, similarities = nearest
    if not positions.size:
        st.caption(_("No sketches."))
        return
    words = [thing(names[label]) for label in labels[0]]
    st.image(
        [dataset.images[row] for row in rows[positions[0]]],
        caption=[
            f"{plain(word)} {number(similarity, '.2f')}"
            for word, similarity in zip(words, similarities[0], strict=True)
        ],
        width=SKETCH_WIDTH,
        output_format="PNG",
        alt=[_("Training sketch of {name}").format(name=word) for word in words],
    )


def show_usual(run: Run, label: int) -> None:
    """Says how well a run knows a class and what it confuses it with."""
    evaluation = reads.evaluation(run)
    name = evaluation.class_names[label]
    class_metrics = reads.class_metrics(run)[label]
    st.markdown(_("**How well it knows {name}**").format(name=plain(thing(name))))
    shares = taken_for(evaluation, label)[:NAMED_CONFUSIONS]
    others = ", ".join(f"{thing(share.class_name)} ({share.count})" for share in shares)
    sentence = (
        _(
            "It recognises {correct} of {n} test sketches of {name}; the others it "
            "takes mostly for {others}."
        )
        if shares
        else _("It recognises {correct} of {n} test sketches of {name}.")
    )
    st.write(
        sentence.format(
            correct=class_metrics.correct,
            n=class_metrics.n,
            name=plain(thing(name)),
            others=plain(others),
        )
    )
    with st.container(horizontal=True):
        st.page_link(
            "pages/classes.py",
            label=_("All about {name}").format(name=plain(thing(name))),
            icon=":material/category:",
            query_params={"run": run.run_id, "class": name},
        )
        for share in shares:
            st.page_link(
                "pages/confusion.py",
                label=_("{drawn} taken for {guess}").format(
                    drawn=plain(thing(name)), guess=plain(thing(share.class_name))
                ),
                icon=":material/grid_on:",
                query_params={
                    "run": run.run_id,
                    "drawn": name,
                    "guess": share.class_name,
                },
            )


@st.cache_resource(
    max_entries=4,
    show_spinner=False,
    hash_funcs={Dataset: _fingerprint, Neighbours: id},
)
def _indexed_rows(index: Neighbours, dataset: Dataset) -> NDArray[np.int64]:
    return index.train_rows(dataset)


def _train_rows(run: Run, index: Neighbours) -> NDArray[np.int64] | None:
    """Returns the dataset's row of each sketch in a run's index, if it is installed."""
    assert run.config is not None
    try:
        # A version's or a fold's own, whose rows are those of the whole dataset.
        return _indexed_rows(index, find_dataset(run.config, data_dir=data_dir()))
    except (DatasetError, RunError):
        return None

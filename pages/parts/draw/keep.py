"""Keeping drawings: one's own dataset, and a network that has learned from it."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.datasets.drawing_files import Guess, KeptDrawing
from core.datasets.drawings import export_drawings, list_drawings
from core.datasets.drawings_dataset import DATASET_NAME
from core.errors import ImageError
from core.inference.classify import Prediction
from core.language import plain
from core.paths import data_dir
from core.runs.reading import Run
from core.sketches.images import read_sketch
from core.sketches.strokes import Drawing, to_json
from models import NETWORKS
from pages.shared import reads
from pages.shared.actions import (
    create_run,
    launch_training,
    make_drawings_dataset,
    relabel_drawing,
    remove_drawing,
    save_drawing,
)
from pages.shared.guesses import article
from pages.shared.language import gettext as _
from pages.shared.language import ngettext, say, thing, thing_to_search
from pages.shared.networks import Network, guessing_runs
from pages.shared.owner import is_owner
from pages.shared.sketches import SKETCH_WIDTH

KEPT_SHOWN = 24
COLUMNS = 6
FINE_TUNE_RECIPE = "finetune"


def ask_whether_right(
    networks: Sequence[Network],
    sketch: NDArray[np.uint8],
    *,
    drawing: Drawing | None,
    guessed: Sequence[Prediction],
) -> None:
    """Asks the owner whether the first guess is right, and keeps the answer.

    Args:
        networks: What guessed, the first of them as is asked.
        sketch: Gray values of shape `(128, 128)`.
        drawing: Its strokes; None for a picture.
        guessed: The first network's guesses, likeliest first.
    """
    state = st.session_state
    asked = hash(sketch.tobytes())
    if not is_owner(explain=False) or state.get("answered") == asked:
        return
    first = guessed[0].class_name
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            _("Is it {thing}?").format(thing=plain(article(first))), width="content"
        )
        is_right = st.button(_("Yes"), icon=":material/check:", key="right")
        # Its own callback: the choice below is drawn later.
        st.button(
            _("No"),
            icon=":material/close:",
            key="wrong",
            on_click=lambda: state.update(answered=asked, detail="Keep"),
        )
    if is_right:
        state["answered"] = asked
        keep(networks, sketch, first, drawing=drawing, guessed=guessed)
        st.rerun()


def show_keep(
    networks: Sequence[Network],
    sketch: NDArray[np.uint8],
    *,
    drawing: Drawing | None,
    guessed: Sequence[Prediction],
) -> None:
    """Saves what is on the canvas as what it was meant to be.

    Args:
        networks: What guessed; the first's classes are the labels to choose from.
        sketch: Gray values of shape `(128, 128)`.
        drawing: Its strokes; None for a picture.
        guessed: The first network's guesses, likeliest first.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            _("What did you draw?"),
            sorted(networks[0].classifier.class_names, key=thing),
            format_func=thing_to_search,
            # A network's guess would be taken for granted.
            index=None,
            placeholder=_("Type or choose"),
            key="keep_label",
            width=280,
        )
        is_saved = is_owner(explain=False) and st.button(
            _("Keep"),
            type="primary",
            icon=":material/bookmark_add:",
            disabled=label is None,
            key="keep_save",
        )
        st.download_button(
            _("Download"),
            data=lambda: png_of(sketch),
            file_name=f"{label or 'drawing'}.png",
            mime="image/png",
            icon=":material/download:",
            on_click="ignore",
            key="keep_download",
        )
    if is_owner():
        st.caption(
            _(
                "Kept drawings are your own training sketches, on this machine. They "
                "never become test sketches."
            )
        )
    if is_saved and label is not None:
        keep(networks, sketch, label, drawing=drawing, guessed=guessed)


def keep(
    networks: Sequence[Network],
    sketch: NDArray[np.uint8],
    label: str,
    *,
    drawing: Drawing | None,
    guessed: Sequence[Prediction],
) -> None:
    """Keeps a drawing or a picture with its label and what was guessed."""
    save_drawing(
        sketch,
        label,
        class_names=sorted(networks[0].classifier.class_names),
        data_dir=data_dir(),
        source="upload" if drawing is None else "canvas",
        strokes=None if drawing is None else to_json(drawing),
        guesses=[
            Guess(
                run_id=networks[0].run.run_id,
                class_name=guess.class_name,
                probability=guess.probability,
            )
            for guess in guessed
        ],
    )
    st.toast(
        _("Kept as {label}. See My drawings.").format(label=plain(thing(label))),
        icon=":material/bookmark:",
    )


def png_of(sketch: NDArray[np.uint8]) -> bytes:
    """Returns a sketch as a PNG file."""
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(sketch).save(stream, format="PNG")
    return stream.getvalue()


def show_kept() -> None:
    """Shows the kept drawings, and what can be done with them."""
    kept = list_drawings(data_dir())
    if kept.damaged:
        st.warning(
            ngettext(
                "{count} file belongs to no whole drawing and is left out: {names}",
                "{count} files belong to no whole drawing and are left out: {names}",
                len(kept.damaged),
            ).format(
                count=len(kept.damaged),
                names=plain(", ".join(path.name for path in kept.damaged[:3])),
            ),
            icon=":material/broken_image:",
        )
    if not kept.kept:
        st.info(_("Nothing is kept yet. Draw something, then choose Keep below it."))
        return
    labels = sorted({drawing.label for drawing in kept.kept})
    st.write(
        ngettext(
            "{count} drawing of {things}: {names}.",
            "{count} drawings of {things}: {names}.",
            len(kept.kept),
        ).format(
            count=len(kept.kept),
            things=ngettext("{count} thing", "{count} things", len(labels)).format(
                count=len(labels)
            ),
            names=plain(", ".join(label.replace("_", " ") for label in labels)),
        )
    )
    show_actions()
    shown = kept.kept[:KEPT_SHOWN]
    for start in range(0, len(shown), COLUMNS):
        columns = st.columns(COLUMNS)
        row = shown[start : start + COLUMNS]
        for column, drawing in zip(columns, row, strict=False):
            with column:
                show_one(drawing)
    if len(kept.kept) > KEPT_SHOWN:
        st.caption(
            _("The latest {count} are shown; the export has all.").format(
                count=KEPT_SHOWN
            )
        )


def show_actions() -> None:
    """Offers to export the drawings and to let a network learn from them."""
    may_change = is_owner()
    runs = {NETWORKS[r.config.network].title: r for r in guessing_runs() if r.config}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        title = st.selectbox(_("Network"), list(runs), key="kept_network", width=200)
        if may_change and st.button(
            _("Fine-tune on them"),
            type="primary",
            icon=":material/model_training:",
            key="kept_tune",
            help=_(
                "Trains a copy of the network some epochs more, with these drawings "
                "among its training sketches."
            ),
        ):
            fine_tune(runs[title])
        st.download_button(
            _("Export"),
            data=lambda: export_drawings(data_dir()),
            file_name="my-drawings.zip",
            mime="application/zip",
            icon=":material/download:",
            on_click="ignore",
            key="kept_export",
        )


def fine_tune(run: Run) -> None:
    """Starts a run that goes on from another with the kept drawings, and opens it."""
    if run.config is None:
        return
    with st.spinner(_("Starting")):
        make_drawings_dataset(data_dir())
        made = create_run(
            run.config.network,
            DATASET_NAME,
            FINE_TUNE_RECIPE,
            data_dir=data_dir(),
            origin=run.path,
        )
        launch_training(made, data_dir=data_dir())
    st.session_state["train_opened"] = made.name
    reads.look_again()
    st.switch_page("pages/train.py")


def show_one(drawing: KeptDrawing) -> None:
    """Shows a kept drawing with a menu to relabel or remove it."""
    try:
        picture = read_sketch(drawing.png, name=drawing.id)
    except ImageError as error:
        # Another window removes one while this one shows them.
        if drawing.png.exists():
            st.caption(say(error))
        return
    st.image(
        picture,
        width=SKETCH_WIDTH,
        alt=_("Drawing of {label}").format(label=drawing.label),
    )
    with st.popover(plain(thing(drawing.label)), width="stretch"):
        if drawing.guesses:
            guess = drawing.guesses[0]
            st.caption(
                _("{date}. It was taken for {thing} ({probability:.0%}).").format(
                    date=plain(drawing.created_at[:10]),
                    thing=plain(article(guess.class_name)),
                    probability=guess.probability,
                )
            )
        if not is_owner(explain=False):
            return
        config = guessing_runs()[0].config
        names = sorted(config.class_names) if config else [drawing.label]
        label = st.selectbox(
            _("What did you draw?"),
            names,
            format_func=thing,
            index=names.index(drawing.label) if drawing.label in names else None,
            key=f"kept_label_{drawing.id}",
        )
        if label is not None and label != drawing.label:
            relabel_drawing(drawing.id, label, class_names=names, data_dir=data_dir())
            st.rerun()
        if st.button(
            _("Remove"), icon=":material/delete:", key=f"kept_rm_{drawing.id}"
        ):
            remove_drawing(drawing.id, data_dir=data_dir())
            st.rerun()

"""Dataset: what is installed, what it looks like, and how to add more."""

import os
import tempfile
from pathlib import Path

import numpy as np
import streamlit as st

from core.datasets.sources import NAMED
from core.datasets.store import UPLOAD_PREFIX, Dataset, Progress
from core.datasets.versions import base_name
from core.errors import SketchScopeError
from core.language import plain, plain_but_code
from core.paths import TRAINED_DIR, data_dir
from core.runs.dataset import shipped_split
from core.runs.status import ACTIVE_STATES
from pages.parts.dataset.preview import show_account, show_preview
from pages.shared import reads
from pages.shared.actions import add_dataset, remove_dataset
from pages.shared.attribution import show_attribution
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import ngettext, number, say_plain, thing
from pages.shared.owner import is_owner, must_be_owner
from pages.shared.pickers import pick_class, pick_option
from pages.shared.sketches import ADD, SKETCH_WIDTH

PAGE_SIZE = 84
"""More than any class of TU-Berlin has in one split."""


def add(what: str, *, name: str | None = None, called: str = "") -> None:
    """Adds a dataset while showing how far it is, and opens it.

    Args:
        what: A name or path, as `add_dataset` takes it.
        name: What to call the dataset.
        called: What an error is to call a path that is nobody's business.
    """
    bar = st.progress(0.0, text=_("Looking at it"))

    def start(title: str) -> Progress:
        def tell(done: int, total: int) -> None:
            share = done / total if total else 0.0
            bar.progress(
                min(share, 1.0),
                text=_(
                    "{step}: {done:,} of {total:,}. Stay on this page until it is done."
                ).format(step=say_plain(title), done=done, total=total),
            )

        return tell

    try:
        dataset = add_dataset(
            what,
            name=name,
            data_dir=data_dir(),
            progress=start,
            find_split=lambda: shipped_split(TRAINED_DIR),
        )
    except SketchScopeError as error:
        message = say_plain(error)
        message = message.replace(what, called) if called else message
        st.error(plain_but_code(message), icon=":material/error:")
        return
    finally:
        bar.empty()
    reads.look_again()
    st.session_state["dataset_opened"] = dataset.name
    st.rerun()


def show_add(*, expanded: bool) -> None:
    """Offers the ways to add a dataset."""
    with st.expander(_("Add a dataset"), icon=":material/add:", expanded=expanded):
        titles = [_(source.title) or source.name for source in NAMED.values()]
        *tabs, path, upload = st.tabs([*titles, _("Zip or folder"), _("Upload")])
        for source, tab in zip(NAMED.values(), tabs, strict=True):
            with tab:
                st.write(_(source.about))
                key = f"dataset_add_{source.name}"
                if st.button(_(source.button), type="primary", key=key):
                    add(source.name)
        with path, st.form("dataset_path", border=False):
            st.write(
                _(
                    "`Sketch_EITZ.zip`, the course's form of TU-Berlin, on which the "
                    "networks that ship were trained; the official archive; a folder, "
                    "zip or tar of class folders with pictures; or Quick, Draw!'s "
                    "files."
                )
            )
            place = st.text_input(
                _("Path on this machine"),
                placeholder=_("/home/me/my-sketches or …/Sketch_EITZ.zip"),
            )
            name = st.text_input(_("Name (optional)"), key="dataset_path_name")
            if st.form_submit_button(_("Look at it")):
                st.session_state["dataset_looked_at"] = (
                    place.strip(),
                    name.strip() or None,
                )
                if not place.strip():
                    st.warning(_("Type the path of a zip or a folder first."))
        with path:
            place, chosen = st.session_state.get("dataset_looked_at", ("", None))
            if (
                place
                and show_preview(place, name=chosen)
                and st.button(_("Import"), type="primary", key="dataset_import")
            ):
                del st.session_state["dataset_looked_at"]
                add(place, name=chosen)
        with upload, st.form("dataset_upload", border=False):
            file = st.file_uploader(
                _("A zip or tar of sketches"),
                type=["zip", "tar", "gz", "ndjson", "npy"],
            )
            name = st.text_input(_("Name (optional)"), key="dataset_upload_name")
            if st.form_submit_button(_("Add it")):
                if file is None:
                    st.warning(_("Choose a zip first."))
                else:
                    add_upload(file.name, file.getbuffer(), name=name.strip() or None)


def add_upload(file_name: str, content: memoryview, *, name: str | None) -> None:
    """Adds an uploaded zip, which is kept on the disk only meanwhile."""
    must_be_owner()
    data_dir().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=f"{UPLOAD_PREFIX}{os.getpid()}-", dir=data_dir()
    ) as folder:
        path = Path(folder) / Path(file_name).name
        path.write_bytes(content)
        add(str(path), name=name, called=path.name)


def show_removal(dataset: Dataset) -> None:
    """Removes a dataset after a second click."""
    in_use = [
        run.run_id
        for run in reads.runs()
        if run.state in ACTIVE_STATES
        and run.config is not None
        and dataset.name in map(base_name, run.config.datasets)
    ]
    # One for each dataset: that of the next is closed, where this one's was open.
    key = f"dataset_removal_{dataset.name}"
    with st.popover(_("Remove"), icon=":material/delete:", key=key):
        if in_use:
            st.write(
                _("In use by {runs}. Stop that first.").format(
                    runs=plain(", ".join(in_use))
                )
            )
            return
        st.write(
            _(
                "Deletes the packed sketches of {dataset} from this program's data "
                "folder. What it was made from and the runs trained on it stay."
            ).format(dataset=plain(dataset.name))
        )
        if st.button(
            _("Remove {name}").format(name=plain(dataset.name)), type="primary"
        ):
            remove_dataset(dataset.name, data_dir=data_dir())
            reads.look_again()
            st.rerun()


def show_counts(dataset: Dataset) -> None:
    """Shows how many sketches each class has."""
    is_test = np.array([record.split == "test" for record in dataset.records])
    classes = dataset.num_classes
    train = np.bincount(dataset.labels[~is_test], minlength=classes)
    test = np.bincount(dataset.labels[is_test], minlength=classes)
    order = np.argsort(np.array(dataset.class_names))
    names = [dataset.class_names[label] for label in order]
    st.dataframe(
        {"Class": list(map(thing, names)), "Train": train[order], "Test": test[order]},
        hide_index=True,
        height=460,
        column_config={"Class": _("Class"), "Train": _("Training"), "Test": _("Test")},
        alt=_("Number of training and test sketches of each class of {dataset}").format(
            dataset=dataset.name
        ),
    )


def show_gallery(dataset: Dataset) -> None:
    """Shows the sketches of one class and split, a page at a time."""
    picked, split_column = st.columns([2, 1], vertical_alignment="bottom")
    names = sorted(dataset.class_names, key=thing)
    with picked:
        first = thing(names[0])
        asked = pick_class(_("Class"), names, key="class", placeholder=first)
    name = asked or names[0]
    with split_column:
        split = pick_option(
            _("Split"), {"train": _("train"), "test": _("test")}, key="split"
        )
    label = dataset.class_names.index(name)
    rows = [
        row
        for row, record in enumerate(dataset.records)
        if record.label == label and record.split == split
    ]
    pages = max(-(-len(rows) // PAGE_SIZE), 1)
    number = 1
    if pages > 1:
        number = st.number_input(
            _("Page, of {pages}").format(pages=pages), 1, pages, key="dataset_page"
        )
    shown = rows[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    words = (
        ngettext(
            "{count} training sketch of {name}",
            "{count} training sketches of {name}",
            len(rows),
        )
        if split == "train"
        else ngettext(
            "{count} test sketch of {name}",
            "{count} test sketches of {name}",
            len(rows),
        )
    )
    st.caption(words.format(count=len(rows), name=plain(thing(name))))
    if shown:
        st.image(
            [dataset.images[row] for row in shown],
            caption=[plain(dataset.records[row].id) for row in shown],
            width=SKETCH_WIDTH,
            output_format="PNG",
            alt=[
                _("Sketch {id} of {name}").format(
                    id=dataset.records[row].id, name=thing(name)
                )
                for row in shown
            ],
        )
    show_attribution(dataset)
    show_account(dataset)


require_frame()
st.title(_("Dataset"))
datasets = {dataset.name: dataset for dataset in reads.datasets()}
just_added = st.session_state.pop("dataset_opened", None)
if just_added in datasets:
    st.session_state["dataset"] = just_added
    st.toast(
        _("Dataset {dataset} is installed.").format(dataset=plain(just_added)),
        icon=":material/check:",
    )
if not datasets:
    st.info(
        _(
            "No dataset is installed yet. The networks that ship can be explored "
            "without one; to see sketches and to train, add one here."
        ),
        icon=":material/photo_library:",
    )
may_change = is_owner()
if may_change:
    show_add(expanded=not datasets)
    if asked := st.session_state.pop(ADD, None):
        add(asked)
if datasets:
    dataset = datasets[
        st.selectbox(_("Dataset"), list(datasets), key="dataset", bind="query-params")
    ]
    figures, removal = st.columns([5, 1], vertical_alignment="center")
    with figures.container(horizontal=True, gap="large"):
        st.metric(_("Classes"), number(dataset.num_classes, ","), width="content")
        st.metric(
            _("Training sketches"), number(dataset.num_train, ","), width="content"
        )
        st.metric(_("Test sketches"), number(dataset.num_test, ","), width="content")
    if may_change:
        with removal:
            st.page_link(
                "pages/train.py",
                label=_("Train now"),
                icon=":material/school:",
                query_params={"dataset": dataset.name},
            )
            st.page_link(
                "pages/labels.py",
                label=_("Look through labels"),
                icon=":material/label:",
                query_params={"dataset": dataset.name},
            )
            show_removal(dataset)
    gallery, counts = st.columns([3, 1], gap="large")
    with gallery:
        show_gallery(dataset)
    with counts:
        show_counts(dataset)

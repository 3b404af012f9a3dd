"""The search for suspect labels: started here, trained in the background."""

import streamlit as st

from core.datasets.store import Dataset
from core.errors import SketchScopeError
from core.language import plain
from core.paths import data_dir
from core.sweeps.out_of_fold import FOLDS, suspects_sweep
from core.sweeps.record import SweepRecord
from models import FIRST_NETWORK
from pages.shared import reads
from pages.shared.actions import create_sweep, finish_suspects, launch_sweep
from pages.shared.fragments import fragment
from pages.shared.language import gettext as _
from pages.shared.language import say

LOOK_AGAIN_S = 5
"""How often a search that is under way is looked at."""


def show_search(dataset: Dataset, *, may_start: bool) -> None:
    """Shows how far the search for a dataset's suspects is, or lets it begin.

    Args:
        dataset: Whose suspects nobody has found yet.
        may_start: Whether the visitor is the owner.
    """
    sweep = suspects_sweep(dataset, network=FIRST_NETWORK)
    record = reads.sweep(sweep.name)
    if record is not None:
        show_progress(dataset, record, may_finish=may_start)
        return
    st.info(
        _(
            "Nobody has looked for suspect labels in {dataset} yet. {folds} networks "
            "are trained, each on a part of the training sketches, and asked about the "
            "others; stopped, that goes on where it was."
        ).format(dataset=plain(dataset.name), folds=FOLDS)
    )
    if may_start and st.button(
        _("Look for suspects"),
        type="primary",
        icon=":material/search:",
        key="labels_search",
    ):
        with st.spinner(_("Starting")):
            folder = create_sweep(sweep, data_dir=data_dir())
            launch_sweep(folder, data_dir=data_dir())
        reads.look_again()
        st.rerun()
    st.code(f"python -m core dataset suspects {dataset.name}", language="sh")


def show_progress(dataset: Dataset, record: SweepRecord, *, may_finish: bool) -> None:
    """Shows how many networks are trained; once all are, keeps what they say."""
    if record.ended < record.total:
        fragment(show_trained, run_every=LOOK_AGAIN_S)(record)
    elif may_finish:
        try:
            with st.spinner(_("Asking the networks")):
                finish_suspects(dataset, record, data_dir=data_dir())
        except SketchScopeError as error:
            st.error(say(error), icon=":material/error:")
        else:
            st.rerun()
    st.page_link(
        "pages/sweeps.py",
        label=_("Open the sweep"),
        icon=":material/tune:",
        query_params={"sweep": record.sweep.name},
    )


def show_trained(record: SweepRecord) -> None:
    """Shows how many networks are trained, and the whole page once all are."""
    record = reads.sweep(record.sweep.name) or record
    if record.ended == record.total:
        st.rerun()
    st.progress(
        record.ended / record.total,
        text=_("{ended} of {total} networks are trained").format(
            ended=record.ended, total=record.total
        ),
    )

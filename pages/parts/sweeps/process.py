"""The process that trains a sweep: what it printed, and a new one for what is left."""

import streamlit as st

from core.errors import SketchScopeError
from core.paths import data_dir
from core.sweeps.analysis import is_under_way
from core.sweeps.record import SweepRecord, is_being_trained, sweep_dir
from core.sweeps.starting import FILE, LOG
from pages.shared import reads
from pages.shared.actions import launch_sweep
from pages.shared.language import gettext as _
from pages.shared.language import say
from pages.shared.owner import is_owner
from pages.shared.training import show_log


def show_process(record: SweepRecord) -> None:
    """Lets the owner go on with a sweep that was started here, and see its log."""
    if not is_owner(explain=False):
        return
    name = record.sweep.name
    folder = sweep_dir(name, data_dir=data_dir())
    is_left = record.ended < record.total and (folder / FILE).is_file()
    # Between two trials none is under way, and its process holds it.
    is_idle = is_left and not is_under_way(record)
    if is_idle and not is_being_trained(name, data_dir=data_dir()):
        try:
            if st.button(
                _("Train what is left"),
                icon=":material/play_arrow:",
                key="sweeps_go_on",
            ):
                with st.spinner(_("Starting")):
                    launch_sweep(folder, data_dir=data_dir())
                reads.look_again()
                st.rerun()
        except SketchScopeError as error:
            st.error(say(error), icon=":material/error:")
    show_log(folder / LOG)

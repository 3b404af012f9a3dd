"""The versions of a dataset: a new one of the decisions, and what the latest holds."""

import streamlit as st

from core.datasets.decisions import Decisions
from core.datasets.store import Dataset
from core.datasets.versions import (
    DatasetVersion,
    count_classes,
    differences,
    list_versions,
    version_before,
)
from core.errors import SketchScopeError
from core.language import plain
from core.runs.status import utc_now
from pages.shared import reads
from pages.shared.actions import make_version
from pages.shared.language import gettext as _
from pages.shared.language import say, thing
from pages.shared.training import DATASET


def show_versions(dataset: Dataset, decisions: Decisions, *, may_make: bool) -> None:
    """Offers to make a version of the decisions, and shows the latest one."""
    st.subheader(_("Versions"), anchor=False)
    st.caption(
        _(
            "A version is this dataset with what was decided applied to its training "
            "sketches. Pictures, test sketches and their labels stay the same."
        )
    )
    if may_make and st.button(
        _("Make a version"),
        icon=":material/bookmark_add:",
        disabled=not decisions.lines,
        key="labels_version",
    ):
        try:
            make_version(dataset, at=utc_now())
            reads.look_again()
        except SketchScopeError as error:
            st.error(say(error), icon=":material/error:")
    versions = list_versions(dataset)
    if not versions:
        return
    show_version(versions[-1])
    if may_make and st.button(
        _("Train on {version}").format(version=plain(versions[-1].name)),
        icon=":material/school:",
        key="labels_train",
    ):
        # Not by the address: this page's own menu of the same name goes before it.
        st.session_state[DATASET] = versions[-1].name
        st.switch_page("pages/train.py")


def show_version(version: DatasetVersion) -> None:
    """Shows what differs between a version and the one before it."""
    before = version_before(version)
    changes = differences(before, version)
    st.write(
        _(
            "**{version}** has {train:,} training sketches; {changed:,} differ from "
            "{before}, and people call {ambiguous:,} ambiguous."
        ).format(
            version=plain(version.name),
            train=version.num_train,
            changed=len(changes),
            before=plain(before.name),
            ambiguous=len(version.ambiguous),
        )
    )
    if not changes:
        return
    earlier, later = count_classes(before), count_classes(version)
    touched = sorted(
        {n for change in changes for n in (change.before, change.after) if n}, key=thing
    )
    out = _("left out")
    with st.expander(_("What differs"), icon=":material/difference:"):
        st.dataframe(
            {
                "Class": [thing(name) for name in touched],
                "Before": [earlier[name] for name in touched],
                "After": [later[name] for name in touched],
            },
            hide_index=True,
            column_config={
                "Class": _("Class"),
                "Before": plain(before.name),
                "After": plain(version.name),
            },
            key="labels_counts",
            alt=_("Training sketches of each class that differs, before and after"),
        )
        st.dataframe(
            {
                "Sketch": [change.id for change in changes],
                "Before": [thing(c.before) if c.before else out for c in changes],
                "After": [thing(c.after) if c.after else out for c in changes],
            },
            hide_index=True,
            column_config={
                "Sketch": _("Sketch"),
                "Before": plain(before.name),
                "After": plain(version.name),
            },
            key="labels_changes",
            alt=_("The sketches that differ, with their classes before and after"),
        )

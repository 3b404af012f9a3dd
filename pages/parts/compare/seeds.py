"""The seeds of two runs' recipes beside each other, where there are several."""

import streamlit as st

from core.analysis.seeds import (
    SeedGroup,
    compare_means,
    differing_settings,
    group_of,
    seed_groups,
)
from core.runs.reading import Run
from core.sentences.seeds import group_words, groups_words, seeds_words
from pages.shared import reads
from pages.shared.language import gettext as _
from pages.shared.language import words
from pages.shared.tables import download_csv, number_column, number_table


def show_groups(run: Run, baseline: Run) -> None:
    """Says what the seeds of two runs tell; nothing unless both have at least two."""
    groups = seed_groups(reads.runs())
    first, second = group_of(run, groups), group_of(baseline, groups)
    if first is None or second is None:
        return
    if first.key == second.key:
        st.write(_("The two runs differ in nothing but their seed."))
        st.write(seeds_words(first, words()))
        return
    found = compare_means(first.tested, second.tested)
    if found is None:
        return
    names = [
        f"{group_words(group, words())} ({settings})"
        if settings
        else group_words(group, words())
        for group, settings in zip(
            (first, second), differing_settings([first, second]), strict=True
        )
    ]
    st.write(groups_words(found, names, words()))
    rows = [*_rows(first, names[0]), *_rows(second, names[1])]
    with st.expander(_("Test top-1 of each seed")):
        number_table(
            rows,
            hide_index=True,
            column_config={
                "Group": _("Group"),
                "Run": _("Run"),
                "Seed": number_column(_("Seed"), "%d"),
                "Test top-1": number_column(_("Test top-1"), "%.1f%%"),
            },
            alt=_("A row for each seed of the two groups"),
        )
        download_csv(_("Seeds as CSV"), rows, "seeds", run, baseline)
    st.caption(_("Below, the two chosen runs are compared sketch by sketch."))


def _rows(group: SeedGroup, name: str) -> list[dict[str, object]]:
    """Returns a row for each evaluated run of a group."""
    return [
        {
            "Group": name,
            "Run": run.name,
            "Seed": seed,
            "Test top-1": 100 * run.metrics["top1"],
        }
        for run, seed in zip(group.runs, group.seeds, strict=True)
        if run.metrics
    ]

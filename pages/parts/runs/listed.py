"""The list of runs: a filter, each run or groups of them, and what a click opens."""

from collections.abc import Sequence

import streamlit as st

from core.analysis.listing import (
    RecipeGroup,
    all_tags,
    best_runs,
    find_runs,
    pinned_first,
    recipe_groups,
)
from core.analysis.metrics import COLUMNS, METRICS
from core.analysis.overview import run_rows, scaled
from core.analysis.seeds import (
    SeedGroup,
    Spread,
    differing_settings,
    seed_groups,
    spread,
)
from core.runs.reading import Run
from models import NETWORKS
from pages.shared.language import gettext as _
from pages.shared.language import ngettext, say_plain
from pages.shared.pickers import pick_option, run_names
from pages.shared.tables import download_csv, metric_column, number_column, open_table

RUN, GROUP, OPENED = "run", "group", "of"
"""The address's parameters for the run that is open, for what rows are, and for the
group whose runs are listed."""


def show_runs(runs: Sequence[Run]) -> None:
    """Shows the filter and the runs that it finds, pinned ones first."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        text = st.text_input(
            _("Find runs"),
            key="find",
            type="search",
            placeholder=_("Name, note, tag, network, dataset"),
            live="100ms",
            width=300,
            bind="query-params",
        )
        rows = pick_option(
            _("A row for each"),
            {"each": _("Run"), "recipe": _("Recipe"), "seeds": _("Group of seeds")},
            key=GROUP,
        )
    chosen: list[str] = []
    if tags := all_tags(runs):
        chosen = st.pills(_("Tags"), tags, selection_mode="multi", key="runs_tags")
    found = pinned_first(find_runs(runs, text or "", chosen))
    if len(found) < len(runs):
        st.caption(
            _("{found:,} of {total:,} runs").format(found=len(found), total=len(runs))
        )
    if not found:
        st.info(_("No run says that. Write less, or choose fewer tags."))
    elif rows == "each":
        show_table(found, best=best_runs(runs))
    elif rows == "recipe":
        show_recipes(found, best=best_runs(runs))
    else:
        show_seeds(found, best=best_runs(runs))


def show_table(runs: Sequence[Run], *, best: set[str]) -> None:
    """Shows a row a run; a click on one opens it."""
    names = run_names(runs)
    # Of a thousand rows each word is looked up once.
    states = {state: _(state) for state in {run.state for run in runs}}
    epochs = str(_("{done} of {total}"))
    rows = [
        {
            "Run": names[run.run_id],
            "Mark": _mark(run, best),
            "Tags": list(run.notes.tags),
            **{k: v for k, v in row.items() if k != "Run"},
            "State": states[run.state],
            "Remark": row["Remark"] and say_plain(row["Remark"]),
            "Epoch": epochs.format(done=row["Epoch"], total=row["Epochs"]),
        }
        for run, row in zip(runs, run_rows(runs), strict=True)
    ]

    def opened(row: int) -> None:
        st.query_params[RUN] = runs[row].run_id

    def has(column: str) -> bool:
        return any(row[column] for row in rows)

    open_table(
        rows,
        opened,
        key="runs_table",
        column_config={
            "Run": _("Run"),
            "Mark": _("Mark") if has("Mark") else None,
            "Tags": st.column_config.ListColumn(_("Tags")) if has("Tags") else None,
            "State": _("State"),
            "Network": _("Network"),
            "Dataset": _("Dataset"),
            "Recipe": _("Recipe"),
            "Epoch": _("Epoch"),
            "Epochs": None,
            "Kept epoch": _("Kept epoch"),
            "Remark": _("Remark"),
            "Validation top-1": metric_column(METRICS["top1"], _("Validation top-1")),
        }
        | {metric.column: metric_column(metric) for metric in COLUMNS.values()},
        placeholder="–",
        alt=_("All runs with their state, settings and metrics"),
    )


def show_recipes(runs: Sequence[Run], *, best: set[str]) -> None:
    """Shows a row for each network, recipe and dataset; a click lists its runs."""
    groups = recipe_groups(runs)
    if (open_one := _opened(groups)) is not None:
        st.subheader(_recipe_title(open_one.runs[0]))
        show_table(open_one.runs, best=best)
        return
    rows = [
        {
            **_recipe_columns(group.runs[0]),
            "Runs": len(group.runs),
            "Best run": group.best.name if group.best else None,
            "Validation top-1": scaled(METRICS["top1"], group.val_top1),
        }
        for group in groups
    ]
    open_table(
        rows,
        lambda row: _open(groups[row].key),
        key="runs_recipes",
        column_config=_recipe_titles()
        | {
            "Runs": number_column(_("Runs"), "%d"),
            "Best run": _("Best run on validation"),
            "Validation top-1": metric_column(
                METRICS["top1"], _("Its validation top-1")
            ),
        },
        placeholder="–",
        alt=_("Recipes with their number of runs and the best of these"),
    )
    st.caption(_("Click a row to list its runs."))


def show_seeds(runs: Sequence[Run], *, best: set[str]) -> None:
    """Shows a row for runs that differ in their seed alone; a click lists them."""
    groups = seed_groups(runs)
    if not groups:
        st.info(
            _(
                "No two of these runs differ in nothing but their seed. Train a recipe "
                "again with another seed, and they become a group."
            )
        )
        return
    if (open_one := _opened(groups)) is not None:
        st.subheader(_recipe_title(open_one.runs[0]))
        show_table(open_one.runs, best=best)
        return
    rows = [
        {
            **_recipe_columns(group.runs[0]),
            "Settings": settings,
            "Seeds": len(group.runs),
            **_spread_columns("Validation", spread(group.validated)),
            **_spread_columns("Test", spread(group.tested)),
        }
        for group, settings in zip(groups, differing_settings(groups), strict=True)
    ]
    titles = {
        "Validation mean": _("Mean validation top-1"),
        "Validation SD": _("SD of validation (points)"),
        "Test mean": _("Mean test top-1"),
        "Test SD": _("SD of test (points)"),
    }
    open_table(
        rows,
        lambda row: _open(groups[row].key),
        key="runs_seeds",
        column_config=_recipe_titles()
        | {
            "Settings": _("Settings that differ")
            if any(row["Settings"] for row in rows)
            else None,
            "Seeds": number_column(_("Seeds"), "%d"),
            "Validation n": number_column(_("n validated"), "%d"),
            "Test n": number_column(_("n tested"), "%d"),
        }
        | {
            name: number_column(title, "%.2f" if name.endswith("SD") else "%.1f%%")
            for name, title in titles.items()
        },
        placeholder="–",
        alt=_("Groups of seeds with mean and standard deviation"),
    )
    alone = len(runs) - sum(len(group.runs) for group in groups)
    said = [
        _(
            "Runs of a group differ in nothing but their seed; SD is the sample "
            "standard deviation. Click a row to list its runs."
        )
    ]
    if alone:
        said.append(
            ngettext(
                "{count} run is in no group.", "{count} runs are in no group.", alone
            ).format(count=alone)
        )
    st.caption(" ".join(said))
    download_csv(_("Groups as CSV"), rows, "seeds")


def _opened(
    groups: Sequence[RecipeGroup] | Sequence[SeedGroup],
) -> RecipeGroup | SeedGroup | None:
    """Returns the group that the address names, and offers the way back."""
    asked = st.query_params.get(OPENED)
    found = next((group for group in groups if group.key == asked), None)
    if found is not None and st.button(
        _("All groups"), icon=":material/arrow_back:", key="runs_groups"
    ):
        del st.query_params[OPENED]
        st.rerun()
    return found


def _open(key: str) -> None:
    st.query_params[OPENED] = key


def _mark(run: Run, best: set[str]) -> str:
    """Returns what sets a run apart from others."""
    marks = []
    if run.notes.is_pinned:
        marks.append(_("pinned"))
    if run.run_id in best:
        marks.append(_("best on validation"))
    return ", ".join(marks)


def _recipe_title(run: Run) -> str:
    return " · ".join(str(word) for word in _recipe_columns(run).values())


def _recipe_columns(run: Run) -> dict[str, str]:
    """Returns what runs of one recipe have in common, a column each."""
    config = run.config
    assert config is not None
    return {
        "Network": NETWORKS[config.network].title,
        "Dataset": config.dataset,
        "Recipe": config.recipe,
    }


def _recipe_titles() -> dict[str, str]:
    return {
        "Network": _("Network"),
        "Dataset": _("Dataset"),
        "Recipe": _("Recipe"),
    }


def _spread_columns(name: str, told: Spread | None) -> dict[str, float | None]:
    """Returns a spread as columns of a table, in percent and points."""
    n, mean, deviation = (
        (0, None, None) if told is None else (told.n, told.mean, told.deviation)
    )
    return {
        f"{name} n": n,
        f"{name} mean": scaled(METRICS["top1"], mean),
        f"{name} SD": scaled(METRICS["top1"], deviation),
    }

"""Sweeps: many runs that differ in a few fields, side by side."""

from importlib.util import find_spec
from typing import Any

import streamlit as st

from core.errors import SketchScopeError
from core.language import noop as N_
from core.language import plain, to_csv
from core.paths import data_dir
from core.runs.folder import runs_dir
from core.runs.reading import Run
from core.sweeps.analysis import (
    LEAST_TRIALS,
    Importances,
    best_trial,
    find_importances,
    is_under_way,
    varied,
)
from core.sweeps.charts import (
    MAX_DRAWN,
    field_title,
    importance_chart,
    parallel_coordinates,
    trial_curves,
    value_text,
)
from core.sweeps.pooling import Pooled, pool_sweep
from core.sweeps.record import ENDED, SweepRecord, TrialRecord
from core.sweeps.sentences import POINTS, pooled_words, settings_words, sweep_words
from pages.shared import reads
from pages.shared.actions import promote
from pages.shared.chart import chart
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.language import listed, ngettext, words
from pages.shared.owner import is_owner
from pages.shared.told import told

EXAMPLE = """\
dataset: starter
networks: [simple, resnet18]
fields:
  epochs: 5
  learning_rate: [0.001, 0.003]
seeds: [0, 1]
"""
FILE = "first-sweep.yaml"
STATES = (N_("planned"), N_("pruned"))
"""Of trials, beside those of runs."""

LIVE_INTERVAL_S = 2.0
WAITING_INTERVAL_S = 10.0
"""While trials are left and none is at work, as between two of them."""

TRIAL = "trial"
"""The session's chosen trial, and the address's parameter: a run id."""

LINES_HEIGHT = 430
CHART_HEIGHT = 340


def show_beginning() -> None:
    """Says how a sweep is begun, and what has to be installed for it."""
    if find_spec("ray") is None:
        st.warning(
            _(
                "Sweeps run on Ray, which is not installed here. Install it with "
                "`pip install -r requirements-ray.txt`; everything else works without."
            ),
            icon=":material/download:",
        )
    st.write(
        _(
            "Write what to try into a file. This one, `{file}`, trains eight runs: two "
            "networks, each with two learning rates and two seeds."
        ).format(file=FILE)
    )
    st.code(EXAMPLE, language="yaml")
    st.write(_("Begin it, or go on with it after a break, with"))
    st.code(f"python -m core sweep {FILE}", language="sh")
    st.write(
        _(
            "On a Ray cluster, add `--address HOST:PORT`. Cross-validation needs no "
            "Ray and no file:"
        )
    )
    st.code(
        "python -m core cross-validate simple --dataset starter --folds 3",
        language="sh",
    )


def pick_sweep(records: tuple[SweepRecord, ...]) -> str:
    """Lets one choose a sweep; the address holds its name."""
    return str(
        st.selectbox(
            _("Sweep"),
            [record.sweep.name for record in records],
            key="sweep",
            bind="query-params",
            width=400,
        )
    )


@st.cache_resource(max_entries=8, show_spinner=False)
def _importances(
    _record: SweepRecord, name: str, known: tuple[tuple[str, str, float | None], ...]
) -> Importances | None:
    del name, known  # The key: Streamlit leaves out names that begin with _.
    return find_importances(_record)


def importances_of(record: SweepRecord) -> Importances | None:
    """Finds what mattered, or returns what was found of the same trials."""
    known = tuple(
        (t.run_id, t.state, t.val_top1) for t in record.trials if t.state in ENDED
    )
    return _importances(record, record.sweep.name, known)


def choose(run_id: str) -> None:
    """Opens a trial, in the address too."""
    st.session_state[TRIAL] = run_id


def chosen_trial(record: SweepRecord) -> TrialRecord:
    """Returns the trial that is open: as chosen or in the address, or the best."""
    by_id = {trial.run_id: trial for trial in record.trials}
    asked = st.session_state.get(TRIAL) or st.query_params.get(TRIAL)
    best = best_trial(record)
    trial = by_id.get(str(asked)) or best or record.trials[0]
    if best is not None and trial.run_id == best.run_id:
        st.query_params.pop(TRIAL, None)
    elif st.query_params.get(TRIAL) != trial.run_id and asked:
        st.query_params[TRIAL] = trial.run_id
    return trial


def show_lines(record: SweepRecord, chosen: str) -> None:
    """Shows all trials as lines through their values."""
    figure, points = parallel_coordinates(record, chosen=chosen, words=words())
    count = sum(trial.val_top1 is not None for trial in record.trials)

    def clicked(point: dict[str, Any]) -> None:
        choose(run_at(point, points))

    st.subheader(_("What was tried"))
    if not count:
        st.info(_("The first trial has not finished an epoch yet."))
        return
    chart(
        figure,
        key="sweeps_lines",
        alt=ngettext(
            "{count} trial as a line through the values of {fields} to its accuracy "
            "on validation",
            "{count} trials as lines through the values of {fields} to their accuracy "
            "on validation",
            count,
        ).format(
            count=count,
            fields=listed([field_title(field, words()) for field in varied(record)])
            or _("no field"),
        ),
        height=LINES_HEIGHT,
        uirevision=record.sweep.name,
        on_click=clicked,
    )
    st.caption(
        _(
            "A line is a trial; the lighter, the more accurate. The thick one is open "
            "below; click a point to open another."
        )
    )
    if count > MAX_DRAWN:
        st.caption(
            _("Only the {shown} most accurate of {count} trials are drawn.").format(
                shown=MAX_DRAWN, count=count
            )
        )


def run_at(point: dict[str, Any], points: list[list[str]]) -> str:
    """Returns the run id of a point that was clicked; "" where there is none."""
    # What a browser sends is anything.
    try:
        return points[int(point["trace"])][int(point["index"])]
    except (KeyError, IndexError, TypeError, ValueError):
        return ""


def show_curves(record: SweepRecord, runs: list[Run], chosen: str) -> None:
    """Shows how every trial learns, while it does."""
    figure, points = trial_curves(record, runs, chosen=chosen, words=words())

    def clicked(point: dict[str, Any]) -> None:
        choose(run_at(point, points))

    st.subheader(_("How they learn"))
    count = sum(bool(run.history) for run in runs)
    if not count:
        st.caption(_("No epoch is finished yet."))
        return
    chart(
        figure,
        key="sweeps_curves",
        alt=ngettext(
            "Validation top-1 by epoch of {count} trial",
            "Validation top-1 by epoch of {count} trials",
            count,
        ).format(count=count),
        height=CHART_HEIGHT,
        uirevision=record.sweep.name,
        on_click=clicked,
    )
    if any(trial.state == "pruned" for trial in record.trials):
        st.caption(_("A curve that ends in a cross was stopped early."))


def show_importances(found: Importances | None) -> None:
    """Shows how much each varied field matters."""
    st.subheader(_("What matters"))
    if found is None:
        st.caption(
            _("Told once {count} trials that differ in something have ended.").format(
                count=LEAST_TRIALS
            )
        )
        return
    chart(
        importance_chart(found, words=words()),
        key="sweeps_importances",
        alt=_("Importance of each field. Most: {fields}.").format(
            fields=listed(
                [
                    f"{field_title(one.field, words())} {POINTS * one.rise:.2f}"
                    for one in found.fields[:3]
                ]
            )
        ),
        height=CHART_HEIGHT,
    )
    st.caption(
        _(
            "A random forest predicts the validation accuracy of trials that it was "
            "not shown, and misses by {error:.1f} points on average over {n} trials. "
            "A bar is by how much more it misses once that field's values are "
            "shuffled; lines are two standard errors."
        ).format(error=POINTS * found.error, n=found.n)
        if found.is_telling
        else _(
            "Don't rely on it: the forest misses by {error:.1f} points on average over "
            "{n} trials, the trials' mean alone by {mean:.1f}. More trials, or more "
            "different ones, would tell more."
        ).format(
            error=POINTS * found.error, n=found.n, mean=POINTS * found.error_of_mean
        )
    )


def show_trial(record: SweepRecord, trial: TrialRecord) -> None:
    """Shows one trial, and lets the owner keep it as a run of its own."""
    st.subheader(plain(trial.run_id))
    st.write(plain(settings_words(record, trial, words())) or _("Nothing was varied."))
    if trial.message:
        st.error(told(trial.message))
    with st.container(horizontal=True):
        if trial.epoch:
            st.page_link(
                "pages/curves.py",
                label=_("Its curves"),
                icon=":material/show_chart:",
                query_params={"runs": trial.run_id},
            )
        if trial.state == "finished":
            st.page_link(
                "pages/classes.py",
                label=_("Its classes"),
                icon=":material/category:",
                query_params={"run": trial.run_id},
            )
    if record.sweep.folds is not None:
        st.caption(
            _("A fold's run has learned from sketches that are the test of other runs.")
        )
    elif trial.state == "finished" and is_owner():
        show_promotion(record, trial)


def show_promotion(record: SweepRecord, trial: TrialRecord) -> None:
    """Lets the owner copy a trial's run under a name of its own."""
    kept = st.session_state.pop("sweeps_kept", None)
    name = free_name(f"{record.sweep.name}-best")
    # Another proposal is another field, or it would keep the last one's words.
    key = f"sweeps_name {name}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(_("Keep it as the run"), name, key=key, max_chars=80, width=320)
        st.button(
            _("Keep"),
            icon=":material/bookmark_add:",
            key="sweeps_keep",
            on_click=keep,
            args=(trial.run_id, key),
            help=_("Copies the trial's run under this name; the sweep stays whole"),
        )
    if isinstance(kept, SketchScopeError):
        st.error(told(str(kept)), icon=":material/error:")
    elif kept:
        st.success(
            _("Kept as {run}.").format(run=plain(kept)),
            icon=":material/bookmark_added:",
        )
        st.page_link(
            "pages/draw.py",
            label=_("Draw for it"),
            icon=":material/draw:",
            query_params={"run": kept},
        )


def keep(run_id: str, key: str) -> None:
    """Copies a trial's run under the name that was entered."""
    name = st.session_state[key].strip()
    try:
        promote(runs_dir(data_dir()) / run_id, name, data_dir=data_dir())
    except SketchScopeError as error:
        st.session_state["sweeps_kept"] = error
    else:
        st.session_state["sweeps_kept"] = name
        reads.look_again()


def free_name(wish: str) -> str:
    """Returns a name that no run has."""
    taken = {run.run_id for run in reads.runs()}
    names = [wish, *(f"{wish}-{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def trial_rows(record: SweepRecord) -> list[dict[str, Any]]:
    """Returns every trial as a table row, the best on validation first."""
    fields = varied(record)
    rows: list[dict[str, Any]] = [
        {
            "Run": trial.run_id,
            "State": trial.state,
            **{
                field: value_text(field, values[number])
                for field, values in fields.items()
            },
            "Epoch": trial.epoch,
            "Validation top-1": percent(trial.val_top1),
            "Test top-1": percent(trial.top1),
        }
        for number, trial in enumerate(record.trials)
    ]
    order = sorted(
        range(len(rows)), key=lambda number: -(record.trials[number].val_top1 or 0.0)
    )
    return [rows[number] for number in order]


def percent(share: float | None) -> float | None:
    """Returns a share in percent."""
    return None if share is None else round(POINTS * share, 2)


def show_table(record: SweepRecord) -> None:
    """Shows all trials; a chosen row opens one."""
    rows = trial_rows(record)
    st.subheader(_("All trials"))

    def picked() -> None:
        selected = st.session_state["sweeps_table"].selection.rows
        if selected:
            choose(rows[selected[0]]["Run"])

    formats = {
        name: st.column_config.NumberColumn(_(name), format="%.1f%%")
        for name in ("Validation top-1", "Test top-1")
    }
    st.dataframe(
        [row | {"State": _(row["State"])} for row in rows],
        hide_index=True,
        column_config={
            "Run": _("Run"),
            "State": _("State"),
            "Epoch": _("Epoch"),
            **{field: field_title(field, words()) for field in varied(record)},
            **formats,
        },
        placeholder="–",
        on_select=picked,
        selection_mode="single-row",
        key="sweeps_table",
        alt=_("All trials, the best on validation first; choose a line to open one"),
    )
    st.download_button(
        _("Trials as CSV"),
        to_csv(rows),
        file_name=f"{record.sweep.name}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def show_pooled(pooled: list[Pooled]) -> None:
    """Shows what the folds say together."""
    st.subheader(_("Folds taken together"))
    for group in pooled:
        low, high = group.interval
        st.markdown(
            _(
                "**{top1:.1%}** of {n:,} sketches named right by runs that had not "
                "learned them (95 % interval {low:.1f}–{high:.1f} %; {done} of {k} "
                "folds). {settings}"
            ).format(
                top1=group.top1,
                n=group.n,
                low=POINTS * low,
                high=POINTS * high,
                done=len(group.folds),
                k=group.k,
                settings=plain(pooled_words(group, words())),
            )
        )


@st.cache_resource(max_entries=8, show_spinner=False)
def _pooled(_record: SweepRecord, name: str, finished: tuple[str, ...]) -> list[Pooled]:
    del name, finished  # The key.
    return pool_sweep(_record, data_dir=data_dir())


def show(name: str, interval: float | None) -> None:
    """Shows a sweep as it is now."""
    record = reads.sweep(name)
    if record is None or interval != interval_of(record):
        st.rerun()
    assert record is not None
    if not record.trials:
        st.info(_("This sweep has no trials yet."))
        return
    found = importances_of(record)
    st.markdown(sweep_words(record, found, words()))
    if record.sweep.folds is not None:
        finished = [t.run_id for t in record.trials if t.state == "finished"]
        if pooled := _pooled(record, name, tuple(finished)):
            show_pooled(pooled)
    trial = chosen_trial(record)
    show_lines(record, trial.run_id)
    by_id = {run.run_id: run for run in reads.runs()}
    runs = [by_id[t.run_id] for t in record.trials if t.run_id in by_id]
    left, right = st.columns(2, gap="large")
    with left:
        show_curves(record, runs, trial.run_id)
    with right:
        show_importances(found)
    show_trial(record, trial)
    show_table(record)


def interval_of(record: SweepRecord | None) -> float | None:
    """Returns after how many seconds to look again; None once all has ended."""
    if record is None:
        return WAITING_INTERVAL_S
    if is_under_way(record):
        return LIVE_INTERVAL_S
    failed = sum(trial.state == "failed" for trial in record.trials)
    return WAITING_INTERVAL_S if record.ended + failed < record.total else None


require_frame()
st.title(_("Sweeps"))
records, problems = reads.sweeps()
for problem in problems:
    st.warning(told(problem), icon=":material/warning:")
if records:
    name = pick_sweep(records)
    interval = interval_of(reads.sweep(name))
    st.fragment(show, run_every=interval)(name, interval)
    with st.expander(_("How to begin a sweep")):
        show_beginning()
else:
    st.info(
        _(
            "There is no sweep yet. A sweep trains many runs that differ in a few "
            "fields, here or on a cluster, and shows what mattered."
        ),
        icon=":material/tune:",
    )
    show_beginning()

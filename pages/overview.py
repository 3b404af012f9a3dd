"""Overview: what this is, how well the networks do, and all runs."""

import streamlit as st

from core.analysis.overview import (
    REFERENCES,
    against_people,
    best_of_each_network,
    run_rows,
)
from core.language import noop as N_
from core.language import plain
from core.runs.status import ACTIVE_STATES
from pages.shared import reads
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.told import told

PERCENT_COLUMNS = (
    N_("Test top-1"),
    N_("Test top-5"),
    N_("Best validation top-1"),
)
PHASES = {
    "starting": N_("{run}: starting, epoch {epoch} of {epochs}"),
    "training": N_("{run}: training, epoch {epoch} of {epochs}"),
    "validating": N_("{run}: validating, epoch {epoch} of {epochs}"),
    "evaluating": N_("{run}: evaluating, epoch {epoch} of {epochs}"),
}
AGAINST_PEOPLE = {
    "below": N_("People still recognise more."),
    "alike": N_("Between it and people the figures show no difference."),
    "above": N_("People recognise fewer."),
}

require_frame()
st.title("SketchScope")
st.write(
    _(
        "Two neural networks learn to recognise hand-drawn sketches: *Simple*, with "
        "three convolutions, and *ResNet-18*. Train them, watch them learn, and find "
        "out which drawings they get wrong, and why. Or draw something yourself and "
        "let them guess."
    )
)

runs = reads.runs()
cards = best_of_each_network(runs)
if cards:
    for column, card in zip(st.columns(len(cards)), cards, strict=True):
        with column.container(border=True, height="stretch"):
            st.subheader(card.title)
            st.metric(_("Top-1 accuracy"), f"{card.top1:.1%}")
            st.caption(
                _(
                    "95 % interval {low:.1%} to {high:.1%}, from {n:,} test sketches"
                ).format(low=card.low, high=card.high, n=card.n)
                + "  \n"
                + _(
                    "Top-5 {top5:.1%} · {classes} classes of {dataset} · {million:.1f} "
                    "million parameters · trained for {minutes:.0f} minutes"
                ).format(
                    top5=card.top5,
                    classes=card.num_classes,
                    dataset=plain(card.dataset),
                    million=card.num_parameters / 1e6,
                    minutes=card.trained_s / 60,
                )
            )
            with st.container(horizontal=True):
                query = {"run": card.run_id}
                st.page_link(
                    "pages/confusion.py",
                    label=_("What it confuses"),
                    icon=":material/grid_on:",
                    query_params=query,
                )
                st.page_link(
                    "pages/classes.py",
                    label=_("Best and worst classes"),
                    icon=":material/category:",
                    query_params=query,
                )
    best = max(cards, key=lambda card: card.top1)
    rest = [card for card in cards if card is not best]
    sentences = [
        _("{network} recognises {right:,} of {n:,} test sketches.").format(
            network=best.title, right=round(best.top1 * best.n), n=best.n
        )
    ]
    if rest and rest[0].n == best.n and rest[0].dataset == best.dataset:
        sentences.append(
            _("That is {more:,} more than {other}.").format(
                more=round(best.top1 * best.n) - round(rest[0].top1 * best.n),
                other=rest[0].title,
            )
        )
    if best.is_tu_berlin:
        sentences.append(_(AGAINST_PEOPLE[against_people(best)]))
    st.write(" ".join(sentences))
st.caption(
    _("To compare, top-1 accuracy on TU-Berlin sketches: {figures}").format(
        figures=" · ".join(
            f"{_(name)} {100 * top1:g} %" for name, top1 in REFERENCES.items()
        )
    )
)
st.page_link(
    "pages/draw.py",
    label=_("Draw something and see both networks guess"),
    icon=":material/draw:",
)

st.header(_("Runs"))


@st.fragment(run_every=2.0)
def show_active() -> None:
    """Tells of what runs now, and redraws the page when that changes."""
    active = [run for run in reads.runs() if run.state in ACTIVE_STATES]
    for run in active:
        done = run.status.epoch + run.status.step / max(run.status.steps_per_epoch, 1)
        words = (
            _("{run} waits for its turn")
            if run.state == "queued"
            else _(PHASES[run.status.phase])
        )
        text = words.format(
            run=run.run_id,
            epoch=min(run.status.epoch + 1, run.status.epochs),
            epochs=run.status.epochs,
        )
        st.progress(min(done / max(run.status.epochs, 1), 1.0), text=text)
        st.page_link(
            "pages/train.py",
            label=_("Watch it"),
            icon=":material/visibility:",
            query_params={"run": run.run_id},
        )
    if {run.run_id for run in active} != shown_active:
        st.rerun()


shown_active = {run.run_id for run in runs if run.state in ACTIVE_STATES}
if shown_active:
    show_active()
if runs:
    rows = [
        row
        | {
            "State": _(row["State"]),
            "Remark": told(row["Remark"]),
            "Epoch": _("{done} of {total}").format(
                done=row["Epoch"], total=row["Epochs"]
            ),
        }
        for row in run_rows(runs)
    ]
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Run": _("Run"),
            "State": _("State"),
            "Network": _("Network"),
            "Dataset": _("Dataset"),
            "Recipe": _("Recipe"),
            "Epoch": _("Epoch"),
            "Epochs": None,
            "Best epoch": _("Best epoch"),
            "Remark": _("Remark"),
        }
        | {
            name: st.column_config.NumberColumn(_(name), format="%.1f%%")
            for name in PERCENT_COLUMNS
        },
        placeholder="–",
        alt=_("All runs with their state, settings and figures"),
    )
    if not shown_active:
        st.caption(_("Nothing is being trained at the moment."))
else:
    st.info(
        _(
            "There are no runs yet. Draw a small dataset and train a network on it; it "
            "takes about two minutes."
        ),
        icon=":material/school:",
    )
    st.page_link("pages/train.py", label=_("Train"), icon=":material/school:")

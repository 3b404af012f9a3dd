"""The sketches behind one cell of the confusion matrix."""

import streamlit as st

from core.analysis.confusions import sketches_of_cell, top_confusions
from core.language import plain
from core.runs.evaluation import Evaluation
from core.runs.reading import Run
from pages.shared.language import gettext as _
from pages.shared.language import thing
from pages.shared.pickers import pick_class
from pages.shared.sets import Part, with_set
from pages.shared.sketches import show_test_sketches


def show_cell(
    run: Run,
    evaluation: Evaluation,
    other: Run | None,
    *,
    part: Part,
) -> None:
    """Shows the sketches behind one cell, in one run or two, of all or of a set."""
    names = evaluation.class_names
    st.subheader(_("Sketches behind a cell"))
    drawn_column, guess_column = st.columns(2)
    any_class = _("Choose a class")
    with drawn_column:
        drawn = pick_class(_("Drawn"), names, key="drawn", placeholder=any_class)
    with guess_column:
        guess = pick_class(_("Taken for"), names, key="guess", placeholder=any_class)
    if drawn is None or guess is None:
        pairs = top_confusions(evaluation.confusion, limit=1)
        words = [
            _(
                "Click a cell or a line of the list, or choose two classes here, to "
                "see the sketches and what the network thought of each."
            )
        ]
        if pairs:
            words.append(_("Shown now: the most frequent confusion."))
        st.caption(" ".join(words))
        if not pairs:
            return
        drawn = evaluation.class_names[pairs[0].true]
        guess = evaluation.class_names[pairs[0].predicted]
    true = evaluation.class_names.index(drawn)
    predicted = evaluation.class_names.index(guess)
    for number, shown in enumerate([run] if other is None else [run, other]):
        scored = part.evaluation(shown)
        rows = sketches_of_cell(scored, true, predicted)
        total = int((scored.y_true == true).sum())
        sentence = (
            _("**{count} of {total}** sketches of {drawn} recognised by {run}")
            if drawn == guess
            else _(
                "**{count} of {total}** sketches of {drawn} taken for {guess} by {run}"
            )
        )
        st.markdown(
            sentence.format(
                count=len(rows),
                total=total,
                drawn=plain(thing(drawn)),
                guess=plain(thing(guess)),
                run=plain(shown.run_id),
            )
        )
        show_test_sketches(shown, scored, rows, key=f"cell_{number}")
    with st.container(horizontal=True):
        for name in dict.fromkeys((drawn, guess)):
            st.page_link(
                "pages/classes.py",
                label=_("All of {name}").format(name=plain(thing(name))),
                icon=":material/category:",
                query_params=with_set({"run": run.run_id, "class": name}),
            )

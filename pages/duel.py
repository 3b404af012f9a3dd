"""Duel: ten test sketches that the visitor and the networks name."""

import streamlit as st

from pages.parts.duel.game import opponents, show_duel
from pages.parts.duel.people import show_people
from pages.shared.attribution import show_attribution
from pages.shared.frame import require_frame
from pages.shared.language import gettext as _
from pages.shared.pickers import evaluated_runs, no_evaluation_yet
from pages.shared.sketches import offer_dataset, sketch_dataset

require_frame()
st.title(_("Duel"))
candidates = evaluated_runs()
runs = opponents(candidates)
if not candidates:
    no_evaluation_yet()
elif not runs:
    st.write(_("Name ten drawings, and see whether you beat the networks."))
    offer_dataset(candidates[0])
else:
    dataset = sketch_dataset(runs[0])
    if dataset is not None:
        show_duel(runs, dataset)
        show_attribution(dataset)
    show_people(runs)

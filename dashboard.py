"""The dashboard: `streamlit run dashboard.py`."""

from pathlib import Path

import streamlit as st

from core.errors import SketchScopeError
from core.language import noop as N_
from pages.shared.chart import load_plotly
from pages.shared.frame import frame, settle
from pages.shared.language import choose_language
from pages.shared.language import gettext as _
from pages.shared.owner import show_login
from pages.shared.told import told

# A picture of our own: an icon's name would be fetched from another host.
ICON = Path(__file__).parent / "pages" / "icon.png"
SCREENS = {
    "overview": (N_("Overview"), ":material/home:"),
    "dataset": (N_("Dataset"), ":material/photo_library:"),
    "train": (N_("Train"), ":material/school:"),
    "curves": (N_("Curves"), ":material/show_chart:"),
    "sweeps": (N_("Sweeps"), ":material/tune:"),
    "confusion": (N_("Confusion"), ":material/grid_on:"),
    "classes": (N_("Classes"), ":material/category:"),
    "failures": (N_("Failures"), ":material/rule:"),
    "map": (N_("Map"), ":material/scatter_plot:"),
    "compare": (N_("Compare"), ":material/compare:"),
    "families": (N_("Families"), ":material/account_tree:"),
    "trust": (N_("Trust"), ":material/verified:"),
    "draw": (N_("Draw"), ":material/draw:"),
}

# Before the pages are named: else the browser asks another host for their icons.
st.set_page_config(page_icon=ICON, layout="wide")
page = st.navigation(
    [
        st.Page(
            f"pages/{name}.py",
            title=_(title),
            icon=icon,
            url_path=name,
            default=name == "overview",
        )
        for name, (title, icon) in SCREENS.items()
    ],
    position="top",
)
st.set_page_config(
    page_title="SketchScope" if page.url_path == "" else f"{page.title} · SketchScope"
)
# Before the page, which may end early: a widget that isn't drawn forgets its choice.
choose_language()
body = st.container()
# While the page is made. On Draw the first guess does not wait for a library that only
# its replay uses.
load_plotly(at_once=page.url_path != "draw")
with body:
    try:
        with frame():
            page.run()
    except SketchScopeError as error:
        st.error(told(str(error)), icon=":material/error:")
    show_login()
settle(page.url_path)

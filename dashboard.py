"""The dashboard: `streamlit run dashboard.py`."""

from pathlib import Path

import streamlit as st

from core.errors import SketchScopeError
from pages.shared.chart import load_plotly
from pages.shared.frame import frame, settle

# A picture of our own: an icon's name would be fetched from another host.
ICON = Path(__file__).parent / "pages" / "icon.png"
SCREENS = {
    "overview": ("Overview", ":material/home:"),
    "dataset": ("Dataset", ":material/photo_library:"),
    "train": ("Train", ":material/school:"),
    "curves": ("Curves", ":material/show_chart:"),
    "confusion": ("Confusion", ":material/grid_on:"),
    "classes": ("Classes", ":material/category:"),
    "draw": ("Draw", ":material/draw:"),
}

# Before the pages are named: else the browser asks another host for their icons.
st.set_page_config(page_icon=ICON, layout="wide")
page = st.navigation(
    [
        st.Page(
            f"pages/{name}.py",
            title=title,
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
try:
    with frame():
        page.run()
except SketchScopeError as error:
    st.error(str(error), icon=":material/error:")
# On Draw the first guess does not wait for a library that only its replay uses.
load_plotly(at_once=page.url_path != "draw")
settle(page.url_path)

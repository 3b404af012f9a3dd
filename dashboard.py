"""The dashboard: `streamlit run dashboard.py`.

Streamlit's server imports this module for `app`, and runs it as a script for a page.
"""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from streamlit.navigation.page import Page
from streamlit.starlette import App

from core.errors import SketchScopeError
from core.language import noop as N_
from pages.shared.frame import frame, settle
from pages.shared.guard import Guard
from pages.shared.header import place_in_menu, show_header
from pages.shared.language import gettext as _
from pages.shared.language import name_language, say
from pages.shared.library import library_route
from pages.shared.owner import show_login

# A picture of our own: an icon's name would be fetched from another host.
ICON = Path(__file__).parent / "pages" / "icon.png"
MAKE, RESULTS, JUDGE = N_("Data & training"), N_("Results"), N_("Judge")
SCREENS = {
    "home": (N_("Home"), ":material/home:", ""),
    "draw": (N_("Draw"), ":material/draw:", ""),
    "dataset": (N_("Dataset"), ":material/photo_library:", MAKE),
    "labels": (N_("Labels"), ":material/label:", MAKE),
    "train": (N_("Train"), ":material/school:", MAKE),
    "curves": (N_("Curves"), ":material/show_chart:", MAKE),
    "sweeps": (N_("Sweeps"), ":material/tune:", MAKE),
    "runs": (N_("Runs"), ":material/list_alt:", MAKE),
    "classes": (N_("Classes"), ":material/category:", RESULTS),
    "confusion": (N_("Confusion"), ":material/grid_on:", RESULTS),
    "failures": (N_("Failures"), ":material/rule:", RESULTS),
    "map": (N_("Map"), ":material/scatter_plot:", RESULTS),
    "families": (N_("Families"), ":material/account_tree:", RESULTS),
    "compare": (N_("Compare"), ":material/compare:", JUDGE),
    "trust": (N_("Trust"), ":material/verified:", JUDGE),
    "inside": (N_("Inside"), ":material/layers:", JUDGE),
    "duel": (N_("Duel"), ":material/swords:", JUDGE),
}
"""Each screen's title, icon and section of the menu; "" stands in the menu itself."""


def show() -> None:
    """Shows the page that is asked for, in its frame."""
    # Before the pages are named: else the browser asks another host for their icons.
    st.set_page_config(page_icon=ICON, layout="wide")
    sections: dict[str, list[Page]] = {}
    for name, (title, icon, section) in SCREENS.items():
        sections.setdefault(_(section), []).append(
            st.Page(
                f"pages/{name}.py",
                title=_(title),
                icon=icon,
                url_path=name,
                default=name == "home",
            )
        )
    page = st.navigation(sections, position="top")
    st.set_page_config(
        page_title="SketchScope"
        if page.url_path == ""
        else f"{page.title} · SketchScope"
    )
    # Before the page, which may end early: a widget that isn't drawn forgets its
    # choice.
    header = show_header(page.url_path, place_in_menu(sections, page))
    body = st.container()
    with header:
        name_language()
    with body:
        try:
            with frame():
                page.run()
        except SketchScopeError as error:
            st.error(say(error), icon=":material/error:")
        show_login()
    settle(page.url_path)


if __name__ == "__main__":
    show()
else:
    app = App(__file__, routes=[library_route()], middleware=[Middleware(Guard)])

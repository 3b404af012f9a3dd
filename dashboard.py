"""The dashboard: `streamlit run dashboard.py`."""

from pathlib import Path

import streamlit as st

# A picture of our own: an icon's name would be fetched from another host.
ICON = Path(__file__).parent / "pages" / "icon.png"

st.set_page_config(page_title="SketchScope", page_icon=ICON, layout="wide")
st.navigation(
    [
        st.Page(
            "pages/screens/overview.py",
            title="Overview",
            icon=":material/home:",
            default=True,
        ),
    ]
).run()

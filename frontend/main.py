"""The pages' entry: runs at every interaction, gives the session its client and picks the page."""

from pathlib import Path

import httpx
import streamlit as st

from frontend.settings import Settings
from frontend.ui import current_user as pages
from frontend.ui.current_user import who
from frontend.ui.session import API_KEY


@st.cache_resource
def shared_client() -> httpx.Client:
    """One pool of connections to the API for all sessions."""
    timeout = httpx.Timeout(15.0, connect=3.0)
    url = Settings.from_environment().api_url
    return httpx.Client(base_url=url, timeout=timeout, trust_env=False)


here = Path(__file__).parent
st.set_page_config(page_title="Lossboard", page_icon=str(here / "mark.svg"), layout="wide")
st.logo(str(here / "logo.svg"), size="large")
st.html(here / "page.css")
if API_KEY not in st.session_state:
    st.session_state[API_KEY] = pages.client_of(shared_client())
pages.require()
if signed_in := pages.person():
    pages.badge(signed_in)
else:
    who(st.session_state[API_KEY])

trail = st.Page("app_pages/trail.py", title="Trail", icon=":material/history:")
st.navigation(
    [
        st.Page(
            "app_pages/comparisons.py",
            title="Comparisons",
            icon=":material/stacked_line_chart:",
            default=True,
        ),
        st.Page("app_pages/compare.py", title="Compare", icon=":material/ssid_chart:"),
        st.Page("app_pages/new.py", title="New comparison", icon=":material/add:"),
        st.Page("app_pages/queue.py", title="Queue", icon=":material/low_priority:"),
        st.Page("app_pages/datasets.py", title="Data", icon=":material/database:"),
        st.Page("app_pages/comparison.py", title="Comparison", visibility="hidden"),
        st.Page("app_pages/method.py", title="Method", icon=":material/menu_book:"),
        *([trail] if signed_in and signed_in.may("admin") else []),
    ],
    position="top",
).run()

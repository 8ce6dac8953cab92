"""The entry page: it runs at every interaction, creates the session's client and picks the page."""

from pathlib import Path

import httpx
import streamlit as st

from frontend.alerts.notices import watch_alerts
from frontend.server.forwarded import proof
from frontend.settings import Settings
from frontend.ui import session, shortcuts


@st.cache_resource
def shared_client() -> httpx.Client:
    """Create the pool of connections to the API that all sessions share."""
    timeout = httpx.Timeout(15.0, connect=3.0)
    settings = Settings.from_environment()
    headers = dict(proof(settings.ui_secret))
    return httpx.Client(
        base_url=settings.api_url, headers=headers, timeout=timeout, trust_env=False
    )


folder = Path(__file__).parent
st.set_page_config(page_title="Lossboard", page_icon=str(folder / "mark.svg"), layout="wide")
st.logo(str(folder / "logo.svg"), size="large")
st.html(folder / "page.css")
if session.API_KEY not in st.session_state:
    st.session_state[session.API_KEY] = session.session_client(shared_client())
session.require_sign_in()
person = session.signed_in_person()
is_admin = person is not None and person.may("admin")
audit_log = st.Page(
    "app_pages/audit_log.py", title="Audit log", icon=":material/history:", url_path="trail"
)
access = st.Page(
    "app_pages/access.py",
    title="Access",
    icon=":material/key:",
    url_path="access",
    visibility="visible" if is_admin else "hidden",
)
shown = st.navigation(
    [
        st.Page(
            "app_pages/comparisons.py",
            title="Comparisons",
            icon=":material/stacked_line_chart:",
            default=True,
        ),
        st.Page("app_pages/compare.py", title="Compare", icon=":material/ssid_chart:"),
        st.Page(
            "app_pages/new_comparison.py",
            title="New comparison",
            icon=":material/add:",
            url_path="new",
        ),
        st.Page("app_pages/queue.py", title="Queue", icon=":material/low_priority:"),
        st.Page("app_pages/alerts.py", title="Alerts", icon=":material/notifications:"),
        st.Page("app_pages/datasets.py", title="Data", icon=":material/database:"),
        st.Page("app_pages/comparison.py", title="Comparison", visibility="hidden"),
        st.Page("app_pages/method.py", title="Method", icon=":material/menu_book:"),
        *([audit_log] if is_admin else []),
        access,
    ],
    position="top",
)
if shown.url_path != access.url_path:
    st.session_state.pop(session.CREATED_TOKEN_KEY, None)
st.set_page_config(page_title=f"{shown.title} · Lossboard")
with st.container(key="lb-who", horizontal=True, width="content", gap="medium"):
    if person:
        session.user_menu(person)
    else:
        session.ask_user_name(st.session_state[session.API_KEY], access)
    shortcuts.shortcuts_button()
watch_alerts()
shown.run()

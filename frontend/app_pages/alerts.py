"""Alerts of all comparisons: notices of this browser, webhooks and their deliveries."""

import streamlit as st

from frontend.alerts.receivers import show_alerts
from frontend.errors import ApiError
from frontend.ui.session import api
from frontend.ui.text import escape_markdown
from frontend.ui.widgets import retry_button

st.title("Alerts", anchor=False)
st.caption(
    "Be told what happens in all comparisons. For one alone open it, then More, Alerts. Webhooks "
    "of the whole board are for admins."
)
try:
    show_alerts(api())
except ApiError as error:
    with st.container(border=True):
        st.markdown("**The alerts cannot be read now**")
        st.write(escape_markdown(error.message))
        st.caption("What happens meanwhile is kept and sent.")
        retry_button(api(), error, key="alerts_again")

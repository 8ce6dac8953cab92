"""The dialog that saves a comparison's settings as a template."""

from typing import Final

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import Comparison
from frontend.comparison.edit import show_problems
from frontend.errors import ApiError
from frontend.ui.text import escape_markdown

MAX_NAME: Final = 100
MAX_NOTE: Final = 500


def template_form(client: Api, comparison: Comparison) -> bool:
    """Draw the form; return whether the template has just been saved."""
    own = comparison["id"]
    name = st.text_input(
        "Template name",
        comparison["name"][:MAX_NAME],
        max_chars=MAX_NAME,
        key=f"template_name_{own}",
    )
    note = st.text_input(
        "Note", max_chars=MAX_NOTE, placeholder="What it is for", key=f"template_note_{own}"
    )
    st.caption(
        "Everyone on this board can start a comparison from it: data, encoder, training, arms and "
        "seeds are filled in."
    )
    if not st.button(
        "Save template", type="primary", icon=":material/check:", key=f"template_save_{own}"
    ):
        return False
    try:
        spec = client.comparison(own)["spec"]
        made = client.create_template(name, {**spec, "trial": None}, note=note)
    except ApiError as error:
        show_problems(error)
        return False
    st.toast(f"Template “{escape_markdown(made['name'])}” saved. It is on the page New comparison.")
    return True

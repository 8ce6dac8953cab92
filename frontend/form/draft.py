"""What a viewer has typed so far, kept for the session, whatever page is shown."""

from collections.abc import Callable
from typing import Any, Final

import streamlit as st

from frontend.form.from_spec import read_spec
from frontend.form.schema_fields import Form, Problem, place
from frontend.form.to_spec import Values

PREFIX: Final = "new."
"""A widget's key is this and its path in the form."""

_KEY: Final = "new_draft"


class Draft:
    """The form's values and what is wrong with them.

    Streamlit forgets a widget that is not drawn; the values here outlive it and fill it again.
    """

    def __init__(self, form: Form) -> None:
        self.form = form
        self.values: Values = {}
        self.problems: list[Problem] = []
        self.note = ""
        """Why the last attempt to start it, or to fill it, did not succeed."""
        self.source = ""
        """The address's request by which it was filled last."""
        self.shown: dict[str, str] = {}
        """Title of each field that the page shows, by path."""

    def fill(self, spec: object, source: str = "") -> None:
        """Start anew from a spec."""
        values, problems = read_spec(spec, self.form)
        self.replace(values)
        self.problems = problems
        self.note = "Not all of the spec could be taken over." if problems else ""
        self.source = source

    def replace(self, values: Values) -> None:
        """Take other values; the widgets show them from the next run on."""
        for path in {*self.values, *values}:
            st.session_state.pop(PREFIX + path, None)
        self.values = values

    def choose(self, path: str, value: Any) -> None:
        """Set a field that is drawn later in this run."""
        self.values[path] = value
        st.session_state[PREFIX + path] = value

    def rework(self, change: Callable[[Values], Values]) -> None:
        """Change the values as a whole, keeping what was typed last; for buttons' callbacks."""
        for path in self.values:
            self.values[path] = st.session_state.get(PREFIX + path, self.values[path])
        self.problems = [found for found in self.problems if not found.path.startswith("arms.")]
        self.replace(change(self.values))

    def bind(self, path: str, title: str, default: Any = None) -> str:
        """Prepare the widget of a path; its key."""
        self.shown[path] = title
        key = PREFIX + path
        if key not in st.session_state:
            st.session_state[key] = self.values.setdefault(path, default)
        return key

    def changed(self, path: str) -> None:
        """Take over a field's new value; the problems were those of its former one."""
        if PREFIX + path in st.session_state:  # else a button's rework has taken it just before
            self.values[path] = st.session_state[PREFIX + path]
        self.problems = [found for found in self.problems if place(found, {path}) is None]
        if not self.problems:
            self.note = ""

    def problems_at(self, path: str) -> list[str]:
        """What to say at a field."""
        return [found.message for found in self.problems if place(found, {path})]


def current(form: Form) -> Draft:
    """The session's draft; a new one where there is none."""
    draft = st.session_state.get(_KEY)
    if not isinstance(draft, Draft):
        draft = st.session_state[_KEY] = Draft(form)
    draft.form = form
    draft.shown = {}
    return draft


def discard() -> None:
    """Forget the draft, once it has become a comparison."""
    st.session_state.pop(_KEY, None)

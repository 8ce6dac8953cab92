"""The draft of a new comparison: what the viewer has typed, kept in the session across pages."""

from collections.abc import Callable
from typing import Any, Final

import streamlit as st

from frontend.form.from_spec import read_spec
from frontend.form.preview import PreviewReader
from frontend.form.schema_fields import Form, Problem, problem_field
from frontend.form.to_spec import Values

KEY_PREFIX: Final = "new."
"""The key of a widget is this prefix and the path of its field in the form."""

_KEY: Final = "new_draft"


class Draft:
    """The form's values, and what is wrong with them.

    Streamlit forgets the value of a widget that is not drawn; the values here stay and fill the
    widget when it is drawn again.
    """

    def __init__(self, form: Form) -> None:
        self.form = form
        self.values: Values = {}
        self.problems: list[Problem] = []
        self.note = ""
        """Why the last attempt to start or to fill the draft failed."""
        self.source = ""
        """What the draft was filled from last, as in the address: `preset=digits`."""
        self.before_sweep: list[dict[str, Any]] | None = None
        """All arms as they were before the last sweep was made into arms."""
        self.preview = PreviewReader()
        """What the draft would start."""
        self.shown: dict[str, str] = {}
        """Titles of the fields that the page shows, by path."""

    def fill(self, spec: object, source: str = "") -> None:
        """Replace all values by those of a spec."""
        values, problems = read_spec(spec, self.form)
        self.replace(values)
        self.problems = problems
        self.note = "Some settings of the spec could not be used." if problems else ""
        self.source = source
        self.before_sweep = None

    def replace(self, values: Values) -> None:
        """Replace all values; the widgets show them from the next run on."""
        for path in {*self.values, *values}:
            st.session_state.pop(KEY_PREFIX + path, None)
        self.values = values

    def choose(self, path: str, value: Any) -> None:
        """Set the value of a field that is drawn later in this run."""
        self.values[path] = value
        st.session_state[KEY_PREFIX + path] = value

    def rework(self, change: Callable[[Values], Values]) -> None:
        """Change all values in a button's callback, keeping what was typed just before."""
        for path in self.values:
            self.values[path] = st.session_state.get(KEY_PREFIX + path, self.values[path])
        self.problems = [found for found in self.problems if not found.path.startswith("arms.")]
        self.replace(change(self.values))

    def bind(self, path: str, title: str, default: Any = None) -> str:
        """Prepare the widget of a field. Returns the widget's key."""
        self.shown[path] = title
        key = KEY_PREFIX + path
        if key not in st.session_state:
            st.session_state[key] = self.values.setdefault(path, default)
        return key

    def changed(self, path: str) -> None:
        """Store a field's new value, and drop the problems of its old one."""
        if KEY_PREFIX + path in st.session_state:  # else `rework` has stored it a moment ago
            self.values[path] = st.session_state[KEY_PREFIX + path]
        self.problems = [found for found in self.problems if problem_field(found, {path}) is None]
        if not self.problems:
            self.note = ""

    def problems_at(self, path: str) -> list[str]:
        """Return the messages of the problems to show at a field."""
        return [found.message for found in self.problems if problem_field(found, {path})]


def current_draft(form: Form) -> Draft:
    """Return the session's draft; a new one if there is none."""
    draft = st.session_state.get(_KEY)
    if not isinstance(draft, Draft):
        draft = st.session_state[_KEY] = Draft(form)
    draft.form = form
    draft.shown = {}
    return draft


def discard_draft() -> None:
    """Discard the draft, after it became a comparison."""
    st.session_state.pop(_KEY, None)

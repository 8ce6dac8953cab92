"""The viewer's session: its API client, who is signed in, and what that person may do.

Where the API has tokens, pages need a sign-in, and buttons that need a role are shown disabled with
the reason. Where it has none, the viewer types a name once, by which comparisons are submitted. The
browser keeps the name in a cookie and not in its own storage: a request brings the cookie along, so
that the first page is drawn once, with the name in it.
"""

from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

import httpx
import streamlit as st
from streamlit.navigation.page import StreamlitPage

from frontend.api.client import Api
from frontend.api.transport import Transport
from frontend.server.sessions import COOKIE, Person, sessions
from frontend.ui.address import own_address
from frontend.ui.text import escape_markdown

API_KEY: Final = "api"
"""Where `st.session_state` keeps the session's client."""
_FOLDER: Final = Path(__file__).parent
SIGNED_OUT_KEY: Final = "signin_over"
"""Where `st.session_state` keeps that the API no longer accepts the session's token."""
PERSON_KEY: Final = "signin_person"
CREATED_TOKEN_KEY: Final = "access_created"
"""Where `st.session_state` keeps the name and the secret of a token that was just made, until the
viewer leaves the page that shows it."""

_to_sign_in = st.components.v2.component(
    "lossboard_leave", js=(_FOLDER / "leave.js").read_text(encoding="utf-8")
)
_sign_out = st.components.v2.component(
    "lossboard_sign_out",
    js=(_FOLDER / "sign_out.js").read_text(encoding="utf-8"),
    css=(_FOLDER / "copy_link.css").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def api() -> Api:
    """Return the client that the entry page created.

    Raises:
        KeyError: a page runs without the entry page.
    """
    client = st.session_state[API_KEY]
    if not isinstance(client, Api):
        raise KeyError(API_KEY)
    return client


def session_client(http: httpx.Client) -> Api:
    """Build an API client that calls in the name of the person signed in in this browser."""
    return Api(http, token=_token, on_signed_out=_rerun_signed_out)


def require_sign_in() -> None:
    """Lead a viewer who is not signed in to the sign-in page and stop drawing this one.

    Where the API has no tokens this does nothing.
    """
    cookie = _session_cookie()
    session = sessions().find(cookie)
    if st.session_state.pop(SIGNED_OUT_KEY, False):
        sessions().end(cookie)
        ended = True
    else:
        ended = session is None and (sessions().needed or signed_in_person() is not None)
    st.session_state[PERSON_KEY] = None if ended or session is None else session.person
    if not ended:
        return
    st.caption("Please sign in. You will return to this page.")
    _to_sign_in(key="leave", data={"signin": own_address("/signin")})
    st.stop()


def signed_in_person() -> Person | None:
    """Return who is signed in; None where there is no sign-in."""
    person = st.session_state.get(PERSON_KEY)
    return person if isinstance(person, Person) else None


def role_refusal(role: str) -> str | None:
    """Return why the viewer may not do what needs this role; None if they may."""
    person = signed_in_person()
    if person is None or person.may(role):
        return None
    return f"This needs the role {role}; you are signed in as {person.role}."


def user_menu(found: Person) -> None:
    """Who is signed in, with which role, and the way out."""
    with st.popover(
        escape_markdown(f"{found.name} · {found.role}"),
        icon=":material/person:",
        type="tertiary",
        width="content",
    ):
        st.markdown(f"Signed in as **{escape_markdown(found.name)}**, {found.role}")
        st.caption(ROLE_TEXTS.get(found.role, ""), width=320)
        addresses = {name: own_address(f"/{name}") for name in ("signin", "signout")}
        _sign_out(key="sign_out", width="content", data=addresses)


ROLE_TEXTS: Final = {
    "viewer": "You can view everything but not change it.",
    "editor": "You can submit, change and cancel comparisons; only admins can delete them.",
    "admin": "You can do everything.",
}


def _session_cookie() -> str | None:
    kept = st.context.cookies.get(COOKIE)
    return kept if isinstance(kept, str) else None


def _token() -> str:
    session = sessions().find(_session_cookie())
    return session.token if session else ""


def _rerun_signed_out() -> None:
    """Rerun the page; `require_sign_in` then leads to the sign-in page."""
    st.session_state[SIGNED_OUT_KEY] = True
    st.rerun()


def role_button(
    role: str, label: str, *, disabled: bool = False, help: str | None = None, **more: Any
) -> bool:
    """Draw a button that needs a role, disabled with the reason for viewers without it.

    Args:
        role: the role that is needed.
        label: the button's label.
        disabled: whether it is disabled for another reason.
        help: the tooltip of a button that the viewer may press.
        more: further arguments of `st.button`.
    """
    refusal = role_refusal(role)
    return st.button(label, disabled=disabled or refusal is not None, help=refusal or help, **more)


NAME_COOKIE: Final = "lossboard_user"
MAX_NAME_CHARS: Final = 80
"""The API's limit."""
NAME_KEY: Final = "who_name"  # where the session keeps the name, and its input's key
NAME_CHANGED_KEY: Final = "who_changed"  # whether it was typed in this session

_keep_cookie = st.components.v2.component(
    "lossboard_remember",
    js=(_FOLDER / "remember.js").read_text(encoding="utf-8"),
)


def ask_user_name(client: Transport, access: StreamlitPage) -> None:
    """Ask for the viewer's name in the page's bar; the client sends it with its calls.

    Args:
        client: the session's client.
        access: the page that says how to give each person a token.
    """
    if NAME_KEY not in st.session_state:
        st.session_state[NAME_KEY] = kept_cookie(NAME_COOKIE)[:MAX_NAME_CHARS]
    name = client.user = str(st.session_state[NAME_KEY]).strip()
    label = escape_markdown(name) if name else "Your name"
    with st.popover(label, icon=":material/person:", type="tertiary", width="content"):
        st.text_input(
            "Your name",
            key=NAME_KEY,
            max_chars=MAX_NAME_CHARS,
            placeholder="not set",
            width=320,
            on_change=remember_name,
        )
        st.caption(
            "Shown as author of your submissions. Not a login.",
            width=320,
        )
        st.page_link(access, label="Who has access", width="content")
    if NAME_CHANGED_KEY in st.session_state:
        keep_cookie(NAME_COOKIE, name)


def remember_name() -> None:
    """Keep the name in the browser from now on; without a change nothing is written there."""
    st.session_state[NAME_CHANGED_KEY] = True


def viewer_name() -> str:
    """Return the name under which the API knows the viewer."""
    person = signed_in_person()
    return person.name if person else str(st.session_state.get(NAME_KEY, "")).strip() or LOCAL_NAME


LOCAL_NAME: Final = "local"
"""The API's name for callers who give none."""


def kept_cookie(name: str) -> str:
    """Return what this browser keeps under a name; "" for nothing."""
    changed = st.session_state.get(f"cookie_{name}")
    if isinstance(changed, str):  # since this page was opened
        return changed
    kept = st.context.cookies.get(name)
    return unquote(kept) if isinstance(kept, str) else ""


def keep_cookie(name: str, value: str) -> None:
    """Keep a text in this browser; "" removes it."""
    st.session_state[f"cookie_{name}"] = value
    data = {"name": name, "value": quote(value, safe=""), "path": own_address("") or "/"}
    _keep_cookie(key=f"remember_{name}", data=data)

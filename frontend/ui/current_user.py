"""The pages' side of the sign-in: whose session it is, what they may do, and the way out.

Controls that not everybody may use: there for all to see, and disabled with the reason.

Whose comparisons are: a name that the viewer types once, kept by the browser in a cookie.

A cookie and not the browser's own storage, for a visit brings it along: the first page is drawn
once, with the name in it.
"""

from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

import httpx
import streamlit as st

from frontend.api.client import Api
from frontend.api.transport import Transport
from frontend.server.sessions import COOKIE, Person, sessions
from frontend.ui.text import verbatim

HERE: Final = Path(__file__).parent
OVER: Final = "signin_over"
"""Where the session keeps that the API knows its token no more."""
PERSON: Final = "signin_person"

_leave = st.components.v2.component(
    "lossboard_leave", js=(HERE / "leave.js").read_text(encoding="utf-8")
)
_sign_out = st.components.v2.component(
    "lossboard_sign_out",
    js=(HERE / "sign_out.js").read_text(encoding="utf-8"),
    css=(HERE / "copy_link.css").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def client_of(http: httpx.Client) -> Api:
    """A client that calls in the name of whoever is signed in in this browser."""
    return Api(http, token=_token, on_signed_out=_over)


def require() -> None:
    """Lead to the sign-in page whoever is not signed in; nothing else is drawn then.

    Where the API has no tokens there is nobody to lead there.
    """
    own = _cookie()
    session = sessions().find(own)
    if st.session_state.pop(OVER, False):
        sessions().end(own)
        ended = True
    else:
        ended = session is None and (sessions().needed or person() is not None)
    st.session_state[PERSON] = None if ended or session is None else session.person
    if not ended:
        return
    st.caption("Sign in first. The sign-in page leads back to this view.")
    _leave(key="leave")
    st.stop()


def person() -> Person | None:
    """Who is signed in; None where there is no sign-in."""
    found = st.session_state.get(PERSON)
    return found if isinstance(found, Person) else None


def barred(role: str) -> str | None:
    """Why whoever is signed in may not do what needs a role; None where they may."""
    found = person()
    if found is None or found.may(role):
        return None
    return f"This needs the role {role}; you are signed in as {found.role}."


def badge(found: Person) -> None:
    """Who is signed in, with which role, and the way out."""
    with (
        st.container(key="lb-who", width="content"),
        st.popover(
            verbatim(f"{found.name} · {found.role}"),
            icon=":material/person:",
            type="tertiary",
            width="content",
        ),
    ):
        st.markdown(f"Signed in as **{verbatim(found.name)}**, {found.role}")
        st.caption(MAY.get(found.role, ""), width=320)
        _sign_out(key="sign_out", width="content")


MAY: Final = {
    "viewer": "You see everything and change nothing.",
    "editor": "You submit, change and cancel comparisons; deleting them is for an admin.",
    "admin": "You may do everything.",
}


def _cookie() -> str | None:
    kept = st.context.cookies.get(COOKIE)
    return kept if isinstance(kept, str) else None


def _token() -> str:
    session = sessions().find(_cookie())
    return session.token if session else ""


def _over() -> None:
    """Draw the page again, from where `require` leads on."""
    st.session_state[OVER] = True
    st.rerun()


def needs(
    role: str, label: str, *, disabled: bool = False, help: str | None = None, **more: Any
) -> bool:
    """A button that needs a role; the rest as st.button has it."""
    why = barred(role)
    return st.button(label, disabled=disabled or why is not None, help=why or help, **more)


NAME_COOKIE: Final = "lossboard_user"
MAX_CHARS: Final = 80
"""As many as the API takes."""
NAME: Final = "who_name"  # where the session keeps the name, and its input's key
CHANGED: Final = "who_changed"  # whether it was typed in this session

_component = st.components.v2.component(
    "lossboard_remember",
    js=(Path(__file__).parent / "remember.js").read_text(encoding="utf-8"),
)


def who(client: Transport) -> None:
    """Ask for the name in the page's bar, and let the client's calls carry it."""
    if NAME not in st.session_state:
        kept = st.context.cookies.get(NAME_COOKIE)
        st.session_state[NAME] = unquote(kept)[:MAX_CHARS] if isinstance(kept, str) else ""
    name = client.user = str(st.session_state[NAME]).strip()
    with st.container(key="lb-who", width="content"):
        label = verbatim(name) if name else "Your name"
        with st.popover(label, icon=":material/person:", type="tertiary", width="content"):
            st.text_input(
                "Your name",
                key=NAME,
                max_chars=MAX_CHARS,
                placeholder="not told",
                width=320,
                on_change=changed,
            )
            st.caption(
                "What you submit from this browser goes by it. It tells your team who did "
                "something and protects nothing.",
                width=320,
            )
        if CHANGED in st.session_state:
            _component(key="remember", data={"name": NAME_COOKIE, "value": quote(name, safe="")})


def changed() -> None:
    """From now on this session's name is the browser's; until then nothing is written there."""
    st.session_state[CHANGED] = True

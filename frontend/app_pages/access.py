"""The tokens, the page Access: who may use this Lossboard. For admins; an open board says how to
close it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import AccessToken
from frontend.comparison.tables_html import format_time
from frontend.errors import ApiError
from frontend.ui.session import (
    CREATED_TOKEN_KEY,
    api,
    role_refusal,
    signed_in_person,
)
from frontend.ui.text import escape_markdown, page_count
from frontend.ui.widgets import copy_text_button, current_page, paging_buttons, retry_button

PAGE_SIZE: Final = 20
ADDED_KEY: Final = "access_added"  # number of tokens that were made; each gives an empty form
REFUSED_KEY: Final = "access_refused"  # why the last one was not made
NEVER: Final = "never"
ON_A_DATE: Final = "on a date"
EXPIRY: Final = {NEVER: None, "in 30 days": "30d", "in 90 days": "90d", "in a year": "365d"}
"""What can be chosen -> what the API calls it."""
ROLE_MAY: Final = {
    "viewer": "Can view everything but not change it.",
    "editor": "Also submits, changes and cancels comparisons and uploads data.",
    "admin": "Also deletes, reads the audit log, and creates and revokes tokens.",
}
SOON_DAYS: Final = 14
"""An expiry that is nearer is marked."""
WIDTHS: Final = (3, 2, 2, 2, 1.4)
"""Of the columns: who, created, expires, last used, revoke."""
OVER_SHOWN: Final = 1000


def open_board() -> None:
    """Say that everybody may do everything, and how to change that."""
    with st.container(border=True):
        st.markdown("**This Lossboard is open**")
        st.write(
            "It has no tokens: everybody who reaches it may do everything, also delete. "
            "That is fine as long as nobody else can reach it. To give each person a token:"
        )
        st.markdown("1. Stop it: Ctrl-C where it runs.\n2. Make the first token, for yourself:")
        st.code("python -m launcher token add NAME admin", language=None)
        st.markdown(
            "3. Start it again and sign in with that token. Here you then make those of the others."
        )
        st.caption(
            "Add the `--data-dir` with which it is started, if there is one. A running Lossboard "
            "takes no first token, because whoever came first would own it. "
            "In Docker stop the service `api` and use `docker compose run --rm api python -m "
            "backend.admin token add NAME admin`."
        )


def new_token(client: Api) -> None:
    """Draw the form that makes a token, or the one that was just made."""
    with st.container(border=True):
        st.header("New token", anchor=False)
        if created := st.session_state.get(CREATED_TOKEN_KEY):
            show_created(*created)
            return
        number = st.session_state.setdefault(ADDED_KEY, 0)
        left, middle, right = st.columns([3, 3, 2])
        name = left.text_input(
            "Name",
            max_chars=80,
            placeholder="a person or a program",
            help="What they submit goes by it.",
            key=f"access_name_{number}",
        ).strip()
        role = middle.segmented_control(
            "Role", list(ROLE_MAY), default="editor", required=True, key=f"access_role_{number}"
        )
        choice = right.selectbox("Expires", [*EXPIRY, ON_A_DATE], key=f"access_expiry_{number}")
        expires = EXPIRY.get(choice)
        today = datetime.now(UTC).date()
        if choice == ON_A_DATE:
            chosen = right.date_input(
                "At the end of (UTC)",
                today + timedelta(days=7),
                min_value=today,
                key=f"access_date_{number}",
            )
            expires = chosen.isoformat() if isinstance(chosen, date) else None
        middle.caption(ROLE_MAY[role])
        if st.button("Create token", type="primary", icon=":material/key:", key="access_add"):
            make(client, name, role, expires)
        if refused := st.session_state.get(REFUSED_KEY):
            st.error(refused, icon=":material/block:")


def make(client: Api, name: str, role: str, expires: str | None) -> None:
    """Make a token, or keep why it was refused."""
    st.session_state.pop(REFUSED_KEY, None)
    if not name:
        st.session_state[REFUSED_KEY] = "Enter a name: whose token is it?"
        return
    try:
        made = client.add_token(name, role, expires=expires)
    except ApiError as error:
        problems = "".join(f"  \n{field.path} {field.message}" for field in error.fields)
        st.session_state[REFUSED_KEY] = f"Not created: {escape_markdown(error.message)}" + problems
    else:
        st.session_state[CREATED_TOKEN_KEY] = (name, made["secret"])
        st.session_state[ADDED_KEY] += 1
        st.rerun()


def show_created(name: str, secret: str) -> None:
    """Show the secret of a token that was just made."""
    st.markdown(
        f"The token of **{escape_markdown(name)}**, to sign in with. It is shown only once and not "
        "stored: pass it on by a private channel."
    )
    st.code(secret, language=None)
    with st.container(horizontal=True, gap="small"):
        copy_text_button(secret, "Copy the token", key="access_copy")
        if st.button("Done", type="primary", key="access_done"):
            del st.session_state[CREATED_TOKEN_KEY]
            st.rerun()


def show_active(client: Api, tokens: Sequence[AccessToken]) -> None:
    """Draw the tokens that are accepted, a row each."""
    st.header("Who has access", anchor=False)
    if not tokens:
        st.caption("Nobody yet: there is no valid token.")
        return
    last = page_count(len(tokens), PAGE_SIZE)
    page = min(current_page(), last)
    for place, title in zip(
        st.columns(WIDTHS), ("Name", "Created", "Expires", "Last used"), strict=False
    ):
        place.caption(title)
    for token in tokens[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]:
        row(client, token, tokens)
    if last > 1:
        text = f"page {page} of {last}, {len(tokens):,} tokens"
        paging_buttons(page, last, text, back="Previous", on="Next", key="access")


def row(client: Api, token: AccessToken, active: Sequence[AccessToken]) -> None:
    """Draw one token with the button that revokes it."""
    who, created, expires, used, action = st.columns(WIDTHS, vertical_alignment="center")
    own = is_own(token)
    badge = f" :gray-badge[{token['role']}]" + (" :blue-badge[you]" if own else "")
    who.markdown(f"**{escape_markdown(token['name'])}**{badge}")
    if token["source"] == "environment":
        created.caption("in LOSSBOARD_TOKENS")
        expires.caption("never")
    else:
        created.caption(f"{day(token['created_at'])}  \nby {escape_markdown(token['created_by'])}")
        expires.caption(expiry(token["expires_at"]))
    used.caption(format_time(token["last_used_at"]) if token["last_used_at"] else "not yet")
    if token["source"] == "environment":
        action.button(
            "Revoke",
            disabled=True,
            help="Take its entry out of LOSSBOARD_TOKENS and start the API again.",
            key=f"access_fixed_{token['name']}",
        )
        return
    with action.popover("Revoke", key=f"access_ask_{token['name']}"):
        revoke_form(client, token, own=own, last=is_last_admin(token, active))


def revoke_form(client: Api, token: AccessToken, *, own: bool, last: bool) -> None:
    """Draw what revoking a token means, and the button that does it."""
    name = escape_markdown(token["name"])
    st.write(
        f"The token of **{name}** is refused from the next call on, and its sign-ins end. "
        "This cannot be undone; the name can be given a new token."
    )
    if last:
        st.warning(
            "It is the last admin's. Without one nobody can add or revoke tokens, delete, or read "
            "the audit log, until this Lossboard is stopped and `python -m launcher token add NAME "
            "admin` adds one."
        )
    if own:
        st.write("It is your own: you are signed out.")
    label = "Revoke the last admin's token" if last else "Revoke it"
    if st.button(label, type="primary", key=f"access_revoke_{token['name']}"):
        try:
            client.revoke_token(token["name"], last_admin=last)
        except ApiError as error:
            st.error(f"Not revoked: {escape_markdown(error.message)}")
        else:
            st.toast(f"The token of {name} is revoked.")
            st.rerun()


def show_over(tokens: Sequence[AccessToken]) -> None:
    """List the tokens that are expired or revoked."""
    if not tokens:
        return
    shown = list(reversed(tokens))[:OVER_SHOWN]
    with st.expander(f"Expired and revoked: {len(tokens):,}"):
        st.dataframe(
            {
                "Name": [token["name"] for token in shown],
                "Role": [token["role"] for token in shown],
                "State": [over_text(token) for token in shown],
                "Created": [day(token["created_at"]) for token in shown],
                "Last used": [
                    format_time(token["last_used_at"]) if token["last_used_at"] else ""
                    for token in shown
                ],
            },
            hide_index=True,
            width="stretch",
            key="access_over",
        )


def over_text(token: AccessToken) -> str:
    """Return when and how a token ended."""
    if token["state"] == "expired" and token["expires_at"]:
        return f"expired {format_time(token['expires_at'])}"
    if token["revoked_at"]:
        return f"revoked {format_time(token['revoked_at'])} by {token['revoked_by']}"
    return token["state"]


def expiry(moment: str | None) -> str:
    """Return when a token expires, marked if that is soon."""
    if moment is None:
        return "never"
    days = (datetime.fromisoformat(moment) - datetime.now(UTC)).days
    if days >= SOON_DAYS:
        return day(moment)
    left = "today" if days < 1 else f"in {days} day{'s' if days > 1 else ''}"
    return f"{day(moment)} :orange-badge[{left}]"


def day(moment: str | None) -> str:
    """Return the date of a time."""
    return "" if moment is None else f"{datetime.fromisoformat(moment):%Y-%m-%d}"


def is_own(token: AccessToken) -> bool:
    """Return whether the viewer is signed in with this token."""
    person = signed_in_person()
    return person is not None and person.name == token["name"]


def is_last_admin(token: AccessToken, active: Sequence[AccessToken]) -> bool:
    """Return whether no other token of an admin is accepted."""
    admins = [one["name"] for one in active if one["role"] == "admin"]
    return admins == [token["name"]]


def show_page(client: Api) -> None:
    """Draw the page for an admin."""
    with st.spinner("Reading the tokens …"):
        found = client.tokens()
    if found["open"]:
        open_board()
        return
    new_token(client)
    show_active(client, [one for one in found["tokens"] if one["state"] == "active"])
    show_over([one for one in found["tokens"] if one["state"] != "active"])


def show_error(error: ApiError) -> None:
    """Say why the page shows nothing, and that nothing has changed."""
    with st.container(border=True):
        st.markdown("**The tokens cannot be shown now**")
        st.write(error.message)
        st.caption("No token was changed.")
        retry_button(api(), error, key="access_again")


st.title("Access", anchor=False)
st.caption("Who has access, with which role. Times are UTC.")
if refusal := role_refusal("admin"):
    st.info(refusal)
else:
    try:
        show_page(api())
    except ApiError as failure:
        show_error(failure)

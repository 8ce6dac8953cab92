"""Where alerts are sent, and what became of each, for the dialog and for the page."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Final

import streamlit as st

from frontend.alerts.notices import notice_button
from frontend.api.client import Api
from frontend.api.types import CreatedReceiver, Delivery, Receiver, ReceiverList
from frontend.errors import ApiError
from frontend.ui.address import own_address
from frontend.ui.session import role_button, role_refusal
from frontend.ui.text import escape_markdown
from frontend.ui.widgets import copy_text_button

TYPE_TEXTS: Final = {
    "comparison.ended": "comparison ended",
    "run.failed": "run failed",
    "run.diverged": "run diverged",
    "arm.collapsed": "arm collapsed",
    "arm.below_backbone": "arm below its backbone",
    "arm.below_untrained": "arm below its untrained network",
    "test": "test",
}
STATE_TEXTS: Final = {
    "pending": ("◌ waiting", ""),
    "delivered": ("✓ delivered", ""),
    "given_up": ("✕ given up", "lb-marked"),
}
"""State of a delivery -> sign and word, and the class of its text."""
SHOWN: Final = 10
READ_EVERY_S: Final = 2.0
CREATED_KEY: Final = "alerts_created"
"""Where the session keeps (comparison, answer) of a receiver that was just made."""
REFUSED_KEY: Final = "alerts_refused"
"""Where the session keeps why the last retry was refused."""
ADDED_KEY: Final = "alerts_added"
"""Number of receivers that were made; each gives an empty form."""


def show_alerts(client: Api, comparison: str | None = None) -> None:
    """Draw notices, webhooks and the last deliveries of a comparison, or of the board."""
    place = comparison or "board"
    st.header("In this browser", anchor=False)
    notice_button(comparison or "", key=f"alerts_notices_{place}")
    what = "this comparison" if comparison else "any comparison"
    st.caption(
        f"A notice when {what} ends, a run fails or diverges, or an arm collapses or falls below "
        "its backbone, while a page of Lossboard is open."
    )
    found = client.alert_receivers(comparison)
    st.header("Webhooks", anchor=False)
    if not found["enabled"]:
        _show_off(found)
    for one in found["receivers"]:
        _receiver(client, one, comparison)
    if found["enabled"]:
        if not found["receivers"]:
            st.caption("None yet: nothing is sent anywhere.")
        _new_receiver(client, found, comparison)
    if found["receivers"]:
        _deliveries(client, comparison)


def _show_off(found: ReceiverList) -> None:
    kept = "Nothing is sent any more. " if found["receivers"] else ""
    st.info(
        f"{kept}Webhooks are off: no host is allowed yet. An admin allows hosts with "
        "`LOSSBOARD_ALERT_HOSTS`, for example `LOSSBOARD_ALERT_HOSTS=hooks.slack.com`, and starts "
        "the API again.",
        icon=":material/notifications_off:",
    )


def _role(comparison: str | None) -> str:
    return "admin" if comparison is None else "editor"


def _receiver(client: Api, one: Receiver, comparison: str | None) -> None:
    """Draw one receiver with its buttons."""
    own, role = one["id"], _role(comparison)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            with st.container(gap=None):
                st.markdown(f"**{escape_markdown(one['name'])}**")
                st.caption(escape_markdown(f"{one['address']} · {_types_text(one)}"))
            if role_button(
                role, "Send a test", icon=":material/send:", key=f"alerts_test_{own}"
            ) and _done(lambda: client.test_alert_receiver(own, comparison=comparison)):
                st.toast("The test is on its way.")
            refusal = role_refusal(role)
            with st.popover(
                "Delete",
                icon=":material/delete:",
                disabled=bool(refusal),
                help=refusal,
                key=f"alerts_ask_{own}",
            ):
                st.write("Nothing is sent there any more. What waits for it is dropped.")
                if st.button("Delete it", type="primary", key=f"alerts_delete_{own}") and _done(
                    lambda: client.delete_alert_receiver(own, comparison=comparison)
                ):
                    st.rerun()
        if one["problem"]:
            st.error(f"Nothing can be sent there: {escape_markdown(one['problem'])}.")
        elif one["failures"]:
            last = "The last try" if one["failures"] == 1 else f"The last {one['failures']} tries"
            st.warning(f"{last} failed.")


def _types_text(one: Receiver) -> str:
    if len(one["events"]) == len(TYPE_TEXTS) - 1:
        return "all alerts"
    return ", ".join(TYPE_TEXTS[kind] for kind in one["events"])


def _new_receiver(client: Api, found: ReceiverList, comparison: str | None) -> None:
    """Draw the form of a new receiver, or the one that was just made."""
    owner, created = st.session_state.get(CREATED_KEY, ("", None))
    if created is not None and owner == (comparison or ""):
        _show_created(created)
        return
    number = st.session_state.setdefault(ADDED_KEY, 0)
    refusal = role_refusal(_role(comparison))
    with st.expander("Add a webhook", icon=":material/add:", expanded=not found["receivers"]):
        if refusal:
            st.caption(refusal)
        url = st.text_input(
            "Address",
            key=f"alerts_url_{number}",
            placeholder="https://hooks.slack.com/services/...",
            help="What follows the host is kept secret: it is not shown again.",
            disabled=bool(refusal),
        )
        st.caption("Allowed: " + ", ".join(f"`{host}`" for host in found["hosts"]))
        name = st.text_input(
            "Name", key=f"alerts_name_{number}", max_chars=80, disabled=bool(refusal)
        )
        with st.container(gap="xsmall"):
            st.caption("When")
            chosen = [
                kind
                for kind in found["types"]
                if st.checkbox(
                    TYPE_TEXTS[kind].capitalize(),
                    value=True,
                    key=f"alerts_{kind}_{number}",
                    disabled=bool(refusal),
                )
            ]
        pressed = role_button(
            _role(comparison),
            "Add it",
            type="primary",
            key=f"alerts_add_{number}",
        )
        if pressed and not (url.strip() and chosen):
            st.error("Choose at least one alert." if url.strip() else "Enter the address.")
        elif pressed:
            made = _created(client, url, comparison, name, chosen)
            if made is not None:
                st.session_state[CREATED_KEY] = (comparison or "", made)
                st.session_state[ADDED_KEY] = number + 1
                st.rerun()


def _created(
    client: Api, url: str, comparison: str | None, name: str, chosen: Sequence[str]
) -> CreatedReceiver | None:
    """Create a receiver, or say what is wrong; return None then."""
    try:
        return client.add_alert_receiver(
            url.strip(), comparison=comparison, name=name.strip(), events=chosen
        )
    except ApiError as error:
        said = [f"Address: {text}" if path == "url" else text for path, text in error.fields]
        for text in said or [error.message]:
            st.error(escape_markdown(text))
    return None


def _show_created(created: CreatedReceiver) -> None:
    """Show the secret, once."""
    with st.container(border=True):
        st.markdown(f"**{escape_markdown(created['receiver']['name'])}** gets alerts from now on.")
        st.write("The secret by which it checks the signatures is shown only now:")
        st.code(created["secret"], language=None)
        with st.container(horizontal=True):
            copy_text_button(created["secret"], "Copy", key="alerts_copy")
            if st.button("Done", key="alerts_done"):
                st.session_state.pop(CREATED_KEY, None)
                st.rerun()
        st.caption("Slack and Mattermost need none: keep it only for a receiver of your own.")


def _deliveries(client: Api, comparison: str | None) -> None:
    """Draw the last deliveries, and read them again every few seconds."""
    st.header("Last deliveries", anchor=False)

    @st.fragment(run_every=READ_EVERY_S)
    def table() -> None:
        try:
            found = client.alert_deliveries(comparison, page_size=SHOWN)
        except ApiError as error:
            st.caption(f"They cannot be read now: {escape_markdown(error.message)}")
            return
        if refused := st.session_state.pop(REFUSED_KEY, ""):
            st.toast(f"Not done: {escape_markdown(refused)}", icon=":material/block:")
        if not found["deliveries"]:
            st.caption("Nothing was sent yet.")
        for one in found["deliveries"]:
            _delivery(client, one, linked=comparison is None)
        if found["total"] > SHOWN:
            st.caption(f"The newest {SHOWN} of {found['total']:,}.")

    table()


def _delivery(client: Api, one: Delivery, *, linked: bool) -> None:
    """Draw one delivery, with the button that tries it again."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(delivery_html(one, linked=linked))
        failed = one["state"] == "given_up" or (one["state"] == "pending" and one["tries"])
        if failed:
            role_button(
                "editor",
                "Retry",
                icon=":material/replay:",
                type="tertiary",
                key=f"alerts_retry_{one['id']}",
                on_click=_retry,
                args=(client, one["id"]),
            )


def _retry(client: Api, delivery: int) -> None:
    """Try a delivery now, before the list is drawn again."""
    try:
        client.retry_alert(delivery)
    except ApiError as error:  # it has arrived meanwhile, or the API is away
        st.session_state[REFUSED_KEY] = error.message


def delivery_html(one: Delivery, *, linked: bool = False) -> str:
    """Return one delivery as HTML; linked, its text leads to the comparison that it is of."""
    text = escape(one["text"])
    if linked and one["comparison"]:
        page = f"{own_address('/comparison')}?id={one['comparison']}"
        text = f"<a href='{escape(page, quote=True)}' target='_self'>{text}</a>"
    failing = one["state"] == "pending" and one["tries"]
    word, marked = (
        ("↻ failed, is tried again", "lb-marked") if failing else STATE_TEXTS[one["state"]]
    )
    tries = "1 try" if one["tries"] == 1 else f"{one['tries']} tries"
    facts = [_time(one["at"]), one["receiver_name"], tries]
    if one["problem"]:
        facts.append(one["problem"])
    elif one["status"] is not None:
        facts.append(f"answered {one['status']}")
    if one["tries"] and one["next_at"] and one["state"] == "pending":
        facts.append(f"next try {_time(one['next_at'])}")
    state = f"<small class='{marked}'>{word}</small>" if marked else f"<small>{word}</small>"
    return (
        f"<div class='lb-delivery'><p><b>{escape(TYPE_TEXTS.get(one['type'], one['type']))}</b> "
        f"{state}</p><p>{text}</p>"
        f"<p><small>{escape(' · '.join(facts))}</small></p></div>"
    )


def _time(text: str) -> str:
    """Return a time as "2026-11-30 09:00:00 UTC"."""
    return f"{text[:10]} {text[11:19]} UTC"


def _done(change: Callable[[], object]) -> bool:
    """Make a change; return whether it was made, else say why not."""
    try:
        change()
    except ApiError as error:
        st.error(f"Not done: {escape_markdown(error.message)}")
        return False
    return True

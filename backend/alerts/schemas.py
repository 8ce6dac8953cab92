"""Alerts and their receivers as the API shows them."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from backend.alerts.events import TYPES, AlertType
from backend.alerts.repository import Sent
from backend.db.models import Alert, AlertReceiver
from backend.http.outgoing_hosts import MAX_URL_LENGTH, OutgoingHosts, masked
from backend.http.times import iso
from contract.names import ONE_LINE, has_control_character

MAX_NAME: Final = 80
DeliveryState = Literal["pending", "delivered", "given_up"]


def _one_line(name: str) -> str:
    if has_control_character(name):
        raise ValueError(ONE_LINE)
    return name.strip()


class NewReceiver(BaseModel):
    """Where alerts shall be sent."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(max_length=MAX_URL_LENGTH)
    """https://...; its host must be one that an admin allows."""
    name: Annotated[str, AfterValidator(_one_line)] = Field("", max_length=MAX_NAME)
    """For people; the host where it is empty."""
    events: list[AlertType] = Field(list(TYPES), min_length=1, max_length=20)


class Receiver(BaseModel):
    """A receiver, without its secret, and with the host of its address alone."""

    id: str
    comparison: str | None
    """Null for one that gets the alerts of all comparisons."""
    name: str
    address: str
    """The beginning of its address; the rest may be secret."""
    problem: str | None
    """Why nothing can be sent there now; null where it can."""
    events: list[AlertType]
    created_at: str
    created_by: str
    failures: int
    """Tries in a row that failed."""


class ReceiverList(BaseModel):
    """The receivers of a comparison, or those of the board."""

    enabled: bool
    """Whether an admin allows any host."""
    hosts: list[str]
    """Hosts that are allowed, as the setting names them."""
    types: list[AlertType]
    """What can be told."""
    receivers: list[Receiver]


class CreatedReceiver(BaseModel):
    """A new receiver."""

    secret: str
    """The key of its signatures; shown only now."""
    receiver: Receiver


class Delivery(BaseModel):
    """An alert on its way to a receiver."""

    id: int
    receiver: str
    receiver_name: str
    type: str
    """Of the alert, or `test`."""
    at: str
    """When it happened."""
    text: str
    comparison: str | None
    state: DeliveryState
    tries: int
    tried_at: str | None
    status: int | None
    """Of the last answer; null without one."""
    problem: str
    """Why the last try failed; empty if it did not."""
    next_at: str | None
    """When the next try is due, at the earliest; null if none follows."""


class DeliveryPage(BaseModel):
    """A page of deliveries, the newest first."""

    deliveries: list[Delivery]
    total: int
    page: int
    page_size: int


class AlertOut(BaseModel):
    """Something that happened."""

    id: int
    type: AlertType
    at: str
    text: str
    comparison: str | None
    data: dict[str, Any]


class AlertList(BaseModel):
    """Alerts, the oldest first."""

    alerts: list[AlertOut]
    last: int
    """The id of the last alert of all; ask for those after it next."""


def receiver_out(row: AlertReceiver, hosts: OutgoingHosts) -> Receiver:
    """Return a receiver as answers have it."""
    return Receiver(
        id=row.id,
        comparison=row.comparison_id,
        name=row.name,
        address=masked(row.url),
        problem=url_problem(row.url, hosts),
        events=[one for one in TYPES if one in row.events],
        created_at=iso(row.created_at),
        created_by=row.created_by,
        failures=row.failures,
    )


def url_problem(url: str, hosts: OutgoingHosts) -> str | None:
    """Return why nothing can be sent to an address; None if it can."""
    try:
        hosts.target(url)
    except ValueError as error:
        return str(error)
    return None


def delivery_out(sent: Sent) -> Delivery:
    """Return a delivery as answers have it."""
    row, waits = sent.delivery, sent.delivery.state == "pending"
    assert row.id is not None
    return Delivery(
        id=row.id,
        receiver=row.receiver_id,
        receiver_name=sent.receiver.name,
        type=sent.alert.type,
        at=iso(sent.alert.at),
        text=sent.alert.content["text"],
        comparison=sent.alert.comparison_id,
        state=row.state,
        tries=row.tries,
        tried_at=None if row.tried_at is None else iso(row.tried_at),
        status=row.status,
        problem=row.problem,
        next_at=iso(max(sent.receiver.next_at, row.queued_at)) if waits else None,
    )


def alert_out(row: Alert) -> AlertOut:
    """Return an alert as answers have it."""
    return AlertOut.model_validate(
        {
            "id": row.id,
            "type": row.type,
            "at": iso(row.at),
            "text": row.content["text"],
            "comparison": row.comparison_id,
            "data": row.content["data"],
        }
    )

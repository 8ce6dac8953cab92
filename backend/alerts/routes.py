"""HTTP routes: what happened, where it is sent, and what became of that."""

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field

from backend.alerts import repository
from backend.alerts.events import TYPES
from backend.alerts.schemas import (
    AlertList,
    CreatedReceiver,
    Delivery,
    DeliveryPage,
    NewReceiver,
    ReceiverList,
    alert_out,
    delivery_out,
    receiver_out,
    url_problem,
)
from backend.auth.audit import note_created
from backend.auth.dependencies import User
from backend.db.database import Database
from backend.db.models import Alert, AlertReceiver
from backend.http.dependencies import Db, from_state
from backend.http.json_body import JsonRoute
from backend.http.outgoing_hosts import OutgoingHosts
from backend.http.times import Now
from backend.http.writing import writes

router = APIRouter(prefix="/alerts", tags=["alerts"], route_class=JsonRoute)
comparison_router = APIRouter(
    prefix="/comparisons/{comparison}/alerts", tags=["alerts"], route_class=JsonRoute
)
Hosts = Annotated[OutgoingHosts, from_state("alert_hosts")]
Look = Annotated[Callable[[], None], from_state("look_for_alerts")]
"""Call it after a commit that queued a delivery."""
NOT_KEPT: Final = {"Cache-Control": "no-store"}
MAX_ALERTS: Final = 100


class _AlertsQuery(BaseModel):
    after: int = Field(0, ge=0, lt=2**31, description="Only alerts with larger ids.")
    comparison: str | None = Field(None, description="Only those of one comparison.")
    limit: int = Field(20, ge=0, le=MAX_ALERTS, description="Of more the newest are returned.")


class _DeliveriesQuery(BaseModel):
    comparison: str | None = Field(
        None, description="Whose receivers; without it those of the board."
    )
    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(20, ge=1, le=100)


Owner = Annotated[
    str | None, Query(description="Whose receivers; without it those of the whole board.")
]


@router.get("")
def list_alerts(asked: Annotated[_AlertsQuery, Query()], database: Db) -> AlertList:
    """Return what happened after an alert, whether it is sent anywhere or not."""
    with database.read() as session:
        found, last = repository.alerts_after(
            session, asked.after, comparison=asked.comparison, limit=asked.limit
        )
        return AlertList(alerts=[alert_out(one) for one in found], last=last)


@router.get("/receivers")
def list_receivers(database: Db, hosts: Hosts, comparison: Owner = None) -> ReceiverList:
    """Return where alerts are sent, without secrets."""
    with database.read() as session:
        found = repository.receivers(session, comparison)
    return ReceiverList(
        enabled=bool(hosts),
        hosts=list(hosts.names),
        types=list(TYPES),
        receivers=[receiver_out(one, hosts) for one in found],
    )


@router.post("/receivers", status_code=201)
@writes
def add_receiver(
    new: NewReceiver,
    request: Request,
    response: Response,
    *,
    database: Db,
    hosts: Hosts,
    user: User,
    now: Now,
) -> CreatedReceiver:
    """Send the alerts of all comparisons somewhere; the answer alone has the secret."""
    made = _create(database, hosts, new, None, user=user, now=now)
    note_created(request.scope, receiver=made.id)
    response.headers.update(NOT_KEPT)
    return CreatedReceiver(secret=made.secret, receiver=receiver_out(made, hosts))


@router.delete("/receivers/{receiver}", status_code=204)
@writes
def delete_receiver(receiver: str, database: Db) -> None:
    """Send nothing there any more; what waits for it is dropped."""
    with database.write() as write:
        repository.delete_receiver(write, receiver, None)


@router.post("/receivers/{receiver}/test", status_code=204)
@writes
def send_test(receiver: str, database: Db, look: Look, now: Now) -> None:
    """Send a test there; the list of deliveries says what became of it."""
    with database.write() as write:
        repository.queue_test(write, receiver, None, now)
    look()


@router.get("/deliveries")
def list_deliveries(asked: Annotated[_DeliveriesQuery, Query()], database: Db) -> DeliveryPage:
    """Return what was sent and what waits, the newest first."""
    with database.read() as session:
        found, total = repository.deliveries(
            session, asked.comparison, page=asked.page, page_size=asked.page_size
        )
        return DeliveryPage(
            deliveries=[delivery_out(one) for one in found],
            total=total,
            page=asked.page,
            page_size=asked.page_size,
        )


@router.post("/deliveries/{delivery}/retry")
@writes
def retry_delivery(
    delivery: Annotated[int, Path(ge=1, lt=2**31)], database: Db, look: Look, now: Now
) -> Delivery:
    """Send one again that was given up, or at once if it waits; 409 if it has arrived."""
    with database.write() as write:
        row = repository.retry(write, delivery, now)
        alert = write.session.get(Alert, row.alert_id)
        receiver = write.session.get(AlertReceiver, row.receiver_id)
        assert alert is not None
        assert receiver is not None
        answer = delivery_out(repository.Sent(row, alert, receiver))
    look()
    return answer


@comparison_router.post("", status_code=201)
@writes
def add_comparison_receiver(
    comparison: str,
    new: NewReceiver,
    request: Request,
    response: Response,
    *,
    database: Db,
    hosts: Hosts,
    user: User,
    now: Now,
) -> CreatedReceiver:
    """Send the alerts of one comparison somewhere; the answer alone has the secret."""
    made = _create(database, hosts, new, comparison, user=user, now=now)
    note_created(request.scope, receiver=made.id)
    response.headers.update(NOT_KEPT)
    return CreatedReceiver(secret=made.secret, receiver=receiver_out(made, hosts))


@comparison_router.delete("/{receiver}", status_code=204)
@writes
def delete_comparison_receiver(comparison: str, receiver: str, database: Db) -> None:
    """Send nothing there any more; what waits for it is dropped."""
    with database.write() as write:
        repository.delete_receiver(write, receiver, comparison)


@comparison_router.post("/{receiver}/test", status_code=204)
@writes
def send_comparison_test(
    comparison: str, receiver: str, database: Db, look: Look, now: Now
) -> None:
    """Send a test there; the list of deliveries says what became of it."""
    with database.write() as write:
        repository.queue_test(write, receiver, comparison, now)
    look()


def _create(
    database: Database,
    hosts: OutgoingHosts,
    new: NewReceiver,
    comparison: str | None,
    *,
    user: str,
    now: float,
) -> AlertReceiver:
    """Store a receiver.

    Raises:
        RequestValidationError: its address may not be called.
        NotFoundError: no comparison has this id.
        ConflictError: there are too many.
    """
    if problem := url_problem(new.url, hosts):
        detail = {"type": "value_error", "loc": ("body", "url"), "msg": problem}
        raise RequestValidationError([detail])
    wanted = [one for one in TYPES if one in new.events]
    name = new.name or hosts.target(new.url).host
    with database.write() as write:
        return repository.create_receiver(
            write,
            comparison=comparison,
            name=name,
            url=new.url,
            wanted=wanted,
            user=user,
            now=now,
        )

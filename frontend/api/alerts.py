"""The calls about alerts: what happened, where it is sent, and what became of that."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from frontend.api.transport import Transport
from frontend.api.types import (
    AlertList,
    CreatedReceiver,
    Delivery,
    DeliveryPage,
    ReceiverList,
)


class AlertCalls(Transport):
    """Receivers are those of a comparison, or without one those of the whole board."""

    def alerts(
        self, *, after: int = 0, comparison: str | None = None, limit: int = 20
    ) -> AlertList:
        """Return what happened after an alert, the oldest first."""
        asked = {"after": after, "limit": limit, **_of(comparison)}
        return self._call(AlertList, "GET", "/alerts", params=asked)

    def alert_receivers(self, comparison: str | None = None) -> ReceiverList:
        """Return where alerts are sent, without secrets."""
        return self._call(ReceiverList, "GET", "/alerts/receivers", params=_of(comparison))

    def add_alert_receiver(
        self,
        url: str,
        *,
        comparison: str | None = None,
        name: str = "",
        events: Sequence[str] | None = None,
    ) -> CreatedReceiver:
        """Send alerts somewhere; the answer alone has the secret of the signatures.

        Args:
            url: of a host that is allowed.
            comparison: only its alerts; None for those of all, which needs an admin.
            name: for people.
            events: types of alerts; None for all.
        """
        body: dict[str, Any] = {"url": url, "name": name}
        body |= {} if events is None else {"events": list(events)}
        return self._call(CreatedReceiver, "POST", _receivers(comparison), body=body)

    def delete_alert_receiver(self, receiver: str, *, comparison: str | None = None) -> None:
        """Send nothing there any more."""
        self._delete(f"{_receivers(comparison)}/{quote(receiver, safe='')}")

    def test_alert_receiver(self, receiver: str, *, comparison: str | None = None) -> None:
        """Send a test there."""
        path = f"{_receivers(comparison)}/{quote(receiver, safe='')}/test"
        self._content(self._send("POST", path, None, {}))

    def alert_deliveries(
        self, comparison: str | None = None, *, page: int = 1, page_size: int = 20
    ) -> DeliveryPage:
        """Return a page of what was sent and what waits, the newest first."""
        asked = {"page": page, "page_size": page_size, **_of(comparison)}
        return self._call(DeliveryPage, "GET", "/alerts/deliveries", params=asked)

    def retry_alert(self, delivery: int) -> Delivery:
        """Send one at once that waits or was given up."""
        return self._call(Delivery, "POST", f"/alerts/deliveries/{delivery}/retry")


def _receivers(comparison: str | None) -> str:
    if comparison is None:
        return "/alerts/receivers"
    return f"/comparisons/{quote(comparison, safe='')}/alerts"


def _of(comparison: str | None) -> dict[str, str]:
    return {} if comparison is None else {"comparison": comparison}

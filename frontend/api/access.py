"""Who one is to the API, and who did what."""

from typing import Any

from frontend.api.transport import Transport
from frontend.api.types import AuditPage, Me


class AccessCalls(Transport):
    """Calls about people."""

    def me(self) -> Me:
        """Whose token the client has, and with which role."""
        return self._call(Me, "GET", "/me")

    def audit(self, *, who: str | None = None, page: int = 1, page_size: int = 50) -> AuditPage:
        """Who changed what, the newest first; of one person where asked. Only admins may ask."""
        params: dict[str, Any] = {"page": page, "page_size": page_size}
        if who is not None:
            params["who"] = who
        return self._call(AuditPage, "GET", "/audit", params=params)

"""Signatures of alerts, as the Standard Webhooks specification has them (version 1, symmetric).

HMAC-SHA256 with the receiver's key over "<id>.<timestamp>.<body>", in base64.
"""

import base64
import hashlib
import hmac
import secrets
from typing import Final

SECRET_PREFIX: Final = "whsec_"
KEY_BYTES: Final = 32


def create_secret() -> str:
    """Return a new random secret."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def signed_headers(secret: str, message: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers by which a receiver knows a message.

    Args:
        secret: of the receiver.
        message: the alert's id, the same at each try.
        timestamp: of this try, in seconds since the epoch.
        body: as it is sent.
    """
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message}.{timestamp}.".encode() + body
    digest = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{digest}",
    }

"""A certificate for the name hooks.test, valid until 2126, with its contexts; for tests only."""

import ssl
from pathlib import Path
from typing import Final

NAME: Final = "hooks.test"
_CERTIFICATE: Final = """\
-----BEGIN CERTIFICATE-----
MIIBmTCCAT6gAwIBAgIUU98AFGzhSlYrcC1aeVxt2BA8SvUwCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKaG9va3MudGVzdDAgFw0yNjEyMDEwMDI4NDdaGA8yMTI2MTEw
NzAwMjg0N1owFTETMBEGA1UEAwwKaG9va3MudGVzdDBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABHRmeh6Gh3F1PgZb+Tg0r/uqjoNfY+674Uf2WYQZbhg+3+cngDEe
5FQY2jDKWM4wZPJJAgC6UoT/qAzp5i9bkWajajBoMB0GA1UdDgQWBBRg3qzKIVUQ
hj8IxwwtFrvSyDq9BjAfBgNVHSMEGDAWgBRg3qzKIVUQhj8IxwwtFrvSyDq9BjAP
BgNVHRMBAf8EBTADAQH/MBUGA1UdEQQOMAyCCmhvb2tzLnRlc3QwCgYIKoZIzj0E
AwIDSQAwRgIhAOaWz5GEDSuKKjohW4pm1cPoACvUa/GNcE7j6RCG3M6eAiEAxfjW
UTWDYhwnjn1a7lzjfquQa8Ut7E6BJTzk8VrXv7A=
-----END CERTIFICATE-----
"""
_KEY: Final = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjDZAhlXkcDMBKF6K
4x8CBUMSYhHfNwrfGvKE5E6q1SahRANCAAR0ZnoehodxdT4GW/k4NK/7qo6DX2Pu
u+FH9lmEGW4YPt/nJ4AxHuRUGNowyljOMGTySQIAulKE/6gM6eYvW5Fm
-----END PRIVATE KEY-----
"""


def server_context(folder: Path) -> ssl.SSLContext:
    """Return the context of a server of that name; its files go into a folder."""
    for name, content in (("cert.pem", _CERTIFICATE), ("key.pem", _KEY)):
        (folder / name).write_text(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def client_context() -> ssl.SSLContext:
    """Return the context of a client that trusts it alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=_CERTIFICATE)
    return context

"""Downloads of published files: complete and checked, or not at all, with progress."""

import contextlib
import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from worker.errors import DataError
from worker.reporting.progress import Progress

NETWORK_TIMEOUT_S: Final = 10.0
"""Limit for each connection and each read; without a network a run must not wait for ever."""
ADVICE: Final = (
    "Put the file into that folder, or set LOSSBOARD_DATASETS_DIR to a folder that has it."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Expected:
    """What is known about a file before it is downloaded."""

    md5: str | None
    sha256: str | None
    size: int | None


class _RejectedError(Exception):
    """A server does not send the expected file; says why."""


def fetch(
    urls: Sequence[str],
    target: Path,
    *,
    md5: str | None = None,
    sha256: str | None = None,
    size: int | None = None,
    progress: Progress,
    advice: str = ADVICE,
) -> None:
    """Download a file from the first address that sends it completely.

    It is written under another name in the same folder and renamed once it has been checked, so
    `target` is a complete file or is not touched. Two processes must not fetch the same target at
    once: hold `worker.data.sources.locks.locked` around this.

    Args:
        urls: addresses of the same file, tried in turn.
        target: the file; its folder is made if needed.
        md5: checksum in hexadecimal digits, if one is published.
        sha256: likewise, or only its first digits, as in the file names of PyTorch's hub.
        size: size in bytes; a longer body is abandoned at once.
        progress: called with the bytes received.
        advice: what a person can do when no address sends the file; the end of the error message.

    Raises:
        DataError: no address sent the file, or it cannot be written; names the file, its folder,
            every address and what went wrong there.
        CancelledError: raised by `progress`; nothing is left behind.
    """
    expected = _Expected(md5, sha256, size)
    partial = target.with_name(f"{target.name}.partial")
    failures = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for url in urls:
            log.info("downloading %s into %s", url, target.parent)
            try:
                _download(url, partial, target.name, expected, progress)
            except (httpx.HTTPError, httpx.InvalidURL, _RejectedError) as error:
                failures.append(f"{url} ({str(error) or type(error).__name__})")
            else:
                partial.replace(target)
                return
    except OSError as error:
        raise DataError(f"{target} cannot be written: {error}") from error
    finally:
        with contextlib.suppress(OSError):  # the folder could not be made
            partial.unlink(missing_ok=True)
    raise DataError(
        f"{target.name} is not in {target.parent} and could not be downloaded. Tried "
        f"{', '.join(failures) or 'no address, for none is known'}. {advice}"
    )


def _download(url: str, partial: Path, name: str, expected: _Expected, progress: Progress) -> None:
    """Write the body that an address sends, and check it."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    done = 0
    with _open_response(url) as answer, partial.open("wb") as file:
        total = _total_bytes(answer, expected)
        progress(f"downloading {name}", 0, total, "bytes")
        for block in answer.iter_raw():
            file.write(block)
            md5.update(block)
            sha256.update(block)
            done += len(block)
            if expected.size is not None and done > expected.size:
                raise _RejectedError(f"sends more than the {expected.size:,} bytes of the file")
            progress(f"downloading {name}", done, total, "bytes")
    if expected.size is not None and done != expected.size:
        raise _RejectedError(f"sent {done:,} bytes, the file has {expected.size:,}")
    for kind, digest, wanted in (
        ("md5", md5.hexdigest(), expected.md5),
        ("sha256", sha256.hexdigest(), expected.sha256),
    ):
        if wanted is not None and not (wanted and digest.startswith(wanted.lower())):
            raise _RejectedError(f"sent {done:,} bytes with {kind} {digest}, not {wanted}")


@contextlib.contextmanager
def _open_response(url: str) -> Iterator[httpx.Response]:
    """Open a response; its body comes as it is stored, because checksums are of that form."""
    headers = {"Accept-Encoding": "identity"}
    with httpx.stream(
        "GET", url, headers=headers, timeout=NETWORK_TIMEOUT_S, follow_redirects=True
    ) as answer:
        answer.raise_for_status()
        yield answer


def _total_bytes(answer: httpx.Response, expected: _Expected) -> int | None:
    """Return the number of bytes to come, if it is known."""
    length = answer.headers.get("Content-Length", "")
    announced = int(length) if length.isdecimal() else None
    if None not in (announced, expected.size) and announced != expected.size:
        raise _RejectedError(f"offers {announced:,} bytes, the file has {expected.size:,}")
    return announced if expected.size is None else expected.size

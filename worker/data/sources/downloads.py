"""Files of published data sets: fetched whole or not at all, with progress.

`locked` and `unpacked` are offered from here too: whoever fetches needs them around it.
"""

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
"""For each connection and each read; a machine that is cut off must not wait for ever."""
ADVICE: Final = (
    "Put the file into that folder, or set LOSSBOARD_DATASETS_DIR to a folder that has it."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Expected:
    """What is known of a file before it is there."""

    md5: str | None
    sha256: str | None
    size: int | None


class _RejectedError(Exception):
    """What a server sends is not the file; says why."""


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
    """Download a file from the first address that gives it whole.

    It is written beside its place and moved there once it has been checked, so that `target` is a
    whole file or is not touched. Two processes must not fetch the same target at once: hold
    `locked` around this.

    Args:
        urls: where the same file is published, tried in turn.
        target: the file; its folder is made if need be.
        md5: checksum in hexadecimal digits, if one is published.
        sha256: another one, or its first digits, as PyTorch's hub names files.
        size: in bytes; a longer body is given up at once.
        progress: told the bytes that have come.
        advice: what somebody should do when no address gives the file; ends the error.

    Raises:
        DataError: no address gave the file, or it cannot be written; names the file, its folder,
            every address and what went wrong there.
        CancelledError: by `progress`; nothing is left behind.
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
        with contextlib.suppress(OSError):  # of a folder that could not be made
            partial.unlink(missing_ok=True)
    raise DataError(
        f"{target.name} is not in {target.parent} and could not be downloaded. Tried "
        f"{', '.join(failures) or 'no address, for none is known'}. {advice}"
    )


def _download(url: str, partial: Path, name: str, expected: _Expected, progress: Progress) -> None:
    """Write what an address sends, and check it."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    done = 0
    with _answer(url) as answer, partial.open("wb") as file:
        total = _total(answer, expected)
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
def _answer(url: str) -> Iterator[httpx.Response]:
    """An answer whose body is to be read; as it is stored, for checksums are of that."""
    headers = {"Accept-Encoding": "identity"}
    with httpx.stream(
        "GET", url, headers=headers, timeout=NETWORK_TIMEOUT_S, follow_redirects=True
    ) as answer:
        answer.raise_for_status()
        yield answer


def _total(answer: httpx.Response, expected: _Expected) -> int | None:
    """Bytes to come, if anybody knows."""
    length = answer.headers.get("Content-Length", "")
    announced = int(length) if length.isdecimal() else None
    if None not in (announced, expected.size) and announced != expected.size:
        raise _RejectedError(f"offers {announced:,} bytes, the file has {expected.size:,}")
    return announced if expected.size is None else expected.size

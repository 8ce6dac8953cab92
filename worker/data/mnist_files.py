"""MNIST's four files: found in their folder, or unpacked or downloaded into it.

File names, checksums, mirrors and the download itself are torchvision's; what is added is that
several trainers may ask at once, and that a file is there either whole or not at all.
"""

import contextlib
import fcntl
import gzip
import io
import logging
import shutil
import socket
import zlib
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Final

from worker.errors import DataError
from worker.vision import torchvision

NETWORK_TIMEOUT_S: Final = 10.0
"""For each connection and each read; a machine that is cut off must not wait for ever."""

log = logging.getLogger(__name__)
mnist: Final = torchvision.datasets.MNIST
utils: Final = torchvision.datasets.utils


def complete(folder: Path) -> Path:
    """The folder of the four unpacked files, each of which is there.

    Args:
        folder: of all data sets; the files lie in its MNIST/raw, as torchvision has it.

    Raises:
        DataError: a file is neither there nor to be had, or cannot be written.
    """
    raw = folder / "MNIST" / "raw"
    if _missing(raw):
        try:
            with _locked(folder), _scratch(folder / "MNIST.partial") as scratch:
                raw.mkdir(parents=True, exist_ok=True)
                for name, md5 in _missing(raw).items():  # another trainer may have been first
                    _fetch(name, md5, raw, scratch)
                    (scratch / name).replace(raw / name)
        except OSError as error:
            raise DataError(
                f"MNIST is not in {raw} and cannot be written there: {error}"
            ) from error
    return raw


def _missing(raw: Path) -> dict[str, str]:
    """Name of each file that is not there unpacked -> checksum of its published .gz."""
    names = {archive.removesuffix(".gz"): md5 for archive, md5 in mnist.resources}
    return {name: md5 for name, md5 in names.items() if not (raw / name).is_file()}


def _fetch(name: str, md5: str, raw: Path, scratch: Path) -> None:
    """Unpack one file into the scratch folder, from the .gz beside its place or from a mirror.

    A .gz that somebody put there need not be the published one, byte for byte: many copies are
    packed anew, and gzip's own checksum tells a broken one.
    """
    archive = f"{name}.gz"
    failures = []
    if (raw / archive).is_file():
        try:
            utils.extract_archive(str(raw / archive), str(scratch))
            if not (scratch / name).stat().st_size:  # no bytes at all pass for a whole archive
                raise EOFError("empty")
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            failures.append(f"{raw / archive} (damaged: {error})")
        else:
            return
    for mirror in mnist.mirrors:
        url = f"{mirror}{archive}"
        log.warning("downloading %s into %s", url, raw)
        try:
            with _network():
                utils.download_and_extract_archive(url, str(scratch), filename=archive, md5=md5)
        except (OSError, RuntimeError, HTTPException) as error:
            failures.append(f"{url} ({str(error) or type(error).__name__})")
        else:
            return
    raise DataError(
        f"MNIST is not complete in {raw}. Looked for {', '.join(_missing(raw))}, unpacked or as "
        f".gz. Tried {', '.join(failures)}. Put the missing files into that folder, or set "
        "LOSSBOARD_DATASETS_DIR to a folder that has them in its MNIST/raw."
    )


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time; the lock is the kernel's and ends with its holder, however that
    ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "MNIST.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """An empty folder, gone afterwards; what a killed process left in it goes first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _network() -> Iterator[None]:
    """torchvision's download, which sets no time limit and draws a progress bar, in a log."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_TIMEOUT_S)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        socket.setdefaulttimeout(before)

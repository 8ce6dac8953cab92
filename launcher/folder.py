"""The data folder: one launcher at a time, and the secret its processes share."""

import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from launcher.console import FolderError

TOKEN_VARIABLE = "LOSSBOARD_WORKER_TOKEN"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make the data folder if need be, and hold it against a second launcher.

    The lock is the kernel's: it ends with this process, however that ends.

    Raises:
        FolderError: another launcher holds it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "launcher.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise FolderError(f"cannot write in the data folder {folder}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 32).decode().strip() or "unknown"
            raise FolderError(
                f"another launcher (pid {holder}) already runs on the data folder {folder}; "
                "stop it, or choose another folder with --data-dir"
            ) from error
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def worker_token(folder: Path, environ: Mapping[str, str]) -> str:
    """The secret by which the API knows its workers: from the environment, or made once and kept.

    It travels to the children by environment, never on a command line, where others could read it.
    """
    if given := environ.get(TOKEN_VARIABLE):
        return given
    path = folder / "worker-token"
    try:
        if kept := path.read_text().strip():
            return kept
    except FileNotFoundError:
        pass  # the first start on this folder
    made = secrets.token_urlsafe(32)
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(made)
    partial.replace(path)
    return made

"""The folders of this machine that specs may name files in."""

from pathlib import Path

from contract.settings import DATA_ROOTS
from worker.errors import DataError
from worker.settings import data_roots


def allowed_path(path: str, field: str) -> Path:
    """Return where a path of a spec leads, links followed.

    Args:
        path: as the spec gives it.
        field: the field of the spec, for people.

    Raises:
        DataError: it leads out of all folders of LOSSBOARD_DATA_ROOTS.
        SettingsError: that setting has no usable value.
    """
    roots = data_roots()
    if not roots:
        return Path(path)
    real = Path(path).resolve()
    if not any(real.is_relative_to(root.resolve()) for root in roots):
        leads = "" if str(real) == path else f", which leads to {real},"
        raise DataError(
            f"{field}: {path}{leads} lies in none of the folders that this worker may read: "
            f"{', '.join(map(str, roots))} ({DATA_ROOTS}). Put the data into one of them."
        )
    return real

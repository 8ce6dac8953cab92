"""A team's table of features."""

from pathlib import Path

from contract.comparison.data import FeaturesData
from contract.dataset_files import read_features
from worker.data.dataset import Pool
from worker.data.sources.team_files import file_of, refusals, table_pool
from worker.reporting.progress import Progress


def load(spec: FeaturesData, folder: Path, progress: Progress) -> Pool:
    """Read an uploaded table, or a file of this machine.

    Raises:
        DataError: it cannot be had or used; the first problems are named.
        CancelledError: by `progress`.
    """
    path = file_of(spec, folder, progress)
    progress(f"reading {path.name}", 0, None, "rows")
    with refusals(f"the features in {path}"):
        table = read_features(path)
    return table_pool(spec, table)

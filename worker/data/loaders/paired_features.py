"""A team's table of two modalities: the first is called audio, the second visual."""

from pathlib import Path

from contract.comparison.data import PairedFeaturesData
from contract.dataset_files import read_paired
from worker.data.dataset import Pool
from worker.data.sources.team_files import file_of, refusals, table_pool
from worker.reporting.progress import Progress


def load(spec: PairedFeaturesData, folder: Path, progress: Progress) -> Pool:
    """Read an uploaded table, or a file or folder of this machine.

    Raises:
        DataError: it cannot be had or used; the first problems are named.
        CancelledError: by `progress`.
    """
    path = file_of(spec, folder, progress)
    progress(f"reading {path.name}", 0, None, "rows")
    with refusals(f"the pairs in {path}"):
        table = read_paired(path)
    return table_pool(spec, table)

"""A team's own tables of features, of one modality or of pairs of two modalities.

The first modality of a table of pairs is called audio, the second visual.
"""

from pathlib import Path

from contract.comparison.data import FeaturesData, PairedFeaturesData
from contract.dataset_files import read_features, read_paired
from worker.data.dataset import Pool
from worker.data.sources.team_files import (
    find_file,
    raising_data_errors,
    read_answers,
    table_pool,
)
from worker.reporting.progress import Progress


def load(spec: FeaturesData | PairedFeaturesData, folder: Path, progress: Progress) -> Pool:
    """Read an uploaded table, or a file or folder of this machine.

    Raises:
        DataError: it cannot be fetched or used; the first problems are named.
        CancelledError: raised by `progress`.
    """
    path = find_file(spec, folder, progress)
    answers = read_answers(spec, folder)
    progress(f"reading {path.name}", 0, None, "rows")
    if isinstance(spec, PairedFeaturesData):
        with raising_data_errors(f"the pairs in {path}"):
            return table_pool(spec, read_paired(path, answers=answers))
    with raising_data_errors(f"the features in {path}"):
        return table_pool(spec, read_features(path, answers=answers))

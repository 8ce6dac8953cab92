"""Reading and checking the data sets that a team brings.

Used where a data set is uploaded and where it is trained on. Every reader finds all problems before
it refuses, and raises `IntakeError` with the rows named; it writes nothing but the folder that
`unpack_images` was asked for, and that only when all is well. What a file is, is told from its
content, never from its name.
"""

from contract.dataset_files.feature_tables import read_features, read_paired
from contract.dataset_files.image_archive import unpack_images
from contract.dataset_files.image_folder import scan_images
from contract.dataset_files.problems import FeatureTable, ImageSet, IntakeError, Limits, RowProblem

__all__ = [
    "FeatureTable",
    "ImageSet",
    "IntakeError",
    "Limits",
    "RowProblem",
    "read_features",
    "read_paired",
    "scan_images",
    "unpack_images",
]

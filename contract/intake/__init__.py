"""Reading and checking the data sets that a team brings.

Used where a data set is uploaded and where it is trained on. Every reader finds all problems before
it refuses, and raises `IntakeError` with the rows named; it writes nothing but the folder that
`unpack_images` was asked for, and that only when all is well. What a file is, is told from its
content, never from its name.
"""

from contract.intake.archive import unpack_images
from contract.intake.features import read_features
from contract.intake.images import scan_images
from contract.intake.limits import Limits
from contract.intake.paired import read_paired
from contract.intake.problems import IntakeError, RowProblem
from contract.intake.sets import FeatureTable, ImageSet

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

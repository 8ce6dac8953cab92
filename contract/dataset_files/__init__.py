"""Readers of a team's own data sets, which check them and find all their problems.

They are used where a data set is uploaded and where it is trained on. Every reader finds all
problems before it refuses a data set, and raises `IntakeError` that names the rows. Readers write
nothing, except for the folder of `unpack_images`, and that only without problems. The format of a
file is recognised by its content, never by its name.
"""

from contract.dataset_files.feature_tables import read_features, read_paired
from contract.dataset_files.image_archive import unpack_images
from contract.dataset_files.image_folder import scan_images
from contract.dataset_files.problems import (
    FeatureTable,
    ImageSet,
    IntakeError,
    Limits,
    RowProblem,
    TextTable,
    TupleTable,
)
from contract.dataset_files.questions import (
    NO_ANSWERS,
    QUESTIONS,
    Answers,
    Question,
    UnansweredError,
)
from contract.dataset_files.text_tables import read_texts
from contract.dataset_files.tuple_tables import read_tuples

__all__ = [
    "NO_ANSWERS",
    "QUESTIONS",
    "Answers",
    "FeatureTable",
    "ImageSet",
    "IntakeError",
    "Limits",
    "Question",
    "RowProblem",
    "TextTable",
    "TupleTable",
    "UnansweredError",
    "read_features",
    "read_paired",
    "read_texts",
    "read_tuples",
    "scan_images",
    "unpack_images",
]

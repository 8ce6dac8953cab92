"""What the checking process tells the API, and the names of the files that both know.

Imports no more than the process needs: every check starts one that imports this module, and the
database or the web framework would double the time of its start.
"""

from typing import Final, Literal, get_args

from pydantic import BaseModel

from contract.dataset_files.questions import Question

CONTENT: Final = "content"
"""Name of the uploaded file, which is kept unchanged."""
ANSWERS: Final = "answers"
"""Name of the file with the answers to questions about the upload, as JSON."""
THUMBNAILS: Final = "thumbnails.zip"
"""Name of the archive of small JPEGs, named 0, 1, 2, ...; only data sets of images have one."""
TEXT_CHARACTERS: Final = 160
"""Characters of a text that are shown."""
DISK_FULL_EXIT: Final = 28
"""Exit code of a checking process that had no room on the disk."""

Kind = Literal[
    "image_folder",
    "features",
    "paired_features",
    "text",
    "pairs",
    "triplets",
    "labelled_pairs",
    "scored_pairs",
]
"""The kinds of data that can be uploaded, as specs name them."""

KINDS: Final[tuple[str, ...]] = get_args(Kind)


class Note(BaseModel):
    """A problem or a warning."""

    where: str
    """Such as `cats/a.jpg` or `row 17, column f3`; empty for the whole data set."""
    message: str


class Thumbnail(BaseModel):
    """One of the images shown of a data set."""

    class_name: str
    file: str
    """Its path in the uploaded archive, below the folder around all classes."""


class TextExample(BaseModel):
    """One of the texts shown of a data set."""

    class_name: str
    text: str
    """Its beginning."""


class Facts(BaseModel):
    """What is known of a valid data set."""

    items: int
    """Number of items; of tuples, of different tuples."""
    class_names: list[str]
    counts: list[int]
    """Items of each class."""
    has_fine: bool
    """Whether there are labels within the classes."""
    shape: dict[str, int]
    """`features` or `audio` and `visual`: numbers a row; of images the smallest and the largest
    width and height in pixels; of texts `shortest`, `median` and `longest` in characters. Of
    tuples `distinct`, the number of different items; `groups` of linked items, and the tuples of
    the largest, `largest_group`; `longest`; of labelled pairs `same`, how many belong together."""
    warnings: list[Note]
    thumbnails: list[Thumbnail]
    parts: dict[str, list[int]] = {}
    """Items of each class in train, validation and test, where the data set has a split of its
    own, of tuples their number alone; without validation, that is drawn from train."""
    texts: list[TextExample] = []
    """Some texts of a data set of texts, class by class; of tuples the items of some of them."""
    has_ids: bool | None = None
    """Whether a table of features names its rows; null where an earlier version checked it."""


class Report(BaseModel):
    """How a check ended: with facts, with questions, or with problems."""

    facts: Facts | None = None
    questions: list[Question] = []
    """What has to be answered before the file can be read."""
    problems: list[Note] = []
    """The first of them."""
    total: int = 0
    """How many problems there are in all."""

"""Names of splits that data bring along: of folders above the class folders, or in a table."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from contract.dataset_files.questions import Choice, Question

Part = Literal["train", "validation", "test"]

PARTS: Final[dict[str, Part]] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
    "query": "test",
    "gallery": "test",
}
"""Name of a folder, or of a table's split, in small letters -> the split that its items belong
to."""


def are_split_folders(names: Iterable[str]) -> bool:
    """Return whether these folders split a data set: two or more, and one of them trains."""
    parts = [PARTS.get(name.lower()) for name in names]
    return len(parts) > 1 and None not in parts and "train" in parts and len(set(parts)) > 1


def parts_of(files: Iterable[str]) -> list[Part]:
    """Return the split of each file of such a data set, from its path below the root.

    Without a test part, the validation part tests, and validation is drawn from training.
    """
    return list(with_test_part([PARTS[file.partition("/")[0].lower()] for file in files]))


def with_test_part(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return the split of each item; without a test part, the validation part tests."""
    if "test" in parts:
        return tuple(parts)
    return tuple("train" if part == "train" else "test" for part in parts)


def split_question(names: Iterable[str]) -> Question:
    """Return the question what the folders above the classes mean."""
    listed = ", ".join(names)
    return Question(
        name="split",
        text=f"The folders {listed} lie above the class folders. How should they be used?",
        choices=[
            Choice(value="merge", text="merge them; a comparison splits the images itself"),
            Choice(value="keep", text="keep them as the split: train, validation and test"),
        ],
        columns=[],
    )

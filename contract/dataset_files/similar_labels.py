"""Labels that look alike: they differ by blanks only, or by how an accent is written."""

import unicodedata
from collections import defaultdict

import numpy as np

from contract.dataset_files.problems import Findings


def warn_of_similar_labels(
    name: str, written: np.ndarray, labels: np.ndarray, findings: Findings
) -> None:
    """Add a warning for each group of labels that look alike, with the rows that each has.

    Blanks around a label do not count: `cat` and `cat ` are one class. Blanks inside it and the two
    ways to write an accent (composed, NFC, or as letter and mark, NFD) do count: those are several
    classes, until somebody makes them equal.

    Args:
        name: of the column in warnings.
        written: the labels as the file has them.
        labels: the labels without blanks around them.
        findings: gets the warnings.
    """
    forms, firsts, counts = np.unique(written, return_index=True, return_counts=True)
    one_class: dict[str, dict[str, int]] = defaultdict(dict)
    for form, first, count in zip(forms.tolist(), firsts, counts.tolist(), strict=True):
        one_class[str(labels[first])][form] = count
    alike: dict[str, dict[str, int]] = defaultdict(dict)
    for label, forms_of_label in one_class.items():
        if len(forms_of_label) > 1:
            findings.warn(
                name,
                f"has {_shown(forms_of_label)}; they are one class, blanks around do not count",
            )
        seen = unicodedata.normalize("NFC", " ".join(label.split()))
        alike[seen][label] = sum(forms_of_label.values())
    for labels_alike in alike.values():
        if len(labels_alike) > 1:
            findings.warn(
                name,
                f"has {_shown(labels_alike)}, which look alike and are "
                f"{len(labels_alike)} classes; make them equal if they are one",
            )


def _shown(counts: dict[str, int]) -> str:
    """Return labels in quotes with the rows of each; accents as codes where only those differ."""
    plain = len({unicodedata.normalize("NFC", label) for label in counts}) == len(counts)
    quoted = repr if plain else ascii
    return " and ".join(f"{quoted(label)} ({count:,} rows)" for label, count in counts.items())

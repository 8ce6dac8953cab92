"""Stanford Online Products (Oh Song et al. 2016): 120,053 photographs of 22,634 products."""

from pathlib import Path
from typing import Final

from contract.data import SopData
from worker.data.dataset import Pool
from worker.data.fine_grained import pool
from worker.data.published import Published, all_there, complete, number, rows
from worker.errors import DataError
from worker.progress import Progress

SOURCE: Final = Published(
    "Stanford Online Products",
    folder="Stanford_Online_Products",
    marker="Ebay_train.txt",
    archive="Stanford_Online_Products.zip",
    # The authors' own link, from github.com/rksltnl/Deep-Metric-Learning-CVPR16.
    urls=(
        "https://drive.usercontent.google.com/download"
        "?id=1TclrpQOF_ullUP99wk_gjGN8pKvtErG8&export=download&authuser=0&confirm=t",
    ),
)


def load(spec: SopData, folder: Path, progress: Progress, archive: Path | None = None) -> Pool:
    """Images and products by Ebay_train.txt and Ebay_test.txt, whose products are different ones:
    with a split by class, those of the first train and those of the second test.

    Raises:
        DataError: files are missing and cannot be had, or do not fit together.
        CancelledError: by `progress`.
    """
    root = complete(SOURCE, folder, progress, archive)
    paths: list[Path] = []
    products: list[int] = []
    numbers: list[set[int]] = []
    for name in ("Ebay_train.txt", "Ebay_test.txt"):
        listed = rows(root / name, 4, header=True)
        own = [number(product, root / name, 1) for _, product, _, _ in listed]
        paths += all_there([root / path for _, _, _, path in listed], root / name)
        products += own
        numbers.append(set(own))
    train, test = numbers
    if max(train) >= min(test):
        raise DataError(
            f"{root}: the products of Ebay_train.txt, up to {max(train)}, must come before those "
            f"of Ebay_test.txt, from {min(test)}; put the official lists there"
        )
    return pool(spec, paths, products, training_classes=len(train))

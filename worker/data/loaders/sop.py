"""Stanford Online Products (Oh Song et al. 2016): 120,053 photographs of 22,634 products."""

from pathlib import Path
from typing import Final

from contract.comparison.data import SopData
from worker.data.dataset import Pool
from worker.data.formats.image_lists import images, rows
from worker.data.loaders.fine_grained import pool
from worker.data.sources.published_archives import Published, complete
from worker.reporting.progress import Progress

SOURCE: Final = Published(
    "Stanford Online Products",
    folder="Stanford_Online_Products",
    marker="Ebay_train.txt",
    archive="Stanford_Online_Products.zip",
    # The authors' two places: their group's server, and the link of their repository
    # github.com/rksltnl/Deep-Metric-Learning-CVPR16.
    urls=(
        "http://ftp.cs.stanford.edu/cs/cvgl/Stanford_Online_Products.zip",
        "https://drive.usercontent.google.com/download"
        "?id=1TclrpQOF_ullUP99wk_gjGN8pKvtErG8&export=download&authuser=0&confirm=t",
    ),
    md5="7f73d41a2f44250d4779881525aea32e",
)
LISTS: Final = ("Ebay_train.txt", "Ebay_test.txt")
COLUMNS: Final = 4
"""image_id class_id super_class_id path. A super class holds many products, so that it is no fine
label."""


def load(spec: SopData, folder: Path, progress: Progress) -> Pool:
    """Images and products by Ebay_train.txt and Ebay_test.txt, whose products are different ones:
    with a split by class, those of the first train and those of the second test.

    Raises:
        DataError: files are missing and cannot be had, or do not fit together.
        CancelledError: by `progress`.
    """
    root = complete(SOURCE, folder, progress)
    paths: list[Path] = []
    products: list[int] = []
    last = 0
    """The highest product that trains."""
    for name in LISTS:
        listed = rows(root / name, COLUMNS, header=True)
        for row in listed:
            if (product := row.whole(1, 1)) <= last:
                raise row.error(
                    f"product {product} must come before those that test: {LISTS[0]} goes up to "
                    f"{last}, and no product may be in both lists"
                )
            products.append(product)
        last = last or max(products)
        paths += images(root, [(row.where, row.words[3]) for row in listed], root / name, progress)
    return pool(
        spec, paths, products, training_classes=len({one for one in products if one <= last})
    )

"""Stanford Online Products (Oh Song et al. 2016): 120,053 photographs of 22,634 products."""

from pathlib import Path
from typing import Final

from contract.comparison.data import SopData
from worker.data.dataset import Pool
from worker.data.formats.image_lists import listed_images, read_rows
from worker.data.loaders.fine_grained import fine_grained_pool
from worker.data.sources.published_archives import PublishedArchive, ensure_unpacked
from worker.reporting.progress import Progress

SOURCE: Final = PublishedArchive(
    "Stanford Online Products",
    folder="Stanford_Online_Products",
    marker="Ebay_train.txt",
    archive="Stanford_Online_Products.zip",
    # The authors publish it twice: on the server of their group, and by the link in their
    # repository github.com/rksltnl/Deep-Metric-Learning-CVPR16.
    urls=(
        "http://ftp.cs.stanford.edu/cs/cvgl/Stanford_Online_Products.zip",
        "https://drive.usercontent.google.com/download"
        "?id=1TclrpQOF_ullUP99wk_gjGN8pKvtErG8&export=download&authuser=0&confirm=t",
    ),
    md5="7f73d41a2f44250d4779881525aea32e",
)
LISTS: Final = ("Ebay_train.txt", "Ebay_test.txt")
COLUMNS: Final = 4
"""image_id class_id super_class_id path. A super class holds many products, so it is no fine
label."""


def load(spec: SopData, folder: Path, progress: Progress, *, resplit: bool = False) -> Pool:
    """Load the images and products of Ebay_train.txt and Ebay_test.txt.

    The lists have no product in common: with a split by class, the products of the first train and
    those of the second test.

    Raises:
        DataError: files are missing and cannot be downloaded, or do not match each other.
        CancelledError: raised by `progress`.
    """
    root = ensure_unpacked(SOURCE, folder, progress)
    paths: list[Path] = []
    products: list[int] = []
    last = 0
    """The highest product in the training list."""
    for name in LISTS:
        listed = read_rows(root / name, COLUMNS, header=True)
        for row in listed:
            if (product := row.whole(1, 1)) <= last:
                raise row.error(
                    f"product {product} must come before those that test: {LISTS[0]} goes up to "
                    f"{last}, and no product may be in both lists"
                )
            products.append(product)
        last = last or max(products)
        paths += listed_images(
            root, [(row.where, row.words[3]) for row in listed], root / name, progress
        )
    return fine_grained_pool(
        spec,
        paths,
        products,
        training_classes=len({one for one in products if one <= last}),
        resplit=resplit,
    )

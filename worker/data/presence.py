"""Whether a data set that has files is in its folder, told by one look."""

from pathlib import Path
from typing import Final

PLACES: Final = {
    "mnist": ("MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/train-images-idx3-ubyte.gz"),
    "fashion_mnist": (
        "FashionMNIST/raw/train-images-idx3-ubyte",
        "FashionMNIST/raw/train-images-idx3-ubyte.gz",
    ),
    "cifar10": ("cifar-10-batches-py/data_batch_1", "cifar-10-python.tar.gz"),
    "cifar100": ("cifar-100-python/train", "cifar-100-python.tar.gz"),
    "cub200": ("CUB_200_2011/images.txt", "CUB_200_2011.tgz"),
    "cars196": ("cars196/cars_annos.mat", "stanford_cars/devkit/cars_train_annos.mat"),
    "sop": ("Stanford_Online_Products/Ebay_train.txt", "Stanford_Online_Products.zip"),
    "tiny_imagenet": ("tiny-imagenet-200/wnids.txt", "tiny-imagenet-200.zip"),
    "spoken_digits": (
        "free-spoken-digit-dataset/recordings",
        "free-spoken-digit-dataset/v1.0.10.tar.gz",
    ),
}
"""Kind -> files or folders of which one is there, unpacked or as it was placed."""


def present(kind: str, folder: Path) -> bool:
    """Whether a data set's files are there, whole as far as one look tells."""
    return any((folder / place).exists() for place in PLACES[kind])

"""Where each published data set lies below the folder of all data sets, and whether it does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

State = Literal["yes", "partly", "no"]
STATES: Final[tuple[State, ...]] = ("yes", "partly", "no")


@dataclass(frozen=True)
class Place:
    """One layout of a data set."""

    path: str
    """Its own folder."""
    pieces: tuple[str, ...]
    """Files and folders in it that a loader needs."""
    archives: tuple[str, ...] = ()
    """Archives from which a loader unpacks them, where it looks for these."""
    more: tuple[str, ...] = ()
    """Files of another data set that it needs too."""

    def needs(self) -> tuple[str, ...]:
        """Everything that must be there."""
        return (*(f"{self.path}/{piece}" for piece in self.pieces), *self.more)


def _idx(name: str) -> Place:
    files = tuple(
        f"{part}-{what}-ubyte"
        for part in ("train", "t10k")
        for what in ("images-idx3", "labels-idx1")
    )
    raw = f"{name}/raw"
    return Place(raw, files, tuple(f"{raw}/{file}.gz" for file in files))


_MNIST: Final = _idx("MNIST")

PLACES: Final[dict[str, tuple[Place, ...]]] = {
    "mnist": (_MNIST,),
    "fashion_mnist": (_idx("FashionMNIST"),),
    "cifar10": (
        Place(
            "cifar-10-batches-py",
            (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"),
            ("cifar-10-python.tar.gz",),
        ),
    ),
    "cifar100": (Place("cifar-100-python", ("train", "test"), ("cifar-100-python.tar.gz",)),),
    "cub200": (
        Place(
            "CUB_200_2011",
            ("images.txt", "image_class_labels.txt", "classes.txt", "images"),
            ("CUB_200_2011.tgz",),
        ),
    ),
    "cars196": (
        Place("cars196", ("cars_annos.mat", "car_ims"), ("cars196/car_ims.tgz",)),
        Place(
            "stanford_cars",
            (
                "devkit/cars_train_annos.mat",
                "cars_train",
                "cars_test_annos_withlabels.mat",
                "cars_test",
            ),
            (
                "stanford_cars/car_devkit.tgz",
                "stanford_cars/cars_train.tgz",
                "stanford_cars/cars_test.tgz",
            ),
        ),
    ),
    "sop": (
        Place(
            "Stanford_Online_Products",
            ("Ebay_train.txt", "Ebay_test.txt"),
            ("Stanford_Online_Products.zip",),
        ),
    ),
    "tiny_imagenet": (
        Place(
            "tiny-imagenet-200",
            ("wnids.txt", "train", "val/val_annotations.txt"),
            ("tiny-imagenet-200.zip",),
        ),
    ),
    "spoken_digits": (
        Place(
            "free-spoken-digit-dataset",
            ("recordings",),
            ("free-spoken-digit-dataset/v1.0.10.tar.gz",),
            more=_MNIST.needs(),
        ),
    ),
}
"""Kind -> the layouts in which its loader finds it."""


def state(kind: str, folder: Path) -> tuple[State, Place]:
    """Whether a data set is there, unpacked, and in which layout; the first if in none.

    Only looks whether the files are there; loading them tells whether they are whole.
    """
    found = [(_state(place, folder), place) for place in PLACES[kind]]
    return min(found, key=lambda one: STATES.index(one[0]))


def _state(place: Place, folder: Path) -> State:
    there = [(folder / need).exists() for need in place.needs()]
    if all(there):
        return "yes"
    own = there[: len(place.pieces)]
    placed = any((folder / archive).exists() for archive in place.archives)
    return "partly" if any(own) or placed else "no"

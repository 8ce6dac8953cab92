"""Where each published data set is looked for in the folder of all data sets, and whether it is
there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

State = Literal["yes", "partly", "no"]
STATES: Final[tuple[State, ...]] = ("yes", "partly", "no")


@dataclass(frozen=True)
class Location:
    """One layout of a data set; all paths are relative to the folder of all data sets."""

    path: str
    """The folder of the data set."""
    pieces: tuple[str, ...]
    """Files and folders in it that its loader needs."""
    archives: tuple[str, ...] = ()
    """Archives from which the loader can unpack them."""
    more: tuple[str, ...] = ()
    """Files of another data set that the loader needs too."""

    def needs(self) -> tuple[str, ...]:
        """Return the paths of everything that must be there."""
        return (*(f"{self.path}/{piece}" for piece in self.pieces), *self.more)


def _idx(name: str) -> Location:
    files = tuple(
        f"{part}-{what}-ubyte"
        for part in ("train", "t10k")
        for what in ("images-idx3", "labels-idx1")
    )
    raw = f"{name}/raw"
    return Location(raw, files, tuple(f"{raw}/{file}.gz" for file in files))


_MNIST: Final = _idx("MNIST")

LOCATIONS: Final[dict[str, tuple[Location, ...]]] = {
    "mnist": (_MNIST,),
    "fashion_mnist": (_idx("FashionMNIST"),),
    "cifar10": (
        Location(
            "cifar-10-batches-py",
            (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"),
            ("cifar-10-python.tar.gz",),
        ),
    ),
    "cifar100": (Location("cifar-100-python", ("train", "test"), ("cifar-100-python.tar.gz",)),),
    "cub200": (
        Location(
            "CUB_200_2011",
            ("images.txt", "image_class_labels.txt", "classes.txt", "images"),
            ("CUB_200_2011.tgz",),
        ),
    ),
    "cars196": (
        Location("cars196", ("cars_annos.mat", "car_ims"), ("cars196/car_ims.tgz",)),
        Location(
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
        Location(
            "Stanford_Online_Products",
            ("Ebay_train.txt", "Ebay_test.txt"),
            ("Stanford_Online_Products.zip",),
        ),
    ),
    "tiny_imagenet": (
        Location(
            "tiny-imagenet-200",
            ("wnids.txt", "train", "val/val_annotations.txt"),
            ("tiny-imagenet-200.zip",),
        ),
    ),
    "spoken_digits": (
        Location(
            "free-spoken-digit-dataset",
            ("recordings",),
            ("free-spoken-digit-dataset/v1.0.10.tar.gz",),
            more=_MNIST.needs(),
        ),
    ),
}
"""Kind of data -> the layouts that its loader accepts."""


def state(kind: str, folder: Path) -> tuple[State, Location]:
    """Return whether a data set is there, unpacked, and in which layout; the first if in none.

    Only looks whether the files exist; whether they are complete shows when they are loaded.
    """
    found = [(_state(place, folder), place) for place in LOCATIONS[kind]]
    return min(found, key=lambda one: STATES.index(one[0]))


def _state(place: Location, folder: Path) -> State:
    there = [(folder / need).exists() for need in place.needs()]
    if all(there):
        return "yes"
    own = there[: len(place.pieces)]
    placed = any((folder / archive).exists() for archive in place.archives)
    return "partly" if any(own) or placed else "no"

"""A team's own data: uploaded, or lying where the workers can see them."""

from typing import Literal

from contract.comparison.data.shared_settings import (
    DATASET,
    IMAGE_SIZE,
    SPLIT_SEED,
    VALIDATION,
    Seed,
    SplitBy,
    ValidateOn,
    on_worker,
    split_by,
)
from contract.comparison.problems import Section


class _Own(Section):
    dataset: str = DATASET

    @property
    def path(self) -> str:
        """Where it lies on the workers' machine; empty for an upload."""
        raise NotImplementedError


class ImageFolderData(_Own):
    """Images in one folder a class."""

    kind: Literal["image_folder"] = "image_folder"
    folder: str = on_worker("Folder", "a folder of class folders")
    split: SplitBy = split_by("class")
    validation: ValidateOn = VALIDATION
    image_size: int = IMAGE_SIZE
    seed: Seed = SPLIT_SEED

    @property
    def path(self) -> str:
        """The folder."""
        return self.folder


class _OwnTable(_Own):
    file: str = on_worker("File", "an npz or Parquet file")
    split: SplitBy = split_by("item")
    validation: ValidateOn = VALIDATION
    seed: Seed = SPLIT_SEED

    @property
    def path(self) -> str:
        """The file."""
        return self.file


class FeaturesData(_OwnTable):
    """A table of features with labels, as npz or Parquet."""

    kind: Literal["features"] = "features"


class PairedFeaturesData(_OwnTable):
    """A table of two modalities, row by row of one thing: audio and visual features, or any two."""

    kind: Literal["paired_features"] = "paired_features"
    file: str = on_worker("File", "an npz, Parquet, h5 or mat file, or AVE's folder")


OwnData = ImageFolderData | FeaturesData | PairedFeaturesData
"""Kinds whose items a team brings."""

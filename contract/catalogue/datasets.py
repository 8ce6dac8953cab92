"""The data sets of the catalogue, and the rows that all parts of the catalogue consist of."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel

from contract.comparison.data import (
    Cars196Data,
    Cifar10Data,
    Cifar100Data,
    Cub200Data,
    DigitsData,
    FashionMnistData,
    FeaturesData,
    GeneratedTextData,
    GeneratedTuplesData,
    ImageFolderData,
    LabelledPairsData,
    MnistData,
    PairedFeaturesData,
    PairsData,
    ScoredPairsData,
    SopData,
    SpokenDigitsData,
    SyntheticData,
    TextData,
    TinyImagenetData,
    TripletsData,
)


@dataclass(frozen=True)
class Row:
    """One choice of the form."""

    section: type[BaseModel]
    """Its settings; `kind` is its name in a spec."""
    label: str
    idea: str
    """One line that helps to choose."""
    formula: str = ""
    """LaTeX."""
    paper: str = ""
    url: str = ""

    @property
    def kind(self) -> str:
        """Name of the choice in a spec."""
        return str(self.section.model_fields["kind"].default)


Source = Literal["bundled", "fetched", "placed", "own"]
"""Where data come from: bundled with the product; fetched when a run first needs them; placed by
hand where workers look for them, because their host is gone or asks to accept a licence; or a
team's own."""


@dataclass(frozen=True)
class DataRow(Row):
    """One data set."""

    section: type[Any]
    source: Source = "bundled"
    size: str = ""
    """Size of the download or of the files to place."""
    fine_labels: bool = False
    """Whether the data have fine labels, for detail retention; for a team's own data this is known
    only once they are read."""


DATA: Final = (
    DataRow(
        DigitsData,
        "Digits",
        "1,797 real 8 x 8 scans of handwritten digits, 10 classes; bundled, nothing to download.",
        paper="Alpaydin & Kaynak 1998, UCI Optical Recognition of Handwritten Digits",
        url="https://doi.org/10.24432/C50P49",
    ),
    DataRow(
        SyntheticData,
        "Synthetic modes",
        "Gaussian classes of several modes with overlap and outliers; the modes are fine labels "
        "that no loss sees.",
        paper="Zeng 2025, Comparing Contrastive and Triplet Loss",
        url="https://arxiv.org/abs/2510.02161",
        fine_labels=True,
    ),
    DataRow(
        MnistData,
        "MNIST",
        "70,000 real 28 x 28 scans of handwritten digits, 10 classes.",
        paper="LeCun, Bottou, Bengio & Haffner 1998, Gradient-Based Learning Applied to Document "
        "Recognition",
        url="http://yann.lecun.com/exdb/mnist/",
        source="fetched",
        size="12 MB",
    ),
    DataRow(
        FashionMnistData,
        "Fashion-MNIST",
        "70,000 grey 28 x 28 images of clothes, 10 classes; harder than digits, as quick to train.",
        paper="Xiao, Rasul & Vollgraf 2017, Fashion-MNIST",
        url="https://arxiv.org/abs/1708.07747",
        source="fetched",
        size="31 MB",
    ),
    DataRow(
        Cifar10Data,
        "CIFAR-10",
        "60,000 colour images of 32 x 32 pixels, 10 classes.",
        paper="Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
        url="https://www.cs.toronto.edu/~kriz/cifar.html",
        source="fetched",
        size="171 MB",
    ),
    DataRow(
        Cifar100Data,
        "CIFAR-100",
        "60,000 colour images of 32 x 32 pixels; 20 coarse classes train, their 100 fine ones show "
        "how much detail is kept.",
        paper="Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
        url="https://www.cs.toronto.edu/~kriz/cifar.html",
        source="fetched",
        size="169 MB",
        fine_labels=True,
    ),
    DataRow(
        Cub200Data,
        "CUB-200-2011",
        "11,788 photographs of 200 species of birds; as a rule half of them are only seen at test.",
        paper="Wah, Branson, Welinder, Perona & Belongie 2011, The Caltech-UCSD Birds-200-2011 "
        "Dataset",
        url="https://www.vision.caltech.edu/datasets/cub_200_2011/",
        source="fetched",
        size="1.2 GB",
    ),
    DataRow(
        Cars196Data,
        "CARS196",
        "16,185 photographs of 196 models of cars; its host is gone, so that the archives are "
        "placed by hand.",
        paper="Krause, Stark, Deng & Fei-Fei 2013, 3D Object Representations for Fine-Grained "
        "Categorization",
        url="https://doi.org/10.1109/ICCVW.2013.77",
        source="placed",
        size="2 GB",
    ),
    DataRow(
        SopData,
        "Stanford Online Products",
        "120,053 photographs of 22,634 products for sale, about five each.",
        paper="Oh Song, Xiang, Jegelka & Savarese 2016, Deep Metric Learning via Lifted Structured "
        "Feature Embedding",
        url="https://arxiv.org/abs/1511.06452",
        source="fetched",
        size="3 GB",
    ),
    DataRow(
        TinyImagenetData,
        "Tiny-ImageNet",
        "110,000 images of 64 x 64 pixels, 200 classes of ImageNet.",
        paper="Le & Yang 2015, Tiny ImageNet Visual Recognition Challenge",
        url="http://cs231n.stanford.edu/reports/2015/pdfs/yle_project.pdf",
        source="fetched",
        size="248 MB",
    ),
    DataRow(
        ImageFolderData,
        "Your images",
        "One folder for each class: an uploaded zip, or a folder that the workers can read.",
        source="own",
    ),
    DataRow(
        FeaturesData,
        "Your features",
        "A table of features with labels, as npz, Parquet, CSV, HDF5 or mat.",
        source="own",
    ),
    DataRow(
        GeneratedTextData,
        "Generated texts",
        "Short requests such as people type to an assistant, made from phrases: domains train, and "
        "their intents, which no loss sees, show how much detail is kept.",
        fine_labels=True,
    ),
    DataRow(
        TextData,
        "Your texts",
        "A table of texts with labels, as CSV, Parquet or JSON lines.",
        source="own",
    ),
    DataRow(
        GeneratedTuplesData,
        "Generated tuples",
        "Pairs, triplets, or labelled or scored pairs of generated requests: two phrasings of one "
        "intent belong together.",
    ),
    DataRow(
        PairsData,
        "Your pairs",
        "A table of anchors and their positives, texts or ids of rows of a feature table.",
        source="own",
    ),
    DataRow(
        TripletsData,
        "Your triplets",
        "A table of anchors, positives and negatives, texts or ids of rows of a feature table.",
        source="own",
    ),
    DataRow(
        LabelledPairsData,
        "Your labelled pairs",
        "A table of pairs that say whether they belong together, texts or ids of rows of a feature "
        "table.",
        source="own",
    ),
    DataRow(
        ScoredPairsData,
        "Your scored pairs",
        "A table of pairs with a score of their similarity, texts or ids of rows of a feature "
        "table.",
        source="own",
    ),
    DataRow(
        SpokenDigitsData,
        "Spoken digits x digit images",
        "Recordings of six people saying a digit, each with an image of that digit: two encoders "
        "learn one space; the speaker is the fine label.",
        paper="Jackson et al. 2018, Free Spoken Digit Dataset",
        url="https://doi.org/10.5281/zenodo.1342401",
        source="fetched",
        size="16 MB",
        fine_labels=True,
    ),
    DataRow(
        PairedFeaturesData,
        "Your pairs of features",
        "A table of two modalities, such as AVE's or VEGAS' audio and visual features: two "
        "encoders learn one space.",
        source="own",
    ),
)

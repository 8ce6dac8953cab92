"""What can be chosen: rows with names, ideas, papers and settings, from which the form is built."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from pydantic import BaseModel

from contract.data import DigitsData, MnistData, SyntheticData
from contract.encoder import ConvnetEncoder, MlpEncoder
from contract.loss import (
    ArcFaceLoss,
    CenterContrastiveLoss,
    ContrastiveLoss,
    InfoNceLoss,
    NPairLoss,
    SupConLoss,
    TripletLoss,
)
from contract.metrics import METRICS
from contract.presets import PRESETS
from contract.training import (
    AdamOptimizer,
    AdamWOptimizer,
    Measure,
    MPerClassSampler,
    SgdOptimizer,
    ShuffleSampler,
    Training,
)


@dataclass(frozen=True)
class Row:
    """One choice of the form."""

    section: type[BaseModel]
    """Its settings; `kind` is the choice's name in a spec."""
    label: str
    idea: str
    """One line, for people who choose."""
    formula: str = ""
    """LaTeX."""
    paper: str = ""
    url: str = ""
    fine_labels: bool = False
    """Whether the data have labels within the classes, for detail retention."""

    @property
    def kind(self) -> str:
        """The choice's name in a spec."""
        return str(self.section.model_fields["kind"].default)


DATA: Final = (
    Row(
        DigitsData,
        "Digits",
        "1,797 real 8 x 8 scans of handwritten digits, 10 classes; bundled, nothing to download.",
        paper="Alpaydin & Kaynak 1998, UCI Optical Recognition of Handwritten Digits",
        url="https://doi.org/10.24432/C50P49",
    ),
    Row(
        MnistData,
        "MNIST",
        "70,000 real 28 x 28 scans of handwritten digits, 10 classes; 12 MB, downloaded when a "
        "run first needs them.",
        paper="LeCun, Bottou, Bengio & Haffner 1998, Gradient-Based Learning Applied to Document "
        "Recognition",
        url="http://yann.lecun.com/exdb/mnist/",
    ),
    Row(
        SyntheticData,
        "Synthetic modes",
        "Gaussian classes of several modes with overlap and outliers; the modes are fine labels "
        "that no loss sees.",
        paper="Zeng 2025, Comparing Contrastive and Triplet Loss",
        url="https://arxiv.org/abs/2510.02161",
        fine_labels=True,
    ),
)

ENCODERS: Final = (
    Row(MlpEncoder, "MLP", "A multi-layer perceptron; takes vectors and small images."),
    Row(
        ConvnetEncoder,
        "Small convnet",
        "Two convolutional blocks and a linear head; for small images.",
    ),
)

LOSSES: Final = (
    Row(
        ContrastiveLoss,
        "Contrastive",
        "Pull each positive pair together, push each negative pair out to the margin.",
        r"\sum_{(x,y) \in P} s_{xy} + \sum_{(x,y) \in N} \max(0,\, m - d_{xy})^2",
        "Hadsell, Chopra & LeCun 2006, Dimensionality Reduction by Learning an Invariant Mapping",
        "https://doi.org/10.1109/CVPR.2006.100",
    ),
    Row(
        TripletLoss,
        "Triplet",
        "Ask each negative to lie farther from the anchor than each positive, by the margin.",
        r"\sum_{(a,p,n)} \max(0,\, s_{ap} - s_{an} + m)",
        "Schroff, Kalenichenko & Philbin 2015, FaceNet",
        "https://arxiv.org/abs/1503.03832",
    ),
    Row(
        NPairLoss,
        "N-pair",
        "Ask one positive to be more similar to the anchor than one item of every other class.",
        r"\log\Bigl(1 + \sum_{j \ne i} e^{z_i \cdot z_j^+ - z_i \cdot z_i^+}\Bigr)",
        "Sohn 2016, Improved Deep Metric Learning with Multi-class N-pair Loss Objective",
        "https://papers.nips.cc/paper/6200",
    ),
    Row(
        InfoNceLoss,
        "InfoNCE / NT-Xent",
        "Ask each positive to win a softmax against all negatives of the anchor.",
        r"-\log \frac{e^{\cos_{ap} / \tau}}{e^{\cos_{ap} / \tau} + \sum_n e^{\cos_{an} / \tau}}",
        "van den Oord, Li & Vinyals 2018, CPC; Chen et al. 2020, SimCLR",
        "https://arxiv.org/abs/1807.03748",
    ),
    Row(
        ArcFaceLoss,
        "ArcFace",
        "Classify by angles to trainable class weights, with a margin on the own class's angle.",
        r"-\log \frac{e^{s \cos(\theta_y + m)}}{e^{s \cos(\theta_y + m)} + \sum_{j \ne y} "
        r"e^{s \cos\theta_j}}",
        "Deng et al. 2019, ArcFace: Additive Angular Margin Loss",
        "https://arxiv.org/abs/1801.07698",
    ),
    Row(
        SupConLoss,
        "Supervised contrastive",
        "Average over the anchor's positives within one softmax over the whole batch.",
        r"\frac{-1}{|P_a|}\sum_{p \in P_a} \log \frac{e^{\cos_{ap} / \tau}}{\sum_{x \ne a} "
        r"e^{\cos_{ax} / \tau}}",
        "Khosla et al. 2020, Supervised Contrastive Learning",
        "https://arxiv.org/abs/2004.11362",
    ),
    Row(
        CenterContrastiveLoss,
        "Centre contrastive",
        "Compare each item with a bank of trainable class centres, and pull it to its own.",
        r"-\log \frac{e^{\cos(z, c_y) / \tau}}{\sum_j e^{\cos(z, c_j) / \tau}} + "
        r"\lVert \hat z - \hat c_y \rVert^2",
        "Cai, Xiong & Tian 2023, Center Contrastive Loss for Metric Learning",
        "https://arxiv.org/abs/2308.00458",
    ),
)

SAMPLERS: Final = (
    Row(ShuffleSampler, "Shuffle", "A new random order each epoch."),
    Row(MPerClassSampler, "m per class", "Batches of whole classes with m items each."),
)

OPTIMIZERS: Final = (
    Row(
        AdamOptimizer,
        "Adam",
        "Adaptive step sizes.",
        paper="Kingma & Ba 2015",
        url="https://arxiv.org/abs/1412.6980",
    ),
    Row(
        AdamWOptimizer,
        "AdamW",
        "Adam with decoupled weight decay.",
        paper="Loshchilov & Hutter 2019",
        url="https://arxiv.org/abs/1711.05101",
    ),
    Row(SgdOptimizer, "SGD", "Stochastic gradient descent with momentum."),
)


def catalogue() -> dict[str, Any]:
    """Everything that can be chosen or measured, as JSON.

    Each row carries its kind, texts and the JSON schema of its settings, whose titles,
    descriptions, bounds and defaults are what the form shows.
    """
    return {
        "data": _rows(DATA),
        "encoders": _rows(ENCODERS),
        "losses": _rows(LOSSES),
        "samplers": _rows(SAMPLERS),
        "optimizers": _rows(OPTIMIZERS),
        "training": Training.model_json_schema(),
        "measure": Measure.model_json_schema(),
        "presets": [asdict(preset) for preset in PRESETS],
        "metrics": [asdict(metric) for metric in METRICS.values()],
    }


def _rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [
        {
            "kind": row.kind,
            "label": row.label,
            "idea": row.idea,
            "formula": row.formula,
            "paper": row.paper,
            "url": row.url,
            "fine_labels": row.fine_labels,
            "schema": row.section.model_json_schema(),
        }
        for row in rows
    ]

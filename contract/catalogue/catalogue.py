"""The catalogue from which the form is built: every choice with its texts, papers and settings."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final, get_args

from contract.catalogue.datasets import DATA, DataRow, Row
from contract.catalogue.practical import DEFAULT_RATIO, catalogue_rows
from contract.catalogue.presets import PRESETS
from contract.catalogue.tuning import tuning_entry
from contract.comparison.data import (
    SHAPES,
    Cifar100Data,
    GeneratedTuplesData,
    modalities,
    shape_of,
)
from contract.comparison.encoder import (
    TAKES,
    AudioConvnetEncoder,
    ConvnetEncoder,
    EfficientnetLite0Encoder,
    MlpEncoder,
    Resnet18Encoder,
    Resnet50Encoder,
    StaticTextEncoder,
    TransformerTextEncoder,
    VitB32Encoder,
)
from contract.comparison.loss import (
    ArcFaceLoss,
    CenterContrastiveLoss,
    ContrastiveLoss,
    CosentLoss,
    InfoNceLoss,
    NPairLoss,
    SupConLoss,
    TripletLoss,
)
from contract.comparison.replication import kind_of
from contract.comparison.spec import MAX_ARM_NAME, MAX_ARMS
from contract.comparison.training import (
    AdamOptimizer,
    AdamWOptimizer,
    Measure,
    MPerClassSampler,
    SgdOptimizer,
    ShuffleSampler,
    Training,
    TrainingOverrides,
)
from contract.comparison.tuple_checks import LOSS_SHAPES, TUPLES_ONLY
from contract.metrics import METRICS
from contract.tuning.spaces import most_classes

__all__ = ["DATA", "ENCODERS", "LOSSES", "OPTIMIZERS", "SAMPLERS", "catalogue"]

OWN_SOURCE: Final = "lossboard"
"""Source of our own losses, beside those that workers bring."""

ENCODERS: Final = (
    Row(MlpEncoder, "MLP", "A multi-layer perceptron; takes vectors and small images."),
    Row(
        ConvnetEncoder,
        "Small convnet",
        "Two convolutional blocks and a linear head; for small images.",
    ),
    Row(
        AudioConvnetEncoder,
        "Audio convnet",
        "Convolutional blocks over mel bands and time, then the mean over time; for spectrograms.",
    ),
    Row(
        Resnet18Encoder,
        "ResNet-18",
        "18 layers with shortcuts, ImageNet weights (45 MB, fetched when a run first needs them); "
        "frozen, under a trained head, or trained as a whole.",
        paper="He, Zhang, Ren & Sun 2016, Deep Residual Learning for Image Recognition",
        url="https://arxiv.org/abs/1512.03385",
    ),
    Row(
        Resnet50Encoder,
        "ResNet-50",
        "50 layers with shortcuts, ImageNet weights (98 MB, fetched when a run first needs them).",
        paper="He, Zhang, Ren & Sun 2016, Deep Residual Learning for Image Recognition",
        url="https://arxiv.org/abs/1512.03385",
    ),
    Row(
        VitB32Encoder,
        "ViT-B/32",
        "A transformer over 32 x 32 patches, ImageNet weights (337 MB, fetched when a run first "
        "needs them).",
        paper="Dosovitskiy et al. 2021, An Image is Worth 16x16 Words",
        url="https://arxiv.org/abs/2010.11929",
    ),
    Row(
        EfficientnetLite0Encoder,
        "EfficientNet-Lite0",
        "A small mobile network; its ImageNet weights (18 MB) come with a package that is an "
        "optional extra, so nothing is downloaded at a run.",
        paper="Tan & Le 2019, EfficientNet (Lite0: without swish and squeeze-and-excitation)",
        url="https://arxiv.org/abs/1905.11946",
    ),
    Row(
        StaticTextEncoder,
        "Static text",
        "The mean of a vector for each token, whatever stands around it: 32,000 x 256 numbers "
        "distilled from language models, bundled, so nothing is downloaded; or a static model of "
        "your own. Thousands of texts a second on one core.",
        paper="Miller 2024, WordLlama; Tulkens & van Dongen 2024, Model2Vec",
        url="https://github.com/dleemiller/WordLlama",
    ),
    Row(
        TransformerTextEncoder,
        "Transformer for text",
        "A folder of your own as sentence-transformers or transformers save it, with its pooling; "
        "an optional extra of the workers.",
        paper="Reimers & Gurevych 2019, Sentence-BERT",
        url="https://arxiv.org/abs/1908.10084",
    ),
)

LOSSES: Final = (
    Row(
        ContrastiveLoss,
        "Contrastive",
        "Pull each positive pair together, push each negative pair out to the margin.",
        r"\sum_{(x,y) \in P} \max(0,\, d_{xy} - m_p)^2 + "
        r"\sum_{(x,y) \in N} \max(0,\, m - d_{xy})^2",
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
        r"\log\Bigl(1 + \sum_{j \ne i} e^{s\,(z_i \cdot z_j^+ - z_i \cdot z_i^+)}\Bigr)",
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
    Row(
        CosentLoss,
        "CoSENT",
        "Ask the cosines of pairs to have the order of their scores; for pairs with a score or a "
        "label.",
        r"\log\Bigl(1 + \sum_{s_k > s_l} e^{\lambda\,(\cos_l - \cos_k)}\Bigr)",
        "Su 2022, CoSENT: a more effective sentence vector scheme",
        "https://kexue.fm/archives/8847",
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
    """Return everything that can be chosen or measured, as JSON.

    Each row has its kind, its texts and the JSON schema of its settings; the form shows the titles,
    descriptions, bounds and defaults of that schema.
    """
    return {
        "data": [_data_row(row) for row in DATA],
        "encoders": [{**row, "takes": list(TAKES[row["kind"]])} for row in _rows(ENCODERS)],
        "losses": [
            {
                **row,
                "source": OWN_SOURCE,
                "shapes": list(LOSS_SHAPES.get(row["kind"], ())),
                "classes": row["kind"] not in TUPLES_ONLY,
            }
            for row in _rows(LOSSES)
        ],
        "samplers": _rows(SAMPLERS),
        "optimizers": _rows(OPTIMIZERS),
        "training": Training.model_json_schema(),
        "arm_training": list(TrainingOverrides.model_fields),
        "measure": Measure.model_json_schema(),
        "practical": catalogue_rows(),
        "practical_ratio": DEFAULT_RATIO,
        "limits": {"arms": MAX_ARMS, "arm_name": MAX_ARM_NAME},
        "tuning": tuning_entry(),
        "presets": [asdict(preset) for preset in PRESETS],
        "metrics": [asdict(metric) for metric in METRICS.values()],
        "plugins": [],  # of which only the workers know
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
            "schema": row.section.model_json_schema(),
        }
        for row in rows
    ]


def _data_row(row: DataRow) -> dict[str, Any]:
    """Return the row of a data set, with the kind of its items at default settings."""
    section = row.section()
    held = modalities(section)
    return {
        **_rows([row])[0],
        "fine_labels": row.fine_labels,
        "source": row.source,
        "size": row.size,
        "items": held.items,
        "visual": held.visual,
        "modalities": 1 if held.visual is None else 2,
        "replication": kind_of(section, "split"),
        "shape": shape_of(section),
        "shapes": list(SHAPES) if isinstance(section, GeneratedTuplesData) else [],
        "batch_classes": most_classes(section),
        "batch_classes_by": _batch_classes_by(section),
    }


def _batch_classes_by(data: Any) -> dict[str, dict[str, int | None]]:
    """Return the classes that a batch can have for each value of the labels that train, where data
    have several sets of them, by the setting's name."""
    if not isinstance(data, Cifar100Data):
        return {}
    counts = {
        labels: most_classes(Cifar100Data(train_labels=labels))
        for labels in get_args(Cifar100Data.model_fields["train_labels"].annotation)
    }
    return {"train_labels": counts}

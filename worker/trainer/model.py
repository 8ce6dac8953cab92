"""The trained model: one encoder, or two that map two modalities into one space."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from contract.comparison.data import shape_of
from contract.comparison.loss import PluginLoss
from contract.comparison.spec import Arm, ComparisonSpec
from contract.comparison.training import Precision
from worker import encoders, losses
from worker.api.plugin_ref import PluginRef
from worker.data import Dataset, Split
from worker.errors import InputError
from worker.losses import Loss, LossOutput, TupleLoss, two_ways
from worker.plugins import adapter
from worker.reporting.progress import Progress
from worker.settings import datasets_folder


class Model(nn.Module):
    """The encoder of each modality."""

    def __init__(self, encoders: Sequence[nn.Module], precision: Precision = "float32") -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoders)
        self._autocast = precision == "bfloat16"

    def forward(self, batch: Split) -> tuple[Tensor, ...]:
        """Return embeddings [B, D] float32 of each modality of a batch."""
        items = (batch.items,) if batch.visual is None else (batch.items, batch.visual)
        device = batch.items.device.type
        with torch.autocast(device, torch.bfloat16, enabled=self._autocast):
            embeddings = [encoder(part) for encoder, part in zip(self.encoders, items, strict=True)]
        return tuple(part.to(torch.float32) for part in embeddings)


def build_model(spec: ComparisonSpec, data: Dataset, progress: Progress) -> Model:
    """Build the untrained model of a spec for these data; may download pretrained weights."""
    folder = datasets_folder()
    built = [encoders.build(spec.encoder, data.item_shape, folder=folder, progress=progress)]
    if spec.visual_encoder is not None and data.visual_shape is not None:
        built.append(
            encoders.build(spec.visual_encoder, data.visual_shape, folder=folder, progress=progress)
        )
    return Model(built, spec.training.precision)


def build_loss(
    spec: ComparisonSpec, arm: Arm, classes: int, plugin: PluginRef | None
) -> Loss | TupleLoss:
    """Build the loss of an arm.

    Args:
        spec: of the comparison.
        arm: of the spec.
        classes: that train.
        plugin: where its loss lies, if that is a plug-in.

    Raises:
        InputError: its loss is a plug-in, and it is not known where it lies.
    """
    if (shape := shape_of(spec.data)) is not None:
        return losses.build_for_tuples(arm.loss, shape)
    dim = spec.encoder.embedding_dim
    if not isinstance(arm.loss, PluginLoss):
        return losses.build(arm.loss, classes=classes, dim=dim)
    if plugin is None:
        raise InputError(f"loss: this worker does not have the plug-in {arm.loss.name!r}")
    return adapter.build(plugin, arm.loss, classes=classes, dim=dim)


def compute_loss(
    loss: Loss | TupleLoss,
    embeddings: Sequence[Tensor],
    batch: Split,
    generator: torch.Generator,
) -> LossOutput:
    """Compute the loss of a model's embeddings: of the batch's tuples where it has some; else by
    its labels, within one modality, or between two, both ways.

    Values are not checked, because a check waits for a GPU; values that are not finite show in the
    loss.
    """
    labels, rows = batch.labels, batch.rows
    if rows is not None:
        return loss(  # type: ignore[no-any-return]
            *(embeddings[0], labels, rows.places),
            shape=rows.shape,
            same=rows.same,
            scores=rows.scores,
            check_values=False,
        )
    assert not isinstance(loss, TupleLoss), "the data have labels"
    if len(embeddings) == 1:
        return loss(embeddings[0], labels, generator=generator, check_values=False)  # type: ignore[no-any-return]
    audio, visual = embeddings
    return two_ways(loss, audio, visual, labels, generator=generator, check_values=False)

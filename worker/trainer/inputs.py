"""The inputs of a training: data sets, decoded, read by a tokenizer, or turned into features of a
frozen backbone."""

from dataclasses import dataclass

import torch
from torch import Tensor

from contract.comparison.data import Data
from contract.comparison.encoder import BackboneEncoder, Encoder, TextEncoder, is_frozen
from contract.comparison.spec import ComparisonSpec
from worker import data, encoders, features, machine
from worker.artifacts import ModelFacts, Origin, model_facts, origin_of
from worker.data import Dataset, ImageFiles, Items, Texts
from worker.data.folds import trial_pool
from worker.reporting.progress import Progress
from worker.settings import cache_folder, datasets_folder
from worker.snapshots import SampleSet, draw_samples
from worker.torch_utils import one_thread


@dataclass(frozen=True)
class Inputs:
    """The data of a run, on its device."""

    data: Dataset
    raw_backbone: bool
    """Whether the items are the features of a frozen backbone. They are measured like embeddings
    then, to show what the backbone gives without a trained head."""
    samples: SampleSet
    """The held-out samples of its snapshots."""
    origin: Origin | None = None
    """What a model that is kept tells of them; None for a trial, of which nothing is kept."""


def prepare_inputs(spec: ComparisonSpec, device: torch.device, progress: Progress) -> Inputs:
    """Download and read the data that a spec names, and convert them to what its encoders take.

    The data of a trial have no test split.

    Args:
        spec: of the comparison; its data are those of the run, with the run's own data seed.
        device: of the run.
        progress: takes the progress.

    Raises:
        DataError: data or weights are missing, damaged or do not fit the spec.
        MemoryEstimateError: they do not fit the memory.
        CancelledError: by `progress`.
    """
    with one_thread():  # so that standardised features do not depend on the number of threads
        pool = data.load(spec.data, progress=progress, resplit=spec.replicate == "split")
        if spec.trial is not None:
            pool = trial_pool(pool, spec.data, spec.trial.fold)
    items, backbone = _tensor(pool.items, spec.data, spec.encoder, device, progress)
    visual, of_visual = None, None
    if pool.visual is not None and spec.visual_encoder is not None:
        visual, of_visual = _tensor(pool.visual, spec.data, spec.visual_encoder, device, progress)
    _check_copies(device, items, visual)
    dataset = pool.dataset(items, visual)
    raw_backbone = visual is None and is_frozen(spec.encoder)
    origin = None if spec.trial is not None else origin_of(pool, spec, (backbone, of_visual))
    return Inputs(dataset.to(device), raw_backbone, draw_samples(pool, spec), origin)


def _check_copies(device: torch.device, *tensors: Tensor | None) -> None:
    """Check the memory for the splits: they are copies, made while all items are still there."""
    size = sum(tensor.nbytes for tensor in tensors if tensor is not None)
    advice = "Take fewer training items or a smaller image side."
    machine.check_memory({"items of the splits": size}, device, advice)


def _tensor(
    items: Items, data_spec: Data, encoder: Encoder, device: torch.device, progress: Progress
) -> tuple[Tensor, ModelFacts | None]:
    """Return items as the encoder takes them: a frozen backbone's features for its head, with what
    is known of that; images at a backbone's size; tokens of texts; or the items as they are."""
    if isinstance(encoder, TextEncoder):
        assert isinstance(items, Texts), "the spec's encoder takes texts"
        return _of_texts(items, encoder, device, progress)
    assert not isinstance(items, Texts), "the spec's encoder takes no texts"
    if not isinstance(encoder, BackboneEncoder):
        if isinstance(items, ImageFiles):
            side: int = getattr(data_spec, "image_size")  # noqa: B009
            return _decode(items, side, side, progress), None
        return items, None
    if not is_frozen(encoder) and not isinstance(items, ImageFiles):
        return items, None
    backbone = encoders.backbone(encoder, folder=datasets_folder(), progress=progress)
    if is_frozen(encoder):
        facts = model_facts(backbone, digest=True)
        found = features.extract_features(
            items, backbone.to(device), device, cache=cache_folder(), progress=progress
        )
        return found, facts
    assert isinstance(items, ImageFiles)
    return _decode(items, backbone.resize, backbone.crop, progress), None


def _of_texts(
    texts: Texts, encoder: TextEncoder, device: torch.device, progress: Progress
) -> tuple[Tensor, ModelFacts | None]:
    """Return a frozen model's features of texts, with what is known of it, or their tokens."""
    model = encoders.text_model(encoder)
    if not is_frozen(encoder):
        progress("reading texts", 0, len(texts), "texts")
        return model.tokens(texts.texts), None
    facts = model_facts(model, digest=True)
    found = features.extract_features(
        texts, model.to(device), device, cache=cache_folder(), progress=progress
    )
    return found, facts


def _decode(files: ImageFiles, resize: int, crop: int, progress: Progress) -> Tensor:
    """Decode all images, if they and the copies of their splits fit into memory."""
    size = 3 * crop**2 * len(files)
    needs = {f"{len(files):,} images of {crop} x {crop} pixels": size, "their splits": size}
    advice = "Take a frozen backbone, which holds features only, or a smaller image side."
    machine.check_memory(needs, torch.device("cpu"), advice)
    return features.decode_images(files, resize=resize, crop=crop, progress=progress)

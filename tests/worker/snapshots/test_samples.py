"""The samples of a snapshot: items of the validation split, in both modalities of paired data."""

import json

import numpy as np
import torch

from contract.comparison.spec import parse_spec
from contract.snapshots import Samples
from tests.support.specs import small
from worker import data
from worker.data.splits import Indices
from worker.snapshots import draw_samples


def test_samples_are_validation_items() -> None:
    spec = parse_spec(small(measure={"snapshot_size": 40}))
    pool = data.load(spec.data)
    samples = draw_samples(pool, spec)
    description = samples.description
    assert set(description.ids) <= set(pool.indices.validation.tolist())
    assert len(set(description.ids)) == 40
    assert description.labels == pool.labels[torch.tensor(description.ids)].tolist()
    assert (description.total, description.media, description.tile) == (
        len(pool.indices.validation),
        "image",
        28,
    )
    assert description.classes == [str(digit) for digit in range(10)]
    kept = pool.dataset().validation.take(samples.places)
    assert torch.equal(kept.items, pool.items[torch.tensor(description.ids)])  # type: ignore[index]


def test_fewer_items_than_asked_for_are_all_shown() -> None:
    spec = parse_spec(small(measure={"snapshot_size": 100_000}))
    pool = data.load(spec.data)
    assert draw_samples(pool, spec).description.ids == sorted(pool.indices.validation.tolist())


def test_paired_data_give_two_points_per_item() -> None:
    rng = np.random.default_rng(0)
    labels = torch.arange(60) % 3
    vectors = torch.from_numpy(rng.standard_normal((60, 4)).astype("float32"))
    raw = small(
        data={"kind": "spoken_digits"}, encoder={"kind": "audio_convnet", "embedding_dim": 8}
    )
    raw["visual_encoder"] = {"kind": "convnet", "embedding_dim": 8}
    spec = parse_spec(raw)
    pool = data.Pool(
        vectors.view(60, 1, 2, 2),
        labels,
        Indices(*np.split(np.arange(60), [20, 40])),
        fine=labels * 2,
        visual=vectors.view(60, 1, 2, 2),
    )
    description = draw_samples(pool, spec).description
    assert description.modality == [0] * 20 + [1] * 20
    assert description.labels[:20] == description.labels[20:]
    assert description.fine is not None
    assert description.fine[20:] == [-1] * 20
    assert (description.modalities, description.media, description.total) == (
        ["audio", "visual"],
        "spectrogram",
        40,
    )


def test_texts_are_kept_by_their_beginnings_with_names_of_fine_labels() -> None:
    spec = parse_spec(
        small(
            data={"kind": "generated_text", "per_intent": 10},
            encoder={"kind": "static_text"},
            measure={"snapshot_size": 20},
        )
    )
    pool = data.load(spec.data)
    samples = draw_samples(pool, spec)
    described = samples.description
    assert isinstance(pool.items, data.Texts)
    assert described.texts == [pool.items.texts[place] for place in described.ids]
    assert described.fine_names is not None
    assert described.fine is not None
    assert described.fine_names[described.fine[0]].startswith(f"{described.classes[0]}: ")
    assert (described.media, samples.pictures) == ("none", ())
    assert Samples.model_validate_json(described.content()) == described


def test_samples_without_texts_are_stored_as_before() -> None:
    """A digest that changed would make one comparison's samples two."""
    spec = parse_spec(small())
    content = draw_samples(data.load(spec.data), spec).description.content()
    assert list(json.loads(content)) == [
        *("split", "total", "classes", "labels", "fine", "modalities", "modality", "ids"),
        *("media", "tile", "columns", "sound_ends"),
    ]

"""Fills a data folder with a finished comparison that has snapshots, for tests and the pages.

    python -m tests.support.snapshots DATA_DIR --arms 2 --seeds 2 --epochs 5 --samples 600 --paired

The embeddings are random: classes that become denser from epoch to epoch. Their facts are computed
from them, so the pages show consistent values. The coordinates of t-SNE are those of PCA.
"""

import argparse
import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backend.comparisons import repository as comparisons
from backend.db import migrations
from backend.db.database import Database
from backend.db.models import Comparison, Projection, Run
from backend.embeddings import repository as projections
from backend.metrics import points
from backend.runs import repository as runs
from backend.runs import snapshots
from backend.storage.blobs import BLOBS_FOLDER, Blobs
from contract.comparison.spec import parse_spec
from contract.events import Snapshot
from contract.snapshots import Samples
from tests.support.random_series import random_series
from tests.support.snapshot_facts import TILE, draw_sprite, facts, make_sounds

STEPS_PER_EPOCH: Final = 20
DIM: Final = 16
CLASSES: Final = 10
LOSSES: Final = ("contrastive", "triplet", "sup_con", "info_nce", "n_pair")
READY: Final = (("pca", 2), ("pca", 3), ("tsne", 2))
Numbers = NDArray[np.float64]


def fill(
    database: Database,
    blobs: Blobs,
    *,
    arms: int = 2,
    seeds: int = 2,
    epochs: int = 5,
    samples: int = 600,
    paired: bool = False,
    projected: bool = True,
    replicate: str = "seed",
) -> str:
    """Store a comparison whose runs have all succeeded, with snapshots of epochs 0 to `epochs`.

    Args:
        database: migrated.
        blobs: opened.
        arms: 1 to 5.
        seeds: 0, 1, ...
        epochs: of the training.
        samples: points of a snapshot; of paired data half of them in each modality.
        paired: two modalities with spectrograms, instead of images.
        projected: whether projections of the first seed are ready.
        replicate: as in a spec; by split each seed has samples of its own.

    Returns:
        Its id.
    """
    raw_spec = _spec(arms, seeds, epochs, samples, paired=paired)
    spec = parse_spec({**raw_spec, "replicate": replicate})
    own = {
        seed: put_samples(blobs, samples, paired=paired, first=seed if replicate == "split" else 0)
        for seed in spec.seeds
    }
    with database.write() as write:
        raw = spec.model_dump(mode="json")
        made = comparisons.create(write, spec=spec, raw=raw, now=time.time())
        write.session.flush()
        for run in runs.of_comparison(write.session, made.id):
            _end(run, epochs * STEPS_PER_EPOCH)
            write.session.add(run)
            curves = random_series(run.position, epochs, STEPS_PER_EPOCH)
            ids = points.ensure_series(write.session, [(run.id, key) for key in curves])
            points.insert(write.session, {ids[run.id, key]: curves[key] for key in curves})
            for epoch in range(epochs + 1):
                labels, shared = own[run.seed]
                embeddings = drawn_points(run, labels, epoch, epochs)
                kept = put_snapshot(blobs, embeddings, labels, epoch, shared)
                snapshots.put(write, run.id, kept)
        write.session.flush()
        if projected:
            for method, dims in READY:
                write.session.add(_projection(write.session, blobs, made, method, dims))
    return made.id


def put_samples(
    blobs: Blobs, count: int, *, paired: bool = False, first: int = 0
) -> tuple[NDArray[np.int_], dict[str, str | None]]:
    """Store random samples with their pictures and sounds, whose ids begin at `first` + 1; return
    their labels, and the digests of the blobs."""
    described = _samples(count, paired=paired)
    described = described.model_copy(update={"ids": [one + first for one in described.ids]})
    drawn, columns = draw_sprite(described.labels)
    described = described.model_copy(update={"tile": TILE, "columns": columns})
    shared: dict[str, str | None] = {"sprite": blobs.put(drawn), "sounds": None}
    if paired:
        heard, ends = make_sounds(described.labels[: count // 2])
        shared["sounds"] = blobs.put(heard)
        described = described.model_copy(update={"sound_ends": ends})
    shared["samples"] = blobs.put(described.model_dump_json().encode())
    return np.array(described.labels), shared


def drawn_points(run: Run, labels: NDArray[np.int_], epoch: int, epochs: int) -> Numbers:
    """Draw unit vectors [N, DIM] around the centres of their classes, closer at later epochs."""
    centres = np.random.default_rng([1, run.seed]).normal(size=(CLASSES, DIM))
    random = np.random.default_rng([2, run.position, epoch])
    noise = 0.8 + 1.4 * (1 - epoch / max(1, epochs)) + 0.1 * (run.position % 2)
    found = centres[labels] + noise * random.normal(size=(len(labels), DIM))
    unit: Numbers = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit.astype(np.float32).astype(np.float64)


def npy(embeddings: Numbers) -> bytes:
    """Return embeddings as the bytes that a worker sends."""
    written = io.BytesIO()
    np.save(written, embeddings.astype(np.float32), allow_pickle=False)
    return written.getvalue()


def put_snapshot(
    blobs: Blobs,
    embeddings: Numbers,
    labels: NDArray[np.int_],
    epoch: int,
    shared: Mapping[str, str | None],
) -> Snapshot:
    """Store the blobs of one snapshot; return what a worker then reports."""
    snapshot = {
        **shared,
        "epoch": epoch,
        "step": epoch * STEPS_PER_EPOCH,
        "embeddings": blobs.put(npy(embeddings)),
        "facts": blobs.put(facts(embeddings, labels).model_dump_json().encode()),
    }
    return Snapshot.model_validate(snapshot)


def _projection(session: Any, blobs: Blobs, made: Comparison, method: str, dims: int) -> Projection:
    """Project all arms and epochs of the first seed on the principal axes of its last epoch."""
    seed = made.spec["seeds"][0]
    inputs = projections.projection_inputs(session, made, seed)
    laid = []
    for arm in inputs:
        layers = [
            np.load(io.BytesIO(blobs.read(one["embeddings"]))).astype(np.float64)
            for one in arm["epochs"]
        ]
        last = layers[-1] - layers[-1].mean(axis=0)
        axes = np.linalg.svd(last, full_matrices=False)[2][:dims]
        laid.append([(layer - layer.mean(axis=0)) @ axes.T for layer in layers])
    now = time.time()
    return Projection(
        id=projections.projection_id(made.id, method, dims, seed, inputs),
        comparison_id=made.id,
        method=method,
        dims=dims,
        seed=seed,
        inputs=inputs,
        created_at=now,
        state="ready",
        progress=1.0,
        heard_at=now,
        started_at=now,
        coordinates=blobs.put(np.array(laid, dtype="<f4").tobytes()),
    )


def _spec(arms: int, seeds: int, epochs: int, samples: int, *, paired: bool) -> dict[str, Any]:
    encoder = {"kind": "mlp", "hidden": 64, "layers": 1, "embedding_dim": DIM}
    return {
        "name": "snapshots of pairs" if paired else "snapshots",
        "data": {"kind": "spoken_digits", "images": "digits"} if paired else {"kind": "digits"},
        "encoder": encoder,
        "visual_encoder": encoder if paired else None,
        "training": {"epochs": max(1, epochs), "batch_size": 64},
        "measure": {"snapshot_every": 1, "snapshot_size": max(10, samples)},
        "arms": [{"name": kind, "loss": {"kind": kind}} for kind in LOSSES[:arms]],
        "seeds": list(range(seeds)),
    }


def _samples(count: int, *, paired: bool) -> Samples:
    """Ids as of a split; one class is smaller than the others."""
    items = count // 2 if paired else count
    shares = np.array([1.0] * (CLASSES - 1) + [0.4])
    drawn = np.random.default_rng(4).choice(CLASSES, items, p=shares / shares.sum())
    labels: list[int] = drawn.tolist()
    ids = [2 * place + 1 for place in range(items)]
    if not paired:
        return Samples(
            total=3 * items,
            classes=[str(label) for label in range(CLASSES)],
            labels=labels,
            ids=ids,
            media="image",
        )
    return Samples(
        total=6 * items,
        classes=[str(label) for label in range(CLASSES)],
        labels=labels * 2,
        fine=[place % 4 for place in range(items)] + [-1] * items,
        modalities=["audio", "visual"],
        modality=[0] * items + [1] * items,
        ids=ids * 2,
        media="spectrogram",
    )


def _end(run: Run, steps: int) -> None:
    run.state, run.device = "succeeded", "cpu"
    run.step = run.total_steps = steps
    run.steps_per_epoch = STEPS_PER_EPOCH
    run.started_at, run.ended_at = run.created_at, run.created_at + steps / 10


def main() -> None:
    """Fill the database and the blobs of a data folder, no server running there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_dir", type=Path)
    for name, default in (("arms", 2), ("seeds", 2), ("epochs", 5), ("samples", 600)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--paired", action="store_true")
    asked = vars(parser.parse_args())
    folder = asked.pop("data_dir")
    folder.mkdir(parents=True, exist_ok=True)
    database, blobs = (
        Database(f"sqlite:///{folder / 'lossboard.sqlite'}"),
        Blobs(folder / BLOBS_FOLDER),
    )
    migrations.upgrade(database)
    blobs.open()
    print(fill(database, blobs, **asked))  # noqa: T201
    database.close()


if __name__ == "__main__":
    main()

"""A trained model to take along: weights, how to build the network, a script and a card."""

import json
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from sqlmodel import Session

from backend.artifacts import script
from backend.artifacts.blobs import part_path, read_description
from backend.artifacts.card import CardFacts, model_card
from backend.artifacts.schemas import Model, ModelFile
from backend.comparisons import repository as comparisons
from backend.datasets import repository as datasets
from backend.db.models import Run
from backend.runs import artifacts
from backend.storage.blobs import Blobs
from backend.verdict.leaderboard import leaderboard
from backend.verdict.service import give_verdict

WEIGHTS: Final = "model.safetensors"
DESCRIPTION: Final = "model.json"
CARD: Final = "README.md"
EARLIEST: Final = 315_532_800.0
"""The first time that a zip can hold: the beginning of 1980."""
WHAT: Final = {
    WEIGHTS: "the weights",
    DESCRIPTION: "how to build the network and prepare its items; what was measured",
    script.FILE: "loads it in plain PyTorch and embeds new items",
    CARD: "the model card: data, settings, results, limits",
}


@dataclass(frozen=True)
class TrainedModel:
    """A model with the texts that go with it."""

    run: Run
    weights: Path
    description: dict[str, Any]
    script: str
    card: str

    @property
    def texts(self) -> dict[str, str]:
        """The files besides the weights, by name."""
        return {
            DESCRIPTION: json.dumps(self.description, indent=2, ensure_ascii=False) + "\n",
            script.FILE: self.script,
            CARD: self.card,
        }


def find_model(session: Session, blobs: Blobs, run: Run) -> TrainedModel:
    """Return the model of a run.

    Raises:
        NotFoundError: its weights are not kept; says why.
    """
    row = artifacts.of_runs(session, [run.id], "weights").get(run.id, {}).get("weights")
    weights = part_path(blobs, run.id, row, "weights")
    description = read_description(weights)
    comparison = comparisons.get(session, run.comparison_id)
    found = leaderboard(session, comparison)
    verdict = give_verdict(session, comparison)
    upload = datasets.find(session, description["data"].get("dataset") or "")
    facts = CardFacts(
        run,
        found,
        found.advice,
        verdict.caveats,
        f"{found.replicate_noun}s",
        upload.name if upload else "",
    )
    card = model_card(description, facts)
    assert row is not None
    file = {"file": WEIGHTS, "sha256": row.digest, "bytes": row.size}
    return TrainedModel(
        run, weights, {**description, "weights": file}, script.script(description), card
    )


def model_out(model: TrainedModel) -> Model:
    """Return a model as the API shows it."""
    sizes = {WEIGHTS: model.weights.stat().st_size} | {
        name: len(text.encode()) for name, text in model.texts.items()
    }
    return Model(
        run=model.run.id,
        arm=model.run.arm,
        seed=model.run.seed,
        files=[ModelFile(name=name, size=size, what=WHAT[name]) for name, size in sizes.items()],
        needs=script.needs(model.description),
        script=model.script,
        card=model.card,
        description=model.description,
    )


def write_zip(model: TrainedModel, file: IO[bytes]) -> None:
    """Write all files of a model; weights hardly compress, so they are stored as they are."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in _members(model):
            info = zipfile.ZipInfo(name, time.gmtime(max(EARLIEST, model.run.ended_at or 0))[:6])
            info.external_attr = 0o644 << 16
            if isinstance(content, str):
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, content)
                continue
            info.file_size = content.stat().st_size
            with content.open("rb") as weights, archive.open(info, "w") as member:
                while chunk := weights.read(1 << 20):
                    member.write(chunk)


def _members(model: TrainedModel) -> Iterator[tuple[str, str | Path]]:
    yield WEIGHTS, model.weights
    yield from model.texts.items()

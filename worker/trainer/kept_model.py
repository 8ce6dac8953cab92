"""Hand over what is kept of a trained model; whatever fails here never fails the run."""

import traceback
from typing import Final

from contract.artifacts import ArtifactKind
from contract.events import Artifact
from worker.artifacts import TrainedModel, make
from worker.reporting.reporter import Reporter
from worker.snapshots import Keeper, NewArtifact

KINDS: Final[tuple[ArtifactKind, ...]] = ("weights", "embeddings", "confusion")
NOT_WANTED: Final = "the setting LOSSBOARD_KEEP_WEIGHTS keeps no weights"


def keep_model(trained: TrainedModel, keeper: Keeper, reporter: Reporter) -> None:
    """Keep weights and embeddings of the test split of a model, and its confusion of classes where
    there are any.

    What cannot be kept is reported with the reason, and the run's log says so.

    Raises:
        ReporterError: nothing can be reported any more.
    """
    keeps = keeper.keeps
    if keeps is None:
        return
    kinds = [kind for kind in KINDS if kind != "confusion" or trained.test.rows is None]
    for kind in kinds:
        if kind == "weights" and keeps.weights == "none":
            reporter.artifact_kept(_not_kept(kind, NOT_WANTED))
            continue
        try:
            made = make(kind, trained, keeps.weights)
        except Exception as error:  # noqa: BLE001 - the run has succeeded without it
            lines = "".join(traceback.format_exception(error)).splitlines()
            reporter.log([f"the model's {kind} could not be kept:", *lines])
            reporter.artifact_kept(_not_kept(kind, f"{type(error).__name__}: {error}"))
            continue
        size = len(made.content)
        if size > keeps.limit_bytes:
            problem = (
                f"{size / 1e6:,.1f} MB are more than the {keeps.limit_bytes / 1e6:,.1f} MB of the "
                "setting LOSSBOARD_MAX_MODEL_MB"
            )
            reporter.log([f"the model's {kind} could not be kept: {problem}"])
            reporter.artifact_kept(_not_kept(kind, problem, size))
            continue
        artifact = Artifact(kind=kind, digest=None, size=size, facts=made.facts)
        keeper.keep_artifact(NewArtifact(artifact, made.content))


def _not_kept(kind: ArtifactKind, problem: str, size: int = 0) -> Artifact:
    return Artifact(kind=kind, digest=None, size=size, problem=problem)

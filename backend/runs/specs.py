"""The spec that a run is trained by: its comparison's, or one with the settings of a trial."""

import json
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session, col, select

from backend.db.models import Comparison, Run, Trial
from contract.comparison.bundles import bundle_key
from contract.comparison.problems import problems_of_validation
from contract.comparison.spec import ComparisonSpec
from contract.tuning.specs import final_spec, trial_spec

Kind = tuple[str, int | None, str | None]


class UnreadableSpecError(Exception):
    """This version cannot train by what is stored; the message says why, for people."""


class TrainedSpec:
    """What a run is trained by.

    Attributes:
        run: that is trained by it.
        raw: as JSON, for the trainer. Without a tuning it is the stored spec as it is: its trainer
            says what it cannot do.
    """

    def __init__(self, raw: dict[str, Any], read: ComparisonSpec | None, run: Run) -> None:
        """Args:
        raw: as JSON.
        read: the same as an object; None where this version cannot read it.
        run: that is trained by it.
        """
        self.raw = raw
        self.run = run
        self._read = read

    def bundle_key(self, device: str) -> str | None:
        """Return what the run has in common with those that may be trained with it on a device
        class; None if it is trained alone."""
        if self._read is None:
            return None
        try:
            return bundle_key(self._read, self._read.arm(self.run.arm), self.run.seed, device)
        except (KeyError, ValueError):  # of another version; its trainer will say so
            return None


class SpecReader:
    """Makes the specs of runs, and reads what they share once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._read: dict[str, ComparisonSpec] = {}
        self._trials: dict[str, Trial] = {}

    def read_trials(self, runs: Iterable[Run]) -> None:
        """Read the trials of runs in one query, ahead of `of` and `kind`."""
        ids = {run.trial_id for run in runs}
        found = self._session.exec(select(Trial).where(col(Trial.id).in_(ids - {None}))).all()
        self._trials |= {trial.id: trial for trial in found}

    def kind(self, run: Run) -> Kind:
        """Return something that is equal for runs of one comparison and role only if their bundle
        keys are: their settings without numbers of loss and optimiser, and without their seeds
        where these leave the data as they are."""
        stored = self._session.get_one(Comparison, run.comparison_id)
        seed = run.seed if stored.spec.get("replicate", "seed") != "seed" else None
        if run.role == "final":
            return run.arm, seed, run.trial_id
        trial = self._trial(run)
        params = {} if trial is None else trial.params
        others = {path: value for path, value in params.items() if not _is_free(path, value)}
        return run.arm, seed, json.dumps(others, sort_keys=True)

    def of(self, run: Run) -> TrainedSpec:
        """Return the spec that a trainer gets for a run.

        Raises:
            UnreadableSpecError: the comparison is tuned, and its spec or the settings of the run's
                trial cannot be read, or do not fit together any more.
        """
        stored = self._session.get_one(Comparison, run.comparison_id)
        if stored.spec.get("tuning") is None:
            try:
                return TrainedSpec(stored.spec, self._spec_of(stored), run)
            except ValidationError:
                return TrainedSpec(stored.spec, None, run)
        trial = self._trial(run)
        if trial is None:
            raise UnreadableSpecError("the trial whose settings it has is not in the database")
        try:
            made = _with_settings(self._spec_of(stored), run, trial)
        except ValidationError as error:
            said = "; ".join(f"{one.path}: {one.message}" for one in problems_of_validation(error))
            raise UnreadableSpecError(f"another version of Lossboard made it ({said})") from error
        except (KeyError, TypeError) as error:
            raise UnreadableSpecError(
                f"its spec has no {run.arm!r} with the settings of the trial ({error})"
            ) from error
        return TrainedSpec(made.model_dump(mode="json"), made, run)

    def _trial(self, run: Run) -> Trial | None:
        if run.trial_id is None:
            return None
        return self._trials.get(run.trial_id) or self._session.get(Trial, run.trial_id)

    def _spec_of(self, stored: Comparison) -> ComparisonSpec:
        """Return a comparison's spec.

        Raises:
            pydantic.ValidationError: this version cannot read it.
        """
        if stored.id not in self._read:
            self._read[stored.id] = ComparisonSpec.model_validate(stored.spec)
        return self._read[stored.id]


def _is_free(path: str, value: object) -> bool:
    """Return whether runs of a bundle may differ in a setting: a number of loss or optimiser."""
    return path.startswith(("loss.", "training.optimizer.")) and not isinstance(value, str)


def _with_settings(spec: ComparisonSpec, run: Run, trial: Trial) -> ComparisonSpec:
    if spec.tuning is None:  # it was not null when it was stored
        raise UnreadableSpecError("its tuning cannot be read")
    if run.role == "trial":
        return trial_spec(spec, run.arm, trial.params, run.fold)
    epochs = trial.epochs if spec.tuning.folds > 1 else None
    return final_spec(spec, run.arm, trial.params, epochs=epochs)

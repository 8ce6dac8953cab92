"""What verdict, leaderboard and summary read of a comparison's runs."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean
from typing import Final

from sqlmodel import Session

from backend.comparisons.trained import trained_spec
from backend.db.models import Comparison, Run
from backend.metrics.run_figures import Figures, figures_of
from backend.runs import repository as runs
from backend.runs import search_progress
from backend.runs.progress import count_runs
from backend.verdict.arm_states import arm_states, states_not_trained
from backend.verdict.pairs import BySeed
from backend.verdict.schemas import ArmStateOut
from contract.comparison.replication import ReplicationKind
from contract.comparison.spec import ComparisonSpec, replication
from contract.metrics.states import State
from contract.statistics import Replication

LARGEST_TEST_TO_TRAIN: Final = 1.0
"""Test items for each training item, assumed where the sizes of re-splits are not known."""
PULL_SHARE: Final = "dynamics.pull_share.mean"
_LEAST_PULL_DIFFERENCE: Final = 0.01
"""Shares of the weight that pulls count as equal if they differ by less."""


@dataclass(frozen=True)
class Material:
    """The spec, the runs and what they have measured, for some of the arms."""

    spec: ComparisonSpec
    """With the settings that the runs were trained by."""
    arms: tuple[str, ...]
    runs: Sequence[Run]
    """Those of these arms, in the order of their seeds."""
    by_run: Mapping[str, Figures]
    """Of the comparison's runs that have succeeded."""
    search_failed: bool = False
    """Whether the comparison is tuned, and no trial has a value."""

    def only(self, *arms: str) -> "Material":
        """Return the same of these arms alone."""
        return replace(self, arms=arms, runs=[run for run in self.runs if run.arm in arms])

    @cached_property
    def figures(self) -> Mapping[str, BySeed]:
        """Figures of each arm's runs that have succeeded."""
        found: dict[str, dict[int, Figures]] = {arm: {} for arm in self.arms}
        for run in self.runs:
            if run.id in self.by_run:
                found[run.arm][run.seed] = self.by_run[run.id]
        return dict(found)

    @cached_property
    def states(self) -> list[ArmStateOut]:
        """What the ended runs say about the training of the arms."""
        return arm_states(self.arms, self.runs)

    @cached_property
    def not_trained(self) -> Mapping[str, State]:
        """The most serious state of each arm that was not trained."""
        return states_not_trained(self.states)

    @property
    def kind(self) -> ReplicationKind:
        """What the runs of an arm replicate."""
        return replication(self.spec)

    @cached_property
    def replication(self) -> Replication:
        """The same for the statistics."""
        return replication_of(self.spec, self.runs)

    @property
    def pull_shares(self) -> dict[str, float]:
        """Measured share of the weight that pulls, by arm, if the arms differ in it; see
        `differing_shares`."""
        found = {
            arm: [one.statistics.get(PULL_SHARE) for one in own.values()]
            for arm, own in self.figures.items()
        }
        return differing_shares(
            {arm: [one.value for one in own if one] for arm, own in found.items()}
        )


def read_material(session: Session, comparison: Comparison) -> Material:
    """Return what the runs of all arms of a comparison have measured."""
    spec = trained_spec(session, comparison)
    all_runs = runs.of_comparison(session, comparison.id)
    arms = tuple(arm.name for arm in spec.arms)
    failed = not all_runs and _search_failed(session, comparison)
    return Material(spec, arms, all_runs, figures_of(session, all_runs), failed)


def _search_failed(session: Session, comparison: Comparison) -> bool:
    counted = count_runs(session, [comparison.id])[comparison.id]
    return search_progress.state(counted, search_progress.search_size(comparison.spec)) == "failed"


def replication_of(spec: ComparisonSpec, runs: Iterable[Run]) -> Replication:
    """Return what the runs are replicates of.

    Draws of new data are independent. Splits of one data set share items, and so do draws of the
    training items beside one test set: their dependence follows from the sizes of the splits.
    """
    if replication(spec) in {"seed", "independent_draws"}:
        return Replication(spec.replicate)
    sizes = [run.splits for run in runs if run.state == "succeeded" and run.splits]
    ratios = [own["test"] / own["train"] for own in sizes if own.get("train") and "test" in own]
    return Replication("split", max(ratios, default=LARGEST_TEST_TO_TRAIN))


def differing_shares(by_arm: Mapping[str, Collection[float]]) -> dict[str, float]:
    """Return the mean of the measured shares of the weight that pulls, by arm that has one.

    Empty unless two arms differ in it by 0.01 or more: arms of the same settings may.
    """
    means = {arm: fmean(shares) for arm, shares in by_arm.items() if shares}
    differ = means and max(means.values()) - min(means.values()) >= _LEAST_PULL_DIFFERENCE
    return means if differ else {}

"""The verdict on the nine claims: which of them a comparison's runs support."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from sqlmodel import Session

from backend.comparisons.trained import trained_spec
from backend.db.models import Comparison, Run
from backend.metrics.run_figures import Figures as RunFigures
from backend.metrics.run_figures import figures_of
from backend.runs import repository as runs
from backend.runs import search_progress
from backend.runs.progress import count_runs
from backend.verdict.arm_states import arm_states, reasons_not_trained
from backend.verdict.caveats import Facts, caveats
from backend.verdict.evidence import JudgedForm, family_size, judge_claims
from backend.verdict.leaderboard import advice_for
from backend.verdict.output import CLAIM_LOSSES, Context, claim_out
from backend.verdict.pairs import BySeed
from backend.verdict.pull_share import PULL_SHARE
from backend.verdict.replication import replication_of
from backend.verdict.schemas import Pair, Replicates, ToHalve, Verdict
from backend.verdict.tuned import tuned_out
from backend.verdict.wording import replicates_said, rule, summary_sentence
from contract.catalogue.claims import CLAIMS
from contract.comparison.replication import ReplicationKind, kind_of, replicate_noun
from contract.comparison.spec import ComparisonSpec
from contract.statistics import smallest_p


@dataclass(frozen=True)
class _Material:
    """What is read of a comparison for the verdict on two of its arms."""

    spec: ComparisonSpec
    arms: Pair | None
    all_runs: Sequence[Run]
    """The comparison's."""
    all_figures: Mapping[str, RunFigures]
    """Of those that have succeeded, by run."""
    search_failed: bool
    """Whether the comparison is tuned, and no trial has a value."""

    @cached_property
    def runs(self) -> list[Run]:
        """The runs of the two arms."""
        names = {self.arms.a, self.arms.b} if self.arms else set()
        return [run for run in self.all_runs if run.arm in names]

    @cached_property
    def figures(self) -> dict[str, BySeed]:
        """Arm -> figures of its runs that have succeeded, for the two arms."""
        found: dict[str, dict[int, RunFigures]] = {}
        if self.arms:
            found = {self.arms.a: {}, self.arms.b: {}}
        for run in self.runs:
            if run.id in self.all_figures:
                found[run.arm][run.seed] = self.all_figures[run.id]
        return dict(found)

    @property
    def kind(self) -> ReplicationKind:
        """What the pairs are replicates of."""
        return kind_of(self.spec.data, self.spec.replicate)

    @property
    def sides(self) -> tuple[BySeed, BySeed]:
        """The figures of the two arms."""
        return (self.figures[self.arms.a], self.figures[self.arms.b]) if self.arms else ({}, {})

    @property
    def pairs(self) -> int:
        """Number of seeds at which the runs of both arms have succeeded."""
        a, b = self.sides
        return len(a.keys() & b.keys())


def give_verdict(
    session: Session, comparison: Comparison, a: str | None = None, b: str | None = None
) -> Verdict:
    """Judge the claims by two arms of a comparison.

    Args:
        session: to read with.
        comparison: the comparison.
        a: name of the arm in the contrastive loss's place; None for the first with that loss.
        b: name of the arm in the triplet loss's place; None for the first with that loss.
    """
    found = _read(session, comparison, a, b)
    spec, arms, pairs = found.spec, found.arms, found.pairs
    states = arm_states([arms.a, arms.b], found.runs) if arms else []
    not_trained = reasons_not_trained(states)
    replication = replication_of(spec, found.runs)
    a_figures, b_figures = found.sides
    robust, reported = (
        judge_claims(
            spec,
            a_figures,
            b_figures,
            replication,
            not_trained=bool(not_trained),
            reported=as_reported,
        )
        for as_reported in (False, True)
    )
    why_none = _why_not_judged(found)
    if why_none:
        why_none = " ".join([*not_trained, why_none])
    context = Context(spec, arms, replicate_noun(found.kind), not_trained, why_none)
    claims = [
        claim_out(claim, own, as_reported, context)
        for claim, own, as_reported in zip(CLAIMS, robust, reported, strict=True)
    ]
    family = family_size(robust)
    facts = Facts(
        spec,
        arms,
        found.runs,
        pairs,
        family,
        _pull_shares(found.figures),
        states,
        dependent=replication.dependent,
    )
    trials = spec.tuning.trials if spec.tuning else None
    summary = summary_sentence(claims, found.kind, pairs, len(spec.seeds), trials)
    return Verdict(
        summary=why_none or " ".join([*not_trained, summary]),
        advice=advice_for(spec, found.all_runs, found.all_figures),
        rule=rule(pairs, family, dependent=replication.dependent) if family else "",
        arms=arms,
        tuned=tuned_out(spec),
        seeds=pairs,
        replicates=Replicates(
            kind=spec.replicate, n=pairs, said=replicates_said(found.kind, pairs)
        ),
        family=family,
        smallest_p=smallest_p(pairs) if pairs and not replication.dependent else None,
        to_halve=_to_halve(robust, replicate_noun(found.kind)),
        arm_states=states,
        caveats=caveats(facts),
        claims=claims,
    )


def _read(session: Session, comparison: Comparison, a: str | None, b: str | None) -> _Material:
    spec = trained_spec(session, comparison)
    all_runs = runs.of_comparison(session, comparison.id)
    figures = figures_of(session, all_runs)
    failed = not all_runs and _has_failed(session, comparison)
    return _Material(spec, _arms(spec, a, b), all_runs, figures, failed)


def _has_failed(session: Session, comparison: Comparison) -> bool:
    counted = count_runs(session, [comparison.id])[comparison.id]
    return search_progress.state(counted, search_progress.search_size(comparison.spec)) == "failed"


def _arms(spec: ComparisonSpec, a: str | None, b: str | None) -> Pair | None:
    def first(kind: str, other: str | None) -> str | None:
        return next(
            (arm.name for arm in spec.arms if arm.loss.kind == kind and arm.name != other), None
        )

    a = a or first(CLAIM_LOSSES[0], b)
    b = b or first(CLAIM_LOSSES[1], a)
    return Pair(a=a, b=b) if a and b else None


def _pull_shares(figures: Mapping[str, BySeed]) -> dict[str, float]:
    """Return the mean over runs of the measured share of the weight that pulls, by arm."""
    shares = {
        arm: [found[0] for one in own.values() if (found := one.statistics.get(PULL_SHARE))]
        for arm, own in figures.items()
    }
    return {arm: fmean(values) for arm, values in shares.items() if values}


def _to_halve(forms: Sequence[JudgedForm], noun: str) -> ToHalve:
    """Return what would make the intervals half as wide."""
    judged = [part.judged for form in forms for part in form.parts if part.judged]
    known = [one.replicates_to_halve for one in judged if one.replicates_to_halve is not None]
    shares = [
        one.floor / half
        for one in judged
        if one.floor is not None
        and one.simultaneous
        and (half := (one.simultaneous[1] - one.simultaneous[0]) / 2) > 0
    ]
    floor = (
        f"All {noun}s share the items of one data set: however many {noun}s are added, an interval "
        f"keeps at least {max(shares):.0%} of its width. Other data would narrow it."
        if shares
        else ""
    )
    return ToHalve(replicates=max(known, default=None), floor=floor)


def _why_not_judged(found: _Material) -> str:
    """Return why no claim can be judged; empty if at least one may be."""
    spec, arms = found.spec, found.arms
    if arms is None:
        kinds = {arm.loss.kind for arm in spec.arms}
        lacking = " and no ".join(kind for kind in CLAIM_LOSSES if kind not in kinds)
        return (
            f"The comparison has no {lacking} arm: name two arms to judge by them."
            if lacking
            else "The claims are about two arms: name another one to judge by."
        )
    if spec.tuning and not found.all_runs:
        return (
            "No trial of any arm has a value, so there are no final runs to judge by."
            if found.search_failed
            else "The search is not over: the claims are judged by the final runs that follow it."
        )
    having = {run.arm for run in found.runs}
    if spec.tuning and (lost := [name for name in (arms.a, arms.b) if name not in having]):
        return " ".join(
            f"{name} has no final run: none of its trials has a value." for name in lost
        )
    if not found.pairs:
        return f"No seed has a finished run of both {arms.a} and {arms.b} yet."
    return ""

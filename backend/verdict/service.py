"""The verdict on the nine claims: which of them a comparison's runs support."""

from collections.abc import Sequence
from typing import Final

from sqlmodel import Session

from backend.db.models import Comparison
from backend.verdict.arm_states import reasons_not_trained
from backend.verdict.caveats import Facts, caveats
from backend.verdict.evidence import JudgedForm, family_size, judge_claims
from backend.verdict.leaderboard import advice_for
from backend.verdict.material import Material, read_material
from backend.verdict.output import CLAIM_LOSSES, Context, claim_out
from backend.verdict.pairs import BySeed
from backend.verdict.schemas import Pair, Replicates, ToHalve, Verdict
from backend.verdict.tuned import tuned_out
from backend.verdict.wording import named, replicates_said, rule, summary_sentence
from contract.catalogue.claims import CLAIMS
from contract.comparison.data import shape_of
from contract.comparison.replication import replicate_noun
from contract.comparison.spec import ComparisonSpec
from contract.statistics import smallest_p

NO_CLASSES: Final = (
    "The claims are about classes, and these data come as tuples, without classes: no claim is "
    "judged. The leaderboard compares the arms."
)


def give_verdict(
    session: Session, comparison: Comparison, a: str | None = None, b: str | None = None
) -> Verdict:
    """Judge the claims by two arms of a comparison.

    Args:
        session: to read with.
        comparison: the comparison.
        a: name of the arm in the contrastive role; None for the first with that loss.
        b: name of the arm in the triplet role; None for the first with that loss.
    """
    all_arms = read_material(session, comparison)
    spec, noun = all_arms.spec, replicate_noun(all_arms.kind)
    of_tuples = shape_of(spec.data) is not None
    arms = None if of_tuples else _arms(spec, a, b)
    found = all_arms.only(arms.a, arms.b) if arms else all_arms.only()
    not_trained = reasons_not_trained(found.states)
    sides = _sides(found, arms)
    pairs = len(sides[0].keys() & sides[1].keys())
    dependent = found.replication.dependent
    robust, reported = (
        judge_claims(
            spec,
            *sides,
            found.replication,
            not_trained=bool(not_trained),
            reported=as_reported,
        )
        for as_reported in (False, True)
    )
    why_none = _why_not_judged(all_arms, arms, pairs)
    if why_none:
        why_none = " ".join([*not_trained, why_none])
    context = Context(spec, arms, noun, not_trained, why_none)
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
        found.pull_shares,
        found.states,
        dependent=dependent,
    )
    trials = spec.tuning.trials if spec.tuning else None
    summary = summary_sentence(claims, found.kind, pairs, len(spec.seeds), trials)
    return Verdict(
        summary=why_none or " ".join([*not_trained, summary]),
        advice=advice_for(all_arms),
        rule=rule(pairs, family, dependent=dependent) if family else "",
        arms=arms,
        tuned=tuned_out(spec),
        seeds=pairs,
        replicates=Replicates(
            kind=spec.replicate,
            noun=noun,
            n=pairs,
            said=replicates_said(found.kind, pairs),
        ),
        family=family,
        smallest_p=smallest_p(pairs) if pairs and not dependent else None,
        to_halve=_to_halve(robust, noun),
        arm_states=found.states,
        caveats=caveats(facts),
        claims=claims,
    )


def _sides(found: Material, arms: Pair | None) -> tuple[BySeed, BySeed]:
    """Return the figures of the two arms by seed; empty ones without two arms."""
    return (found.figures[arms.a], found.figures[arms.b]) if arms else ({}, {})


def _arms(spec: ComparisonSpec, a: str | None, b: str | None) -> Pair | None:
    def first(kind: str, other: str | None) -> str | None:
        return next(
            (arm.name for arm in spec.arms if arm.loss.kind == kind and arm.name != other), None
        )

    a = a or first(CLAIM_LOSSES[0], b)
    b = b or first(CLAIM_LOSSES[1], a)
    return Pair(a=a, b=b) if a and b else None


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
        # Of an interval that is cut where the metric ends the share is too large.
        f"keeps at least {min(shares):.0%} of its width. Other data would narrow it."
        if shares
        else ""
    )
    return ToHalve(replicates=max(known, default=None), floor=floor)


def _why_not_judged(all_arms: Material, arms: Pair | None, pairs: int) -> str:
    """Return why no claim can be judged; empty if at least one may be."""
    spec = all_arms.spec
    if shape_of(spec.data) is not None:
        return NO_CLASSES
    if arms is None:
        kinds = {arm.loss.kind for arm in spec.arms}
        lacking = " and no ".join(kind for kind in CLAIM_LOSSES if kind not in kinds)
        return (
            f"The comparison has no {lacking} arm: name two arms to judge by them."
            if lacking
            else "The claims are about two arms: name another one to judge by."
        )
    if no_finals := _why_no_finals(all_arms, arms):
        return no_finals
    if not pairs:
        return f"No seed has a finished run of both {named(arms.a)} and {named(arms.b)} yet."
    return ""


def _why_no_finals(all_arms: Material, arms: Pair) -> str:
    """Return why a tuned comparison has no final runs of the two arms; empty if it has some."""
    if all_arms.spec.tuning is None:
        return ""
    if not all_arms.runs:
        return (
            "No trial of any arm has a value, so there are no final runs to judge by."
            if all_arms.search_failed
            else "The search is not over: the claims are judged by the final runs that follow it."
        )
    having = {run.arm for run in all_arms.runs}
    return " ".join(
        f"{named(name)} has no final run: none of its trials has a value."
        for name in (arms.a, arms.b)
        if name not in having
    )

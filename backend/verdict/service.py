"""The verdict on the nine claims: which of them a comparison's runs support."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final, get_args

from sqlmodel import Session

from backend.comparisons.repository import stored_spec
from backend.db.models import Comparison, Run
from backend.metrics.measurements import (
    Measurements,
    PairedValues,
    final_measurements,
    observations_by_seed,
    pair_by_seed,
)
from backend.runs import repository as runs
from backend.verdict.evidence import Decision, JudgedEvidence, claim_decision, reason
from backend.verdict.schemas import ClaimOut, EvidenceOut, Figures, Pair, ReportedOut, Verdict
from backend.verdict.wording import advice, caveats
from contract.catalogue.claims import CLAIMS, Claim
from contract.comparison.differences import differences
from contract.comparison.spec import ComparisonSpec
from contract.metrics import METRICS
from contract.statistics import holm, smallest_p

CLAIM_LOSSES: Final = ("contrastive", "triplet")
"""The losses that the claims compare: a and b."""

_EVIDENCE_KEYS: Final = tuple(
    evidence.metric
    for claim in CLAIMS
    for evidence in claim.evidence
    if not METRICS[evidence.metric].summary_only
)


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
    spec = stored_spec(comparison)
    arms = _arms(spec, a, b)
    names = {arms.a, arms.b} if arms else set()
    judged_runs = [run for run in runs.of_comparison(session, comparison.id) if run.arm in names]
    seeds = _count_finished_seeds(judged_runs)
    found = final_measurements(session, judged_runs, _EVIDENCE_KEYS)
    kinds = arms and (spec.arm(arms.a).loss.kind, spec.arm(arms.b).loss.kind)
    claims = [
        _claim(claim, evidence, arms, as_reported=kinds in (None, CLAIM_LOSSES))
        for claim, evidence in zip(CLAIMS, _judge_all(found, arms), strict=True)
    ]
    not_judged = _why_not_judged(spec, arms, seeds)
    if not_judged:
        claims = [claim.model_copy(update={"reason": not_judged}) for claim in claims]
    return Verdict(
        summary=not_judged or _summary_sentence(claims, seeds, len(spec.seeds)),
        advice=advice(claims, arms, seeds, _differing_settings(spec, arms))
        if arms and seeds
        else "",
        arms=arms,
        seeds=seeds,
        smallest_p=smallest_p(seeds) if seeds else None,
        caveats=caveats(spec, (arms.a, arms.b), judged_runs, seeds) if arms else [],
        claims=claims,
    )


def _arms(spec: ComparisonSpec, a: str | None, b: str | None) -> Pair | None:
    def first(kind: str, other: str | None) -> str | None:
        return next(
            (arm.name for arm in spec.arms if arm.loss.kind == kind and arm.name != other), None
        )

    a = a or first(CLAIM_LOSSES[0], b)
    b = b or first(CLAIM_LOSSES[1], a)
    return Pair(a=a, b=b) if a and b else None


def _differing_settings(spec: ComparisonSpec, arms: Pair) -> list[str]:
    return [difference.setting for difference in differences(spec, (arms.a, arms.b))]


def _count_finished_seeds(judged_runs: Sequence[Run]) -> int:
    """Return at how many seeds the runs of both arms have succeeded."""
    succeeded = Counter(run.seed for run in judged_runs if run.state == "succeeded")
    return sum(runs_of_seed == 2 for runs_of_seed in succeeded.values())


def _judge_all(found: Measurements, arms: Pair | None) -> list[list[JudgedEvidence]]:
    """Judge the evidence of each claim; p-values are adjusted over the evidence of all claims."""
    pairs = {
        evidence.metric: _paired(found, evidence.metric, arms)
        for claim in CLAIMS
        for evidence in claim.evidence
    }
    p_values = {
        key: paired.difference.p_value for key, paired in pairs.items() if paired.difference
    }
    adjusted = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    return [
        [JudgedEvidence(one, pairs[one.metric], adjusted.get(one.metric)) for one in claim.evidence]
        for claim in CLAIMS
    ]


def _paired(found: Measurements, key: str, arms: Pair | None) -> PairedValues:
    if arms is None:
        return pair_by_seed({}, {})
    values = found.get(key, {})
    a, b = values.get(arms.a, []), values.get(arms.b, [])
    return pair_by_seed(observations_by_seed(a), observations_by_seed(b))


def _claim(
    claim: Claim, judged: Sequence[JudgedEvidence], arms: Pair | None, *, as_reported: bool
) -> ClaimOut:
    evidence = [_evidence(one) for one in judged]
    first = next((one for one in evidence if one.verdict != "not_measured"), evidence[0])
    names = (arms.a, arms.b) if arms else CLAIM_LOSSES
    figures = first.model_dump(include=set(Figures.model_fields) - {"verdict"})
    return ClaimOut(
        **figures,
        id=claim.id,
        text=claim.text() if as_reported else claim.text(*names),
        arms=arms,
        verdict=claim_decision(judged),
        reason=reason(judged, *names),
        reported=[ReportedOut(**asdict(one)) for one in claim.reported] if as_reported else [],
        evidence=evidence,
    )


def _evidence(one: JudgedEvidence) -> EvidenceOut:
    difference = one.paired.difference
    return EvidenceOut(
        metric=one.evidence.metric,
        label=METRICS[one.evidence.metric].label,
        expected=one.evidence.expected,
        mean_a=one.mean_a,
        mean_b=one.mean_b,
        mean_difference=difference and difference.mean_difference,
        interval=difference and difference.interval,
        p_value=difference and difference.p_value,
        p_holm=one.p_holm,
        effect_size=difference and difference.effect_size,
        n=difference.n if difference else 0,
        censored=one.paired.censored,
        verdict=one.decision,
    )


def _why_not_judged(spec: ComparisonSpec, arms: Pair | None, seeds: int) -> str:
    """Return why no claim can be judged; empty if at least one may be."""
    if arms is None:
        kinds = {arm.loss.kind for arm in spec.arms}
        lacking = " and no ".join(kind for kind in CLAIM_LOSSES if kind not in kinds)
        return (
            f"The comparison has no {lacking} arm: name two arms to judge by them."
            if lacking
            else "The claims are about two arms: name another one to judge by."
        )
    if not seeds:
        return f"No seed has a finished run of both {arms.a} and {arms.b} yet."
    return ""


def _summary_sentence(claims: Sequence[ClaimOut], seeds: int, asked: int) -> str:
    """Return how many claims have which decision, with their numbers, as a sentence."""
    parts = []
    for decision in get_args(Decision):
        ids = [str(claim.id) for claim in claims if claim.verdict == decision]
        if ids:
            is_or_are = "is" if len(ids) == 1 else "are"
            parts.append(f"{len(ids)} {is_or_are} {decision.replace('_', ' ')} ({', '.join(ids)})")
    listed = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    over = f"{seeds}" if seeds == asked else f"{seeds} of {asked}"
    return f"Of nine claims, over {over} seed{'' if asked == 1 else 's'}: {listed}."

"""One judged claim as the API gives it.

Pure functions.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

from backend.verdict.evidence import JudgedEvidence, JudgedForm
from backend.verdict.reasons import disagreement, reason
from backend.verdict.schemas import (
    AsReported,
    ClaimOut,
    EvidenceOut,
    Figures,
    Pair,
    Parts,
    ReportedOut,
)
from backend.verdict.wording import named
from contract.catalogue.claims import Claim
from contract.comparison.spec import ComparisonSpec
from contract.metrics import METRICS
from contract.statistics import ALPHA

CLAIM_LOSSES: Final = ("contrastive", "triplet")
"""The losses that the claims compare: a and b."""
_INTER_CLASS: Final = 2
"""Id of the claim that mostly reads the margins."""


@dataclass(frozen=True)
class Context:
    """What is the same for all claims of a verdict."""

    spec: ComparisonSpec
    arms: Pair | None
    noun: str
    """What one replicate is called."""
    not_trained: list[str]
    """Why an arm's embeddings are not judged, as sentences."""
    why_none: str
    """Why no claim can be judged; empty if at least one may be."""

    @property
    def names(self) -> tuple[str, str]:
        """Names of the two arms, or of the losses that the claims are about."""
        return (self.arms.a, self.arms.b) if self.arms else CLAIM_LOSSES

    @property
    def of_the_claims(self) -> bool:
        """Whether the arms have the losses that the claims are about; also if there are no arms."""
        return (
            self.arms is None
            or tuple(self.spec.arm(name).loss.kind for name in (self.arms.a, self.arms.b))
            == CLAIM_LOSSES
        )


def claim_out(claim: Claim, robust: JudgedForm, reported: JudgedForm, context: Context) -> ClaimOut:
    """Return a claim with the figures of both its forms."""
    if [part.evidence for part in robust.parts] == list(claim.as_reported):
        reported = robust  # one form: it must not have two words, from two families of tests
    evidence = [_evidence(part, robust=True) for part in robust.parts]
    first = next((one for one in evidence if one.verdict != "not_measured"), evidence[0])
    figures = first.model_dump(include=set(Figures.model_fields) - {"verdict"})
    of_the_claims = context.of_the_claims
    a, b = map(named, context.names)
    said = context.why_none or reason(robust, a, b, context.noun, context.not_trained)
    return ClaimOut(
        **figures,
        id=claim.id,
        text=claim.text() if of_the_claims else claim.text(*context.names),
        arms=context.arms,
        verdict=robust.word,
        reason=said + (_margins(context) if claim.id == _INTER_CLASS else ""),
        reported=[ReportedOut(**asdict(one)) for one in claim.reported] if of_the_claims else [],
        evidence=evidence,
        reported_evidence=[_evidence(part, robust=False) for part in reported.parts],
        as_reported=AsReported(
            word=reported.word, metrics=[one.metric for one in claim.as_reported]
        ),
        disagreement=disagreement(robust.word, reported.word),
        parts=Parts(judged=len(robust.measured), of=len(robust.parts)),
        true_by_construction=claim.true_by_construction if of_the_claims else "",
        related=claim.related,
    )


def _margins(context: Context) -> str:
    """Return a sentence with the margins of both arms, as far as their losses have one."""
    if context.arms is None or context.why_none:
        return ""
    margins = {
        name: margin
        for name in context.names
        if (margin := getattr(context.spec.arm(name).loss, "margin", None)) is not None
    }
    if not margins:
        return ""
    said = " and ".join(f"{margin:g} in {named(name)}" for name, margin in margins.items())
    return f" How far classes are pushed apart follows the margin: {said}."


def _evidence(part: JudgedEvidence, *, robust: bool) -> EvidenceOut:
    metric = part.evidence.metric
    return EvidenceOut(
        **_figures(part),
        label=METRICS[metric].label,
        part=part.evidence.part,
        robust=robust,
        expected=part.evidence.expected,
        mean_a=part.mean_a,
        mean_b=part.mean_b,
        censored=part.paired.censored,
        differences=part.differences,
    )


def _figures(part: JudgedEvidence) -> dict[str, Any]:
    metric, judged = part.evidence.metric, part.judged
    if judged is None:
        empty = dict.fromkeys(set(Figures.model_fields))
        return {**empty, "metric": metric, "n": 0, "verdict": part.word}
    shows_p = judged.smallest_p is not None and judged.smallest_p < ALPHA
    return {
        "metric": metric,
        "mean_difference": judged.mean,
        "interval": judged.interval,
        "simultaneous": judged.simultaneous,
        "bounds": judged.bounds,
        "ratio": judged.ratio,
        "ratio_interval": judged.ratio_interval,
        "ratio_simultaneous": judged.ratio_simultaneous,
        "ratio_bounds": judged.ratio_bounds,
        "level_side": judged.level_side,
        "p_value": judged.p if shows_p else None,
        "p_holm": judged.p_holm if judged.can_reach else None,
        "effect_size": judged.effect_size,
        "n": judged.n,
        "verdict": judged.word,
    }

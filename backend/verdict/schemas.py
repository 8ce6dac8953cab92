"""The verdict as the API gives it."""

from pydantic import BaseModel

from backend.verdict.evidence import Decision
from contract.catalogue.claims import Expected


class Pair(BaseModel):
    """The two arms that are judged."""

    a: str
    """Takes the place of the contrastive loss in the claims."""
    b: str
    """Takes the place of the triplet loss in the claims."""


class ReportedOut(BaseModel):
    """What a paper reports."""

    what: str
    a: float
    b: float
    unit: str
    source: str
    second_hand: bool


class Figures(BaseModel):
    """How one metric differs between the two arms."""

    metric: str
    mean_difference: float | None
    """Mean of a - b; a censored value counts as its bound."""
    interval: tuple[float, float] | None
    p_value: float | None
    p_holm: float | None
    """The p-value after Holm's correction over the evidence of all claims."""
    effect_size: float | None
    n: int
    """Pairs of runs."""
    verdict: Decision


class EvidenceOut(Figures):
    """One metric that a claim is judged by."""

    label: str
    expected: Expected
    """How a should compare with b."""
    mean_a: float | None
    """Mean over the pairs; null where a value is censored."""
    mean_b: float | None
    censored: int
    """Pairs in which a value is censored: only a lower bound of it is known."""


class ClaimOut(Figures):
    """One claim, judged by all its evidence; the other figures are its first measured one's."""

    id: int
    text: str
    arms: Pair | None
    reason: str
    reported: list[ReportedOut]
    """For contrastive and triplet loss; empty for other arms."""
    evidence: list[EvidenceOut]


class Verdict(BaseModel):
    """All claims."""

    summary: str
    advice: str
    """Which arm to use here, for what, and with what reservation; empty where nothing is judged."""
    arms: Pair | None
    """Null where the spec has no contrastive or no triplet arm and no other two were named."""
    seeds: int
    """Number of seeds at which the runs of both arms have succeeded."""
    smallest_p: float | None
    """The smallest p-value that so few seeds can give."""
    caveats: list[str]
    claims: list[ClaimOut]

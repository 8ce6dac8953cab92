"""The verdict as the API gives it."""

from pydantic import BaseModel

from backend.verdict.evidence import Decision
from contract.catalogue.claims import Expected


class Pair(BaseModel):
    """The two arms that are judged."""

    a: str
    """In the contrastive loss's place."""
    b: str
    """In the triplet loss's place."""


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
    """Mean of a - b, with its bound in the place of a censored value."""
    interval: tuple[float, float] | None
    p_value: float | None
    p_holm: float | None
    """Adjusted over the evidence of all claims."""
    effect_size: float | None
    n: int
    """Pairs of runs."""
    verdict: Decision


class EvidenceOut(Figures):
    """One metric that a claim is judged by."""

    label: str
    expected: Expected
    """How a should lie against b."""
    mean_a: float | None
    """Over the pairs; null where one of its values is censored."""
    mean_b: float | None
    censored: int
    """Pairs of which one value is only known to be more than a bound."""


class ClaimOut(Figures):
    """One claim, judged by all its evidence; the other figures are its first measured one's."""

    id: int
    text: str
    arms: Pair | None
    reason: str
    reported: list[ReportedOut]
    """Of contrastive and triplet loss; empty for other arms."""
    evidence: list[EvidenceOut]


class Verdict(BaseModel):
    """All claims."""

    summary: str
    advice: str
    """Which arm to use here, for what, and with what reservation; empty where nothing is judged."""
    arms: Pair | None
    """Null where the spec has no contrastive or no triplet arm and no other two were named."""
    seeds: int
    """At which the runs of both arms have succeeded."""
    smallest_p: float | None
    """No data of so many seeds give less."""
    caveats: list[str]
    claims: list[ClaimOut]

"""Judge claims and their parts by two arms of a comparison. Pure functions."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from backend.metrics.measurements import Observation, PairedValues
from backend.verdict.pairs import BySeed, pair, sample_of
from contract.catalogue.claims import CLAIMS, Evidence
from contract.comparison.data import modalities
from contract.comparison.spec import ComparisonSpec
from contract.metrics import bare_key
from contract.statistics import JudgedClaim, JudgedSample, Replication, Sample, Word, judge

_OF_EMBEDDINGS: Final = ("geometry.", "classification.", "retrieval.", "clustering.", "detail.")
"""Beginnings of the keys of metrics that read embeddings."""


@dataclass(frozen=True)
class JudgedEvidence:
    """One part of a claim with the two arms' values."""

    evidence: Evidence
    paired: PairedValues
    sample: Sample | None
    """None where there is no pair to judge."""
    judged: JudgedSample | None
    """None as sample is."""
    withheld: bool = False
    """Whether it is not judged because an arm was not trained."""

    @property
    def word(self) -> Word:
        """The decision on this part alone."""
        if self.judged:
            return self.judged.word
        # Pairs whose two values are both censored say nothing, but they were measured.
        return "undecided" if self.paired.dropped and not self.withheld else "not_measured"

    @property
    def mean_a(self) -> float | None:
        """Mean of the first arm over the pairs; None if a value is censored, or without a pair."""
        return _mean(self.paired.values_a)

    @property
    def mean_b(self) -> float | None:
        """The same of the second arm."""
        return _mean(self.paired.values_b)

    @property
    def differences(self) -> list[float]:
        """What is judged: a - b of each pair, without those that have a censored value."""
        if self.judged is None:
            return []
        pairs = zip(self.paired.values_a, self.paired.values_b, strict=True)
        return [a.value - b.value for a, b in pairs if not a.censored and not b.censored]


@dataclass(frozen=True)
class JudgedForm:
    """One form of a claim, judged by all its parts."""

    word: Word
    parts: tuple[JudgedEvidence, ...]

    @property
    def measured(self) -> list[JudgedEvidence]:
        """The parts that have values."""
        return [part for part in self.parts if part.word != "not_measured"]


def judge_claims(
    spec: ComparisonSpec,
    a: BySeed,
    b: BySeed,
    replication: Replication,
    *,
    not_trained: bool = False,
    reported: bool = False,
) -> list[JudgedForm]:
    """Judge all claims, in the order of CLAIMS.

    Args:
        spec: the comparison's.
        a: figures of the runs of the arm in the contrastive role.
        b: those of the arm in the triplet role.
        replication: what the runs of an arm are replicates of.
        not_trained: whether one of the arms was not trained.
        reported: judge the measures as the paper took them, in place of the robust forms.
    """
    across = modalities(spec.data).visual is not None
    return judge_forms(
        [claim.as_reported if reported else claim.robust_form(across=across) for claim in CLAIMS],
        lambda key: pair(key, a, b),
        spec.practical,
        replication,
        not_trained=not_trained,
    )


def judge_forms(
    forms: Sequence[Sequence[Evidence]],
    pair_of: Callable[[str], PairedValues],
    practical: Mapping[str, float],
    replication: Replication,
    *,
    not_trained: bool,
) -> list[JudgedForm]:
    """Judge one form of each claim; together they are one family of tests.

    Args:
        forms: the parts of each claim.
        pair_of: returns the paired values of a metric.
        practical: the spec's practical bounds.
        replication: what the pairs are replicates of.
        not_trained: whether one of the arms was not trained: then nothing about its embeddings is
            judged.
    """
    read = [[_read(part, pair_of, practical, not_trained) for part in form] for form in forms]
    samples = [[part.sample for part in form if part.sample] for form in read]
    judged = judge(samples, replication)
    return [_form(form, claim) for form, claim in zip(read, judged, strict=True)]


def family_size(forms: Sequence[JudgedForm]) -> int:
    """Return the number of claims that are judged together."""
    return sum(any(part.judged for part in form.parts) for form in forms)


def _read(
    evidence: Evidence,
    pair_of: Callable[[str], PairedValues],
    practical: Mapping[str, float],
    not_trained: bool,
) -> JudgedEvidence:
    paired = pair_of(evidence.metric)
    withheld = not_trained and bare_key(evidence.metric).startswith(_OF_EMBEDDINGS)
    sample = (
        sample_of(evidence.metric, paired, evidence.expected, practical)
        if paired.difference and not withheld
        else None
    )
    return JudgedEvidence(evidence, paired, sample, None, withheld)


def _form(read: Sequence[JudgedEvidence], claim: JudgedClaim) -> JudgedForm:
    judged = iter(claim.samples)
    parts = tuple(
        JudgedEvidence(
            part.evidence,
            part.paired,
            part.sample,
            next(judged) if part.sample else None,
            part.withheld,
        )
        for part in read
    )
    # A part that was measured but says nothing agrees with no other.
    silent = any(part.word == "undecided" for part in parts if not part.judged)
    return JudgedForm("undecided" if silent else claim.word, parts)


def _mean(values: Sequence[Observation]) -> float | None:
    if not values or any(one.censored for one in values):
        return None
    return statistics.fmean(one.value for one in values)

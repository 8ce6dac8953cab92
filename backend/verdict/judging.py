"""Judge the nine claims by two arms of a comparison. Pure functions."""

from backend.verdict.evidence import JudgedForm, judge_forms
from backend.verdict.pairs import BySeed, pair
from contract.catalogue.claims import CLAIMS
from contract.comparison.data import modalities
from contract.comparison.spec import ComparisonSpec
from contract.statistics import Replication


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
        a: figures of the runs of the arm in the contrastive loss's place.
        b: those of the arm in the triplet loss's place.
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

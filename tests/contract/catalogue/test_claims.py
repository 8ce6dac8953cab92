"""The nine claims, as docs/METHOD.md states them."""

from contract.catalogue.claims import CLAIMS
from contract.metrics import METRICS


def test_nine_claims_with_known_metrics() -> None:
    assert [claim.id for claim in CLAIMS] == list(range(1, 10))
    metrics = [evidence.metric for claim in CLAIMS for evidence in claim.evidence]
    assert len(metrics) == len(set(metrics)) == 13
    assert set(metrics) <= set(METRICS)


def test_variance_classification_and_retrieval_read_the_test_split_dynamics_the_training() -> None:
    for claim in CLAIMS:
        prefixes = {evidence.metric.split(".")[0] for evidence in claim.evidence}
        assert prefixes == ({"dynamics"} if claim.id in {3, 4, 5, 6} else {"test"})


def test_only_the_early_active_ratio_is_claimed_higher_for_contrastive() -> None:
    greater = [c.id for c in CLAIMS if {e.expected for e in c.evidence} == {"greater"}]
    less = [c.id for c in CLAIMS if {e.expected for e in c.evidence} == {"less"}]
    assert (greater, less) == ([3], [1, 2, 4, 5, 6, 7, 8, 9])


def test_the_words_name_the_losses_or_the_arms_that_take_their_place() -> None:
    assert CLAIMS[0].text() == "Triplet keeps more intra-class variance"
    assert CLAIMS[2].text() == "Contrastive has more active tuples early"
    assert CLAIMS[4].text("wide", "narrow") == "wide's loss decays in fewer epochs"
    texts = [claim.text("A", "B") for claim in CLAIMS]
    assert len(set(texts)) == 9
    assert all("{" not in text and not text.endswith(".") for text in texts)


def test_reported_figures_agree_with_the_claim_except_for_the_tuned_comparison() -> None:
    # Zeng 2025 reports what it claims; Musgrave et al. found both equal after equal tuning.
    figures = [(c, r) for c in CLAIMS for r in c.reported]
    assert len(figures) == 11
    against = []
    for claim, reported in figures:
        assert reported.second_hand
        greater = claim.evidence[0].expected == "greater"
        if (reported.a > reported.b) != greater:
            against.append((claim.id, reported.what.split(":")[0]))
    assert against == [(8, "CUB"), (8, "SOP")]
    assert all("Zeng" in r.source for c, r in figures if c.id != 8)
    assert [c.id for c in CLAIMS if not c.reported] == [2, 6, 9]

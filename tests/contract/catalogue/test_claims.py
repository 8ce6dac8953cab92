"""The nine claims, as docs/METHOD.md states them."""

from contract.catalogue.claims import CLAIMS, CLAIMS_VERSION, Claim
from contract.metrics import METRICS, TEST_LAST_PREFIX

BY_ID = {claim.id: claim for claim in CLAIMS}


def metrics(claim: Claim, *, across: bool = False) -> list[str]:
    return [part.metric for part in claim.robust_form(across=across)]


def test_nine_claims_with_known_metrics() -> None:
    assert CLAIMS_VERSION == 2
    assert [claim.id for claim in CLAIMS] == list(range(1, 10))
    for claim in CLAIMS:
        forms = (claim.as_reported, claim.robust, claim.robust_form(across=True))
        for form in forms:
            assert form
            assert len({part.metric for part in form}) == len(form)
            assert {part.metric for part in form} <= set(METRICS)


def test_variances_and_detail_are_read_at_both_epochs() -> None:
    for number, metric in (
        (1, "geometry.intra_class_variance.scale_free"),
        (2, "geometry.inter_class_variance.scale_free"),
        (9, "detail.recall_at_1"),
    ):
        assert metrics(BY_ID[number]) == [f"test.{metric}", f"test.last.{metric}"]
        assert [part.part for part in BY_ID[number].robust] == ["best epoch", "last epoch"]
    assert BY_ID[1].as_reported[0].metric == "test.geometry.intra_class_variance"
    assert BY_ID[2].as_reported[0].metric == "test.geometry.inter_class_variance"


def test_dynamics_are_read_from_the_training() -> None:
    assert metrics(BY_ID[3]) == [
        "dynamics.active_ratio.pushing.early",
        "dynamics.active_ratio.pushing_anchors.early",
    ]
    assert metrics(BY_ID[4]) == ["dynamics.update_norm.mean"]
    assert metrics(BY_ID[5]) == ["retrieval.map_at_r.epochs_to_common"]
    assert metrics(BY_ID[6]) == ["dynamics.update_norm.late_share"]
    for number in (3, 4, 5, 6):
        assert [part.part for part in BY_ID[number].robust] == [""] * len(BY_ID[number].robust)


def test_classification_and_retrieval_are_the_same_in_both_forms() -> None:
    for number in (7, 8):
        assert BY_ID[number].robust == BY_ID[number].as_reported
        assert not any(m.startswith(TEST_LAST_PREFIX) for m in metrics(BY_ID[number]))


def test_across_two_modalities_both_directions_must_agree_on_retrieval_alone() -> None:
    assert metrics(BY_ID[8], across=True) == [
        "test.retrieval.audio_to_visual.map",
        "test.retrieval.visual_to_audio.map",
    ]
    other = [claim for claim in CLAIMS if claim.id != 8]
    assert all(claim.robust_form(across=True) == claim.robust for claim in other)


def test_only_the_early_active_ratio_is_claimed_higher_for_contrastive() -> None:
    for claim in CLAIMS:
        parts = (*claim.as_reported, *claim.robust, *claim.robust_across)
        assert {part.expected for part in parts} == {"greater" if claim.id == 3 else "less"}


def test_the_words_name_the_losses_or_the_arms_that_take_their_place() -> None:
    assert CLAIMS[0].text() == "Triplet keeps more intra-class variance"
    assert CLAIMS[2].text() == "Contrastive has more active tuples early"
    assert CLAIMS[4].text("wide", "narrow") == "wide learns in fewer epochs"
    texts = [claim.text("A", "B") for claim in CLAIMS]
    assert len(set(texts)) == 9
    assert all("{" not in text and not text.endswith(".") for text in texts)


def test_what_holds_by_construction_and_what_others_have_written() -> None:
    assert [c.id for c in CLAIMS if c.true_by_construction] == [4]
    assert "2204.07596" in BY_ID[9].related


def test_reported_figures_agree_with_the_claim_except_for_the_tuned_comparison() -> None:
    # Zeng 2025 reports what it claims; Musgrave et al. found both equal after equal tuning.
    figures = [(c, r) for c in CLAIMS for r in c.reported]
    assert len(figures) == 11
    against = []
    for claim, reported in figures:
        assert reported.second_hand
        greater = claim.as_reported[0].expected == "greater"
        if (reported.a > reported.b) != greater:
            against.append((claim.id, reported.what.split(":")[0]))
    assert against == [(8, "CUB"), (8, "SOP")]
    assert all("Zeng" in r.source for c, r in figures if c.id != 8)
    assert [c.id for c in CLAIMS if not c.reported] == [2, 6, 9]

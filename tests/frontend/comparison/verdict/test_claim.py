"""A claim: closed, its word and what it rests on; opened, every figure."""

from typing import Any

import pytest

from frontend.comparison.verdict.claim import claim_html
from frontend.comparison.verdict.words import WORDS
from tests.support.verdicts import claim, evidence, not_measured

REPORTED = {"what": "Recall@1", "a": 0.84, "b": 0.92, "unit": "", "source": "Zeng <2025>"}


def shown(made: dict[str, Any]) -> str:
    return claim_html(made, "seed")


def closed(page: str) -> str:
    return page.partition("<summary>")[2].partition("</summary>")[0]


def test_the_words_have_signs_of_their_own() -> None:
    assert len(WORDS) == 7
    assert len({word.sign for word in WORDS.values()}) == 7


@pytest.mark.parametrize("word", WORDS)
def test_a_claim_has_its_sign_and_its_word(word: str) -> None:
    page = shown(claim(1, evidence(verdict=word)))
    assert f"<b aria-hidden='true'>{WORDS[word].sign}</b>{WORDS[word].text}" in closed(page)
    assert f"lb-is-{word}" in page


def test_only_the_ninth_claim_is_ours() -> None:
    assert "our own claim" in shown(claim(9, evidence()))
    assert "our own claim" not in shown(claim(8, evidence()))


def test_every_robust_part_is_a_line_with_its_seeds() -> None:
    rows = [
        evidence(differences=[-0.05, -0.04]),
        evidence(part="last epoch", differences=[-0.06]),
        not_measured(metric="three", label="Detail"),
    ]
    page = closed(shown(claim(8, *rows)))
    assert page.count("role='img'") == 2
    assert page.count("lb-seed") == 3
    for text in ("Recall@1, best epoch", "Recall@1, last epoch", "Detail, best epoch"):
        assert f"<span class='lb-name'>{text}</span>" in page
    assert "not measured" in page
    assert "−0.080 … −0.020" in page, "the interval that decides"


def test_few_replicates_and_sign_tests_have_no_interval() -> None:
    few = evidence(n=2, interval=None, simultaneous=None, p_value=None, p_holm=None)
    page = shown(claim(8, few))
    assert "2 seeds, no interval" in page
    assert "p is left out" in page
    assert "<th scope='col'>p</th>" not in page
    assert "p is left out" not in shown(claim(8, not_measured())), "not for want of replicates"
    grid = evidence(interval=None, simultaneous=None)
    assert "sign test, 10 seeds" in closed(shown(claim(5, grid)))


def test_what_the_paper_measured_stands_beside_the_robust_form() -> None:
    raw = evidence(label="Raw <variance>", part="", mean_difference=0.2, verdict="contradicted")
    page = shown(
        claim(
            1,
            evidence(),
            reported_evidence=[raw],
            as_reported={"word": "contradicted", "metrics": []},
            disagreement="They <disagree>.",
            parts={"judged": 1, "of": 2},
            true_by_construction="pairs never <switch off>.",
        )
    )
    reported = "As reported (Raw &lt;variance&gt;): <b>✗ contradicted</b>, unlike the robust form"
    assert reported in closed(page)
    for text in ("Judged on 1 of 2 parts.", "&lt;switch off&gt;"):
        assert text in closed(page)
    assert "True by construction" in closed(page)
    opened = page.partition("</summary>")[2]
    assert "They &lt;disagree&gt;." in opened
    assert opened.index("Robust form") < opened.index("Recall@1") < opened.index("As reported")
    assert opened.index("As reported") < opened.index("Raw &lt;variance&gt;")
    assert "+0.2" in opened


def test_a_measure_as_reported_that_was_not_measured_either_is_no_news() -> None:
    raw = not_measured(label="Raw variance", metric="raw")
    other = claim(1, not_measured(), verdict="not_measured", reported_evidence=[raw])
    assert "As reported" not in closed(shown(other))
    assert "As reported" in closed(shown({**other, "verdict": "supported"}))


def test_all_parts_and_no_disagreement_are_not_mentioned() -> None:
    page = shown(claim(1, evidence()))
    for text in ("Judged on", "True by construction", "As reported"):
        assert text not in page


def test_ratios_and_level_sides_are_told() -> None:
    row = evidence(
        verdict="level",
        level_side="greater",
        bounds=None,
        ratio=1.1,
        ratio_simultaneous=[0.9, 1.2],
        ratio_bounds=[0.8, 1.25],
        censored=2,
    )
    page = shown(claim(4, row))
    ratio = "ratio 1.10 [0.90 … 1.20], level within 0.8 … 1.25"
    assert ratio in closed(page), "the picture has differences, which no bounds belong to"
    assert page.count(ratio) == 2
    assert "greater in a &lt;b&gt;, by less than matters" in page
    assert "2 pairs censored" in page


def test_the_papers_value_is_on_the_claim_and_marked_second_hand() -> None:
    page = shown(claim(8, evidence(), reported=[REPORTED, REPORTED]))
    assert "Reported (secondary source): 0.84 contrastive, 0.92 triplet (Recall@1)" in closed(page)
    assert "1 more inside" in closed(page)
    assert page.count("(Zeng &lt;2025&gt;)") == 2
    without = shown(claim(9, evidence()))
    assert "No paper's value is known" in without
    assert "Paper" not in closed(without)

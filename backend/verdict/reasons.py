"""The figures behind a claim's word, as a sentence.

Pure functions.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from backend.verdict.evidence import JudgedEvidence, JudgedForm
from contract.metrics import METRICS
from contract.statistics import FEWEST, Word

_DETAIL: Final = "test.detail.recall_at_1"
_CONCLUSIONS: Final[Mapping[Word, str]] = {
    "supported": "as claimed",
    "contradicted": "the other way round than claimed",
    "level": "level",
    "leaning_for": "leaning as claimed",
    "leaning_against": "leaning the other way than claimed",
    "undecided": "undecided",
    "not_measured": "not measured",
}
WORDS: Final[Mapping[Word, str]] = {
    "supported": "supported",
    "contradicted": "contradicted",
    "level": "level",
    "leaning_for": "leaning towards the claim",
    "leaning_against": "leaning against the claim",
    "undecided": "undecided",
    "not_measured": "not measured",
}
"""Word of a claim -> how a sentence says it, after "is" or "are"."""


def reason(form: JudgedForm, a: str, b: str, noun: str, not_trained: Sequence[str] = ()) -> str:
    """Return the figures behind a claim's word; a and b are the arms' names.

    Args:
        form: the claim's robust form, judged.
        a: name of the first arm, as it stands in a sentence.
        b: name of the second arm, likewise.
        noun: what one replicate is called, as "seed".
        not_trained: why an arm's embeddings are not judged, as sentences.
    """
    if any(part.withheld for part in form.parts) and not form.measured:
        return f"{' '.join(not_trained)} So claims about embeddings are not judged."
    known, missing = form.measured, [part for part in form.parts if part.word == "not_measured"]
    names = [METRICS[part.evidence.metric].label for part in missing]
    if not known:
        said = f"No {noun} has a value of {' or '.join(names)} in both arms"
        if form.parts[0].evidence.metric == _DETAIL:
            said += ": it needs fine labels, and the data have none"
        return f"{said}."
    said = "; ".join(_describe(one, a, b, noun) for one in known)
    if form.word == "undecided" and len({part.word for part in known}) > 1:
        said = f"The parts do not agree: {said}"
    if missing:
        said += f"; judged on {len(known)} of {len(form.parts)} parts, for these runs have no value"
        said += f" of {' or '.join(names)}"
    return f"{said}."


def disagreement(robust: Word, reported: Word) -> str:
    """Return one sentence if both forms of a claim were measured and have different words."""
    if robust == reported or "not_measured" in {robust, reported}:
        return ""
    return (
        f"Measured as the paper did, the word would be '{WORDS[reported]}'; in the robust form it "
        f"is '{WORDS[robust]}'."
    )


def _describe(one: JudgedEvidence, a: str, b: str, noun: str) -> str:
    label = METRICS[one.evidence.metric].label
    paired, judged = one.paired, one.judged
    if judged is None:
        return (
            f"{label}: not reached in the epochs trained, so no pair (of {paired.dropped}) says "
            "which arm is ahead"
        )
    means = (
        ""
        if one.mean_a is None or one.mean_b is None
        else f"{one.mean_a:.3g} in {a} against {one.mean_b:.3g} in {b}, "
    )
    figure = f"{label}: {means}a mean difference of {judged.mean:+.3g}"
    if judged.interval:
        low, high = judged.interval
        figure += f" (95 % interval {low:+.3g} to {high:+.3g})"
    over = f"over {judged.n} {noun}{'' if judged.n == 1 else 's'}"
    if paired.censored:
        over += f", with {paired.censored} pair{'' if paired.censored == 1 else 's'} censored"
        over += f" ({paired.dropped} dropped)" if paired.dropped else ""
    return f"{figure} {over}, {_conclusion(one, a)}"


def _conclusion(one: JudgedEvidence, a: str) -> str:
    judged = one.judged
    if judged and judged.word == "level" and judged.level_side:
        return f"level, though {a} is {'greater' if judged.level_side == 'greater' else 'smaller'}"
    if judged and judged.n < FEWEST:
        return "and fewer than three pairs decide nothing"
    if judged and judged.interval is None and judged.word in {"supported", "contradicted"}:
        return f"{_CONCLUSIONS[judged.word]} by the signs of the differences"
    return _CONCLUSIONS[one.word]

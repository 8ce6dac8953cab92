"""The seven words of a verdict, each with a sign of its own."""

from dataclasses import dataclass
from html import escape
from typing import Final


@dataclass(frozen=True)
class Word:
    """A word of the verdict as readers see it."""

    sign: str
    """A character that no other word has, so that colour is never needed to tell two apart."""
    text: str
    meaning: str
    """One line that says when the word is given."""


WORDS: Final = {
    "supported": Word("✓", "Supported", "the simultaneous interval lies on the claimed side of 0"),
    "contradicted": Word(
        "✗", "Contradicted", "the simultaneous interval lies on the other side of 0"
    ),
    "level": Word(
        "=",
        "Level",
        "the simultaneous interval lies within the practical bounds: no difference that would "
        "matter",
    ),
    "leaning_for": Word(
        "↗", "Leaning towards", "only the 95 % interval excludes 0, on the claimed side"
    ),
    "leaning_against": Word(
        "↘", "Leaning against", "only the 95 % interval excludes 0, on the other side"
    ),
    "undecided": Word(
        "?",
        "Undecided",
        "no interval excludes 0, the claim's parts disagree, or there are fewer than three pairs",
    ),
    "not_measured": Word(
        "–", "Not measured", "no seed has a value in both arms, or an arm did not train"
    ),
}
"""The API's word -> how it is shown."""


def word_html(word: str) -> str:
    """Return a word with its sign in a disc of its colour."""
    shown = WORDS[word]
    return (
        f"<span class='lb-word lb-is-{word}' title='{escape(shown.meaning, quote=True)}'>"
        f"<b aria-hidden='true'>{shown.sign}</b>{shown.text}</span>"
    )

"""Texts and numbers for LaTeX: whatever people type compiles with pdflatex."""

import re
import unicodedata
from typing import Final

_ESCAPES: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "[": "{[}",  # at the beginning of a row, [ and * would be arguments of the \\ before it
    "*": "{*}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    '"': r"\char34{}",  # the command for it needs another font encoding than the usual one
    "«": r"$\ll$",
    "»": r"$\gg$",
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≈": r"$\approx$",
    "≠": r"$\neq$",
    "∞": r"$\infty$",
    "…": r"\dots{}",
    "–": "--",
    "—": "---",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "→": r"$\rightarrow$",
    "←": r"$\leftarrow$",
    "µ": r"$\mu$",
    "°": r"$^\circ$",
}
_GREEK: Final = re.compile(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)")
_GREEK_RANGE: Final = ("Α", "ω")
_GREEK_COMMANDS: Final = {
    "Λ": "Lambda",
    "λ": "lambda",
    "ε": "varepsilon",
    "φ": "varphi",
    "ς": "varsigma",
    "ϕ": "phi",
    "ϵ": "epsilon",
}
"""Letters whose command is not their name in Unicode."""
_LATIN_LOOKALIKES: Final = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧο", "ABEZHIKMNOPTXo", strict=True))
"""Greek letters that LaTeX has no command for, as they look like Latin ones."""
_SUPERSCRIPTS: Final = dict(zip("⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹", "-+0123456789", strict=True))
_SUBSCRIPTS: Final = dict(zip("₋₊₀₁₂₃₄₅₆₇₈₉", "-+0123456789", strict=True))
_RAISED: Final = "".join(_SUPERSCRIPTS)
_LOWERED: Final = "".join(_SUBSCRIPTS)
_POWER_OF_TEN: Final = re.compile(rf"([−-]?[\d.]+) × 10([{_RAISED}]+)")
_RUN: Final = re.compile(rf"([{_RAISED}]+)|([{_LOWERED}]+)")
_LAST_LATIN: Final = "ž"
"""Last letter of Unicode's Latin Extended-A that pdflatex knows in UTF-8."""
_UNKNOWN_LATIN: Final = frozenset("ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲų")
"""Letters up to there that it does not know in its usual font encoding, OT1."""


def one_line(text: str) -> str:
    """Return a text on one line, each run of white space as one blank."""
    return re.sub(r"\s+", " ", text)


def escape_latex(text: str) -> str:
    r"""Return a text on one line, escaped for pdflatex.

    Greek letters, arrows, superscripts and powers of ten become mathematics: 5.6 × 10⁻¹⁷ is
    $5.6 \times 10^{-17}$. Other characters that pdflatex has no sign for are shown as their code,
    [U+4E2D], so that every text compiles.
    """
    pieces: list[str] = []
    end = 0
    line = one_line(text)
    for match in _POWER_OF_TEN.finditer(line):
        number, power = match[1].replace("−", "-"), _plain(match[2], _SUPERSCRIPTS)
        pieces += [_escaped(line[end : match.start()]), rf"${number} \times 10^{{{power}}}$"]
        end = match.end()
    return "".join([*pieces, _escaped(line[end:])])


def _escaped(text: str) -> str:
    def scripts(match: re.Match[str]) -> str:
        if match[1]:
            return f"$^{{{_plain(match[1], _SUPERSCRIPTS)}}}$"
        return f"$_{{{_plain(match[2], _SUBSCRIPTS)}}}$"

    parts, end = [], 0
    for match in _RUN.finditer(text):
        parts += [*map(_character, text[end : match.start()]), scripts(match)]
        end = match.end()
    return "".join([*parts, *map(_character, text[end:])])


def _character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character in _LATIN_LOOKALIKES:
        return rf"$\mathrm{{{_LATIN_LOOKALIKES[character]}}}$"
    if character in _GREEK_COMMANDS:
        return rf"$\{_GREEK_COMMANDS[character]}$"
    greek = _GREEK.fullmatch(unicodedata.name(character, ""))
    if greek and _GREEK_RANGE[0] <= character <= _GREEK_RANGE[1]:
        name = greek[2].lower()
        return rf"$\{name.capitalize() if greek[1] == 'CAPITAL' else name}$"
    latin = "¡" <= character <= _LAST_LATIN and character not in _UNKNOWN_LATIN
    if latin or " " <= character <= "~":
        return character
    return f"{{[}}U+{ord(character):04X}]"


def _plain(raised: str, signs: dict[str, str]) -> str:
    return "".join(signs[character] for character in raised)

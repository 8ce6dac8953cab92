import subprocess
from pathlib import Path
from typing import Any

import pytest

from frontend.comparison.results_table import result_sections
from frontend.export.latex import Material, latex_document
from frontend.export.latex_text import escape_latex
from tests.frontend.export.test_verdict_tables import hostile

DOCUMENT = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage{booktabs}
\begin{document}
%s
\end{document}
"""
NAMES = ["[α = 0.2, β₁ 10⁻³", "*Ärm & “50 %” #1_{x} \\input{y} ~^ 中文 🎉 <a> ΔΑ"]
LATIN = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA1, 0x180)]))


def metric(key: str, *means: float, sd: float = 0.01, better: str = "higher") -> dict[str, Any]:
    base: dict[str, Any] = {"n": 3, "sd": sd, "low": None, "high": None, "values": []}
    arms = [{"arm": name, "mean": mean, **base} for name, mean in zip(NAMES, means, strict=True)]
    return {"key": key, "label": "Recall@1 ↑ λ", "better": better, "arms": arms}


def material(own: str, *metrics: dict[str, Any]) -> Material:
    found = result_sections({"metrics": list(metrics)}, NAMES)
    ranked = {"letters": "a", "state": None, "sd": 0.01, "mean": 0.5}
    board: Any = {"label": "MAP@R (test)", "better": "higher"}
    board["arms"] = [{"arm": one, **ranked} for one in NAMES]
    name = f"digits: ε → ∞ “50 %” {LATIN}"
    return Material(own, name, NAMES, found, hostile(), ranked=[board])


def test_the_tables_compile_with_pdflatex_whatever_people_type(tmp_path: Path) -> None:
    metrics = [metric("test.retrieval.recall_at_1", 0.5, 0.6), metric("geometry.x", 5.6e-9, 2e-9)]
    tables = [latex_document(material(own, *metrics)) for own in ("0a" * 16, "1b" * 16)]
    (tmp_path / "thesis.tex").write_text(DOCUMENT % "\n".join(tables), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "thesis.tex"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        check=False,
        capture_output=True,
        timeout=120,
        text=True,
        errors="replace",
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "multiply defined" not in done.stdout
    assert (tmp_path / "thesis.pdf").stat().st_size > 1000


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("5.6 × 10⁻¹⁷", r"$5.6 \times 10^{-17}$"),
        ("−2 × 10⁵ ± 1", r"$-2 \times 10^{5}$ $\pm$ 1"),
        ("α, Ω and Α", r"$\alpha$, $\Omega$ and $\mathrm{A}$"),
        ("m² and x₁₂", "m$^{2}$ and x$_{12}$"),
        ("a\n\\input{x}", r"a \textbackslash{}input\{x\}"),
        ("naïve Łódź", "naïve Łódź"),
        ('"ą"', r"\char34{}{[}U+0105]\char34{}"),
        ("中", "{[}U+4E2D]"),
        ("[0] *", "{[}0] {*}"),
    ],
)
def test_signs_that_latex_does_not_know_are_written_as_it_knows_them(
    text: str, escaped: str
) -> None:
    assert escape_latex(text) == escaped


def test_means_that_differ_by_rounding_alone_are_both_bold_or_none() -> None:
    third = {**metric("retrieval.recall_at_1", 0.9, 0.9 + 5.6e-17)["arms"][0], "arm": "c"}
    tied = metric("retrieval.recall_at_1", 0.9, 0.9000004)
    text = latex_document(material("0a" * 16, tied))
    assert r"\textbf" not in text
    tied["arms"].append(third | {"mean": 0.5})
    found = result_sections({"metrics": [tied]}, [*NAMES, "c"])
    three = Material("0a" * 16, "digits", [*NAMES, "c"], found, hostile())
    assert latex_document(three).count(r"\textbf{0.900") == 2


def test_labels_differ_between_comparisons_and_captions_state_the_rule() -> None:
    one, other = (
        latex_document(material(own, metric("retrieval.recall_at_1", 0.5, 0.6)))
        for own in ("0a" * 16, "1b" * 16)
    )
    assert r"\label{tab:0a0a0a0a-validation-split-last-evaluation}" in one
    assert r"\label{tab:1b1b1b1b-validation-split-last-evaluation}" in other
    assert "interval (Student's t) overlaps no other arm's" in one

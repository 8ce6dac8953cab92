from pathlib import Path

import pytest

from benchmarks.findings_data import CASES
from benchmarks.findings_moves import Measured, headline, losses_table
from benchmarks.findings_specs import comparison_spec
from benchmarks.product_bench import product_bench


@pytest.mark.slow
def test_the_product_trains_all_ten_losses_and_its_answers_make_tables(tmp_path: Path) -> None:
    case = CASES["digits"]
    spec = comparison_spec("digits", case, {"kind": "digits"}, "one margin")
    spec |= {"training": {**spec["training"], "epochs": 1}, "seeds": [0, 1, 2]}
    with product_bench(tmp_path, 1) as bench:
        [comparison] = bench.run([spec])
        assert bench.run([spec]) == [comparison]
        one = Measured(
            case,
            {"one margin": bench.verdict(comparison, "contrastive", "triplet")},
            {"one margin": bench.summary(comparison)},
            {"one margin": bench.leaderboard(comparison, [case.metric])},
        )
    heads, _, *rows = losses_table(one)
    assert heads == "| loss | MAP@R, one margin |"
    assert len(rows) == 10 + 1
    assert all(" ± " in row for row in rows[:10])
    assert "untrained network 0." in rows[10]
    [*_, row] = headline([one])
    assert row.startswith("| Digits | ")
    assert not row.startswith("| Digits | not run |")

"""What a verdict over re-splits of one data set says of more of them."""

import math

from scipy import stats

from backend.state import Parts
from tests.backend.helpers import Api
from tests.backend.scripted_runs import Curves, scripted_comparison


def test_the_width_that_re_splits_keep_is_not_that_of_an_interval_cut_at_its_bounds(
    api: Api, parts: Parts
) -> None:
    def wide(arm: str, seed: int) -> Curves:
        own = 0.5 + 0.01 * seed * (arm == "rank")
        far = 1.0 if (seed % 2 == 0) == (arm == "rank") else 0.0
        return {
            "test.retrieval.recall_at_1": {50: own},
            "test.classification.knn_accuracy_5": {50: far},
        }

    comparison = scripted_comparison(parts.database, wide, seeds=[0, 1, 2, 3], replicate="split")
    found = api.get(f"/comparisons/{comparison}/verdict")
    [accuracy] = [claim["evidence"][0] for claim in found["claims"] if claim["id"] == 7]
    assert accuracy["simultaneous"] == [-1, 1]
    # Two claims; as many test as training items are assumed.
    kept = stats.norm.ppf(1 - 0.05 / 4) / (stats.t.ppf(1 - 0.05 / 4, 3) * math.sqrt(1 / 4 + 1))
    assert f"keeps at least {kept:.0%} of its width" in found["to_halve"]["floor"]

"""Every metric key has its texts and occurs once."""

from annotated_types import Le

from contract.comparison.encoder import MlpEncoder
from contract.metrics import METRICS, TEST_PREFIX, bare_key
from contract.metrics.verification import DIMENSIONS, KEPT_DIMENSIONS, VERIFICATION


def test_every_metric_has_its_texts() -> None:
    assert len(METRICS) == 311
    for key, metric in METRICS.items():
        assert metric.key == key
        assert metric.label
        assert metric.formula
        assert metric.meaning.endswith(".")


def test_every_test_key_has_a_validation_key_but_those_of_the_test_split_alone() -> None:
    tests = [key for key in METRICS if key.startswith(TEST_PREFIX)]
    assert len(tests) == 196
    alone = {bare_key(key) for key in tests if bare_key(key) not in METRICS}
    assert alone == {metric.key for metric in (*VERIFICATION, *DIMENSIONS)}


def test_kept_dimensions_double_up_to_half_of_the_widest_embeddings() -> None:
    [widest] = [
        limit.le
        for limit in MlpEncoder.model_fields["embedding_dim"].metadata
        if isinstance(limit, Le)
    ]
    assert [2 * kept for kept in KEPT_DIMENSIONS] == [*KEPT_DIMENSIONS[1:], widest]

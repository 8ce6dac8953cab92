"""Every metric key has its texts and occurs once."""

from contract.metrics import METRICS, TEST_PREFIX, bare_key


def test_every_metric_has_its_texts() -> None:
    assert len(METRICS) == 224
    for key, metric in METRICS.items():
        assert metric.key == key
        assert metric.label
        assert metric.formula
        assert metric.meaning.endswith(".")


def test_every_test_key_has_a_validation_key() -> None:
    tests = [key for key in METRICS if key.startswith(TEST_PREFIX)]
    assert len(tests) == 124
    assert all(bare_key(key) in METRICS for key in tests)

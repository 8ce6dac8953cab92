"""The limit on the threads of the libraries that measure."""

import torch
from threadpoolctl import threadpool_info, threadpool_limits

from worker.measure.inputs import limit_to_torch_threads


def test_other_libraries_use_as_many_threads_as_torch() -> None:
    """BLAS is set to two threads: it has one inside the block, and two again after it."""
    assert torch.get_num_threads() == 1
    with threadpool_limits(2, user_api="blas"):
        with limit_to_torch_threads():
            assert {pool["num_threads"] for pool in threadpool_info()} == {1}
        assert {p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"} == {2}

import subprocess
from pathlib import Path

import pytest

from worker.reporting.usage import UsageMeter, commit_of, environment


def test_the_environment_names_the_machine_and_the_libraries() -> None:
    found = environment()
    assert {"host", "system", "processor", "cores", "python", "torch", "numpy"} <= found.keys()
    assert all(found.values())
    assert len(found) <= 40, "the event takes no more"


def git(folder: Path, *arguments: str) -> str:
    own = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(folder), *arguments]
    return subprocess.run(own, check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_of_a_checkout_is_read_as_git_reads_it(tmp_path: Path) -> None:
    repository, worktree = tmp_path / "repository", tmp_path / "worktree"
    repository.mkdir()
    assert commit_of(repository) == ""
    git(repository, "init", "-q")
    assert commit_of(repository) == "", "no commit yet"
    git(repository, "commit", "-q", "--allow-empty", "-m", "first")
    first = git(repository, "rev-parse", "HEAD")
    assert commit_of(repository) == first
    git(repository, "pack-refs", "--all")
    assert commit_of(repository) == first
    git(repository, "worktree", "add", "-q", "-b", "other", str(worktree))
    git(worktree, "commit", "-q", "--allow-empty", "-m", "second")
    assert commit_of(worktree) == git(worktree, "rev-parse", "HEAD") != first
    git(repository, "checkout", "-q", "--detach")
    assert commit_of(repository) == first


def test_usage_counts_items_a_second_of_training() -> None:
    meter = UsageMeter()
    assert meter.read().samples_per_s is None
    meter.started(batch_size=32)
    meter.trained(20, 4.0)
    used = meter.read()
    assert used.samples_per_s == pytest.approx(20 * 32 / 4)
    before = used.cpu_seconds
    sum(range(2_000_000))
    assert meter.read().cpu_seconds > before
    assert used.memory_bytes > 2**20

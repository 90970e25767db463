"""Settings of all tests: explained assertions in shared helpers, no cache, and the number of processes."""

from __future__ import annotations

import os

import pytest

pytest.register_assert_rewrite("tests.helpers")
# Not an absolute path, so there is no cache: a test must see what a run does, not what an earlier run did.
os.environ["TFLITE_LINT_CACHE_DIR"] = "none"


def pytest_xdist_auto_num_workers() -> int:
    """Return the number of processes of `-n auto`: one more than the cores, as many tests wait for a process."""
    return (os.cpu_count() or 1) + 1

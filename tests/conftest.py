"""Lets pytest explain failed assertions of the shared helpers, too, and sets the number of its processes."""

from __future__ import annotations

import os

import pytest

pytest.register_assert_rewrite("tests.helpers")


def pytest_xdist_auto_num_workers() -> int:
    """Return the number of processes of `-n auto`: one more than the cores, as many tests wait for a process."""
    return (os.cpu_count() or 1) + 1

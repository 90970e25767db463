"""Several processes that are killed at random share one cache; `tools.stress_cache` does the same for longer."""

from __future__ import annotations

import pytest

from tools.stress_cache import stress


@pytest.mark.slow
def test_killed_processes_never_cause_a_wrong_report() -> None:
    tally = stress(n_workers=8, seconds=6, seed=1)
    assert tally["different"] == 0
    assert tally["equal"] > 5
    assert tally["killed"] > 5

"""Access to the rebuilt public bug reports next to the checkout; tests that need them are skipped without them."""

from __future__ import annotations

import pytest

from tests.helpers.paths import ROOT

REPORTS = ROOT.parent / "shared" / "reports"

_WHY = "the rebuilt public reports are not next to the checkout (../shared/reports)"


def needs_reports(test):
    """Mark a test that reads the reports."""
    return pytest.mark.corpus(pytest.mark.skipif(not REPORTS.is_dir(), reason=_WHY)(test))

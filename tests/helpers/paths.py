"""Folders of the project that tests use."""

from __future__ import annotations

from pathlib import Path

#: The checkout.
ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
MODELS = ROOT / "rules" / "models"
EXAMPLES = ROOT / "examples"

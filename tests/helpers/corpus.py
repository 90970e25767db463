"""Access to the corpus of real models next to the checkout; tests that need it are skipped if it is missing."""

from __future__ import annotations

import csv
import functools
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

CORPUS = ROOT.parent / "shared" / "corpus"

#: Into how many parts tests over the whole corpus are cut, so that several processes can share them.
N_SHARDS = 16

_WHY = "the corpus of real models does not lie beside the checkout (../shared/corpus)"


def needs_corpus(test):
    """Mark a test that reads the corpus."""
    return pytest.mark.corpus(pytest.mark.skipif(not CORPUS.is_dir(), reason=_WHY)(test))


@functools.cache
def manifest() -> list[dict[str, str]]:
    """Return the known properties of each file."""
    with (CORPUS / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@functools.cache
def model_paths() -> list[Path]:
    """Return the model files, smallest first."""
    rows = [row for row in manifest() if row["parses"] == "yes"]
    return [CORPUS / row["path"] for row in sorted(rows, key=lambda row: (int(row["bytes"]), row["path"]))]


def shard(number: int) -> list[Path]:
    """Return every sixteenth model, starting at `number`: shards hold files of similar sizes."""
    return model_paths()[number::N_SHARDS]

"""The corpus of real models that may lie beside the checkout; tests that need it skip where it does not."""

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
    """Marks a test that reads the corpus."""
    return pytest.mark.corpus(pytest.mark.skipif(not CORPUS.is_dir(), reason=_WHY)(test))


@functools.cache
def manifest() -> list[dict[str, str]]:
    """What is known of each file."""
    with (CORPUS / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@functools.cache
def model_paths() -> list[Path]:
    """The files that hold a model, smallest first."""
    rows = [row for row in manifest() if row["parses"] == "yes"]
    return [CORPUS / row["path"] for row in sorted(rows, key=lambda row: (int(row["bytes"]), row["path"]))]


def shard(number: int) -> list[Path]:
    """Every sixteenth model, begun at one: shards hold files of like sizes."""
    return model_paths()[number::N_SHARDS]

"""Parse action-requirements.txt, the pinned versions and hashes that the action installs."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

PATH = ROOT / "action-requirements.txt"

_REQUIREMENT = re.compile(r"([a-z0-9-]+)==([0-9][0-9a-z.]*)((?: --hash=sha256:[0-9a-f]{64})+)")


@dataclass(frozen=True, slots=True)
class Pin:
    """One requirement: canonical name, version and the hashes of its files."""

    name: str
    version: str
    hashes: tuple[str, ...]


def read_pins() -> list[Pin]:
    """Return all requirements of the file; a line of any other kind fails."""
    pins = []
    for line in logical_lines():
        match = _REQUIREMENT.fullmatch(line)
        assert match, f"not a version with hashes: {line}"
        pins.append(Pin(match[1], match[2], tuple(match[3].split())))
    return pins


def logical_lines() -> list[str]:
    """Return the lines without comments, each joined with its continuations."""
    lines = PATH.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    return [" ".join(line.split()) for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def pinned_versions() -> dict[str, str]:
    return {pin.name: pin.version for pin in read_pins()}


def skip_without_index(folder: Path) -> None:
    """Skip a test if pip cannot download hatchling."""
    download = ["download", "--quiet", "--no-deps", "--retries", "1", "--dest", str(folder), "hatchling>=1.27"]
    if subprocess.run([sys.executable, "-m", "pip", *download], capture_output=True).returncode:
        pytest.skip("the package index has no hatchling for pip")

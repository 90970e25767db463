"""Test files of several gigabytes with 2 GB of address space: memory must not grow with the file size."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.models.large import write_sparse_2gb
from tests.helpers.models.named import NAMED
from tests.helpers.paths import ROOT

GIB = 1 << 30
ADDRESS_SPACE_KIB = 2_000_000

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds an address space, with sparse files")


def sparse(path: Path, head: bytes, size: int, end: bytes = b"") -> None:
    """Write a file that is a hole between its head and its end."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)
        file.seek(size - len(end))
        file.write(end)


def model_before_a_hole(path: Path) -> None:
    sparse(path, NAMED["conv_int8"](), 4 * GIB)


def model_with_labels_behind_a_hole(path: Path) -> None:
    content = NAMED["labels_float32"]()
    at = content.index(b"PK\x03\x04")
    sparse(path, content[:at], 4 * GIB, content[at:])


def model_with_buffers_past_a_hole(path: Path) -> None:
    assert write_sparse_2gb(path, 4 * GIB - 4096) < 4 * GIB


def bundle_of_a_model_with_a_hole(path: Path) -> None:
    """A zip with one stored member of 3 GB (APPNOTE.TXT 4.3.7, 4.3.12 and 4.3.16)."""
    name, model, size = b"model.tflite", NAMED["conv_int8"](), 3 * GIB
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, size, size, len(name), 0) + name
    entry = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, size, size, len(name), *[0] * 6) + name
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), len(local) + size, 0)
    sparse(path, local + model, len(local) + size + len(entry) + len(end), entry + end)


FILES: dict[str, Callable[[Path], None]] = {
    "hole.tflite": model_before_a_hole,
    "labels.tflite": model_with_labels_behind_a_hole,
    "buffers.tflite": model_with_buffers_past_a_hole,
    "bundle.task": bundle_of_a_model_with_a_hole,
}


def tflint(*arguments: str, folder: Path, limit: str = "unlimited") -> subprocess.CompletedProcess[str]:
    command = ["sh", "-c", f'ulimit -v {limit} && exec "$@"', "sh", sys.executable, "-m", "tflint", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def outcome(*arguments: str, folder: Path, **limit: str) -> tuple[int, Any, str]:
    """Exit code, report and messages."""
    done = tflint(*arguments, "--format", "json", folder=folder, **limit)
    report = json.loads(done.stdout)
    report.get("run", {}).pop("elapsed_seconds", None)
    return done.returncode, report, done.stderr


@pytest.mark.security
@pytest.mark.parametrize("name", FILES)
def test_a_sparse_file_of_gigabytes_does_not_exhaust_an_address_space_of_two(name: str, tmp_path: Path) -> None:
    FILES[name](tmp_path / name)
    found = outcome("check", name, folder=tmp_path, limit=str(ADDRESS_SPACE_KIB))
    assert found == outcome("check", name, folder=tmp_path)
    code, report, messages = found
    assert (code, messages) == (0, "")
    assert {file["status"] for file in report["files"]} == {"checked"}


@pytest.mark.security
@pytest.mark.parametrize("arguments", [("show", "labels.tflite"), ("diff", "hole.tflite", "buffers.tflite")])
def test_sparse_files_of_gigabytes_are_shown_and_compared_in_two(arguments: tuple[str, ...], tmp_path: Path) -> None:
    for name in arguments[1:]:
        FILES[name](tmp_path / name)
    found = outcome(*arguments, folder=tmp_path, limit=str(ADDRESS_SPACE_KIB))
    assert found == outcome(*arguments, folder=tmp_path)
    assert found[0] == (1 if arguments[0] == "diff" else 0)
    assert found[2] == ""

"""A cache folder that others could change is not used, links in it are not followed; neither is ever an error."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.models.named import MODELS_DIRECTORY
from tflint._version import __version__
from tflint.cache import cache_folder
from tflint.cache.cache_folder import FOLDER_VARIABLE, REPORTS, RUNS, CacheFolder, find_path, find_problem, open_cache
from tflint.cli.main import run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="owners, modes and links are those of POSIX")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cache"
    monkeypatch.setenv(FOLDER_VARIABLE, str(path))
    return path


@pytest.fixture
def reports(folder: Path) -> Iterator[CacheFolder]:
    opened = open_cache(REPORTS, is_created=True)
    assert opened is not None
    yield opened
    opened.close()


def test_only_the_user_can_read_and_write_it(folder: Path, reports: CacheFolder) -> None:
    assert reports.replace("00", b"x")
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("part", ["", __version__, f"{__version__}/{REPORTS}"])
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_can_write_to_is_not_used(
    folder: Path, reports: CacheFolder, part: str, mode: int
) -> None:
    (folder / part).chmod(mode)
    assert open_cache(REPORTS) is None
    assert open_cache(REPORTS, is_created=True) is None


@pytest.mark.parametrize("part", ["", __version__, f"{__version__}/{REPORTS}"])
def test_a_link_is_not_followed_to_a_folder(folder: Path, reports: CacheFolder, part: str, tmp_path: Path) -> None:
    (folder / part).rename(tmp_path / "moved")
    (folder / part).symlink_to(tmp_path / "moved")
    assert open_cache(REPORTS, is_created=True) is None


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_a_different_user_is_not_used(folder: Path, reports: CacheFolder) -> None:
    os.chown(folder, 12345, 12345)
    assert open_cache(REPORTS) is None
    assert "belongs to a different user" in find_problem()


def test_a_link_in_the_folder_is_neither_read_nor_written(folder: Path, reports: CacheFolder, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"content")
    (Path(reports.path) / "00").symlink_to(target)
    assert reports.read("00", 100) is None
    assert not reports.append("00", b"more", 100)
    assert reports.replace("00", b"new")  # replaces the link
    assert target.read_bytes() == b"content"
    assert reports.read("00", 100) == b"new"


def test_files_of_others_and_pipes_are_not_read(reports: CacheFolder) -> None:
    path = Path(reports.path) / "00"
    path.write_bytes(b"x")
    path.chmod(0o666)
    assert reports.read("00", 100) is None
    path.unlink()
    os.mkfifo(path)
    assert reports.read("00", 100) is None
    assert not reports.append("00", b"x", 100)


def test_a_large_file_is_not_read_or_extended(reports: CacheFolder) -> None:
    assert reports.replace("00", b"12345")
    assert reports.read("00", 4) is None
    assert not reports.append("00", b"6", 4)
    assert reports.append("00", b"6", 5)
    assert reports.read("00", 100) == b"123456"


def test_a_full_disk_leaves_no_partial_file(reports: CacheFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reports.replace("00", b"old")
    monkeypatch.setattr(cache_folder.os, "write", lambda descriptor, content: 1)
    assert not reports.replace("00", b"new")
    assert [path.name for path in Path(reports.path).iterdir()] == ["00"]
    assert reports.read("00", 100) == b"old"


@pytest.mark.parametrize("place", ["relative", "file", "missing parent", "read-only", "link", "writable by all"])
def test_an_unusable_folder_is_no_error(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "place"
    if place == "file":
        path.write_text("")
    elif place == "missing parent":
        path = Path("/proc/none/cache")
    elif place == "read-only":
        path = Path("/proc/self/cache")
    elif place == "link":
        (tmp_path / "real").mkdir()
        path.symlink_to(tmp_path / "real")
    elif place == "writable by all":
        path.mkdir()
        path.chmod(0o777)
    monkeypatch.setenv(FOLDER_VARIABLE, "relative" if place == "relative" else str(path))
    for _ in range(2):
        assert run(["check", str(MODELS_DIRECTORY / "conv_int8.tflite")]) == 0
        printed = capfd.readouterr()
        assert printed.err == ""
        assert "from the cache" not in printed.out
    assert run(["cache", "info"]) == 0
    printed = capfd.readouterr().out
    if place in ("missing parent", "read-only"):
        return  # the system tells a superuser that these folders can be written
    assert "no cache: " in printed
    for action in ("clear", "prune"):
        assert run(["cache", action]) == 2
        assert "there is no usable cache" in capfd.readouterr().err


def test_the_default_folder_is_that_of_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert find_path() == str(tmp_path / ".cache" / "tflite-lint")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # to be ignored, by the specification
    assert find_path() == str(tmp_path / ".cache" / "tflite-lint")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert find_path() == "/elsewhere/tflite-lint"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert find_path() == str(tmp_path / "Library" / "Caches" / "tflite-lint")


def test_the_command_shows_and_empties_it(
    folder: Path, reports: CacheFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    reports.append("00", b"x" * 2048, 10_000)
    other = folder / "0.0.1" / RUNS
    other.mkdir(parents=True)
    for path in (other, other.parent):
        path.chmod(0o700)
    (other / "00").write_bytes(b"y")
    assert run(["cache", "info"]) == 0
    shown = capfd.readouterr().out
    assert str(folder) in shown
    assert f"tflint {__version__}: 0 runs, 2.0 KiB" in shown
    assert "tflint 0.0.1: 1 run, 1 byte" in shown
    assert run(["cache", "prune"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == [__version__, "CACHEDIR.TAG"]
    assert run(["cache", "clear"]) == 0
    assert [path.name for path in folder.iterdir()] == ["CACHEDIR.TAG"]
    assert run(["cache", "info"]) == 0
    assert "empty" in capfd.readouterr().out


def test_clearing_keeps_files_that_are_not_of_the_cache(folder: Path, reports: CacheFolder) -> None:
    keep = [folder / "notes.txt", folder / "project" / "runs" / "model.tflite", folder / __version__ / "readme"]
    for path in keep:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    for path in (folder / "project", folder / "project" / "runs"):
        path.chmod(0o700)
    reports.append("00", b"x", 10)
    assert run(["cache", "clear"]) == 0
    assert all(path.read_text() == "mine" for path in keep)
    assert not Path(reports.path).exists()


def test_empty_folders_of_the_user_stay(folder: Path, reports: CacheFolder) -> None:
    (folder / "precious").mkdir(mode=0o700)
    cache_folder.remove_versions(time.time())
    assert run(["cache", "clear"]) == 0
    assert (folder / "precious").is_dir()


def test_versions_and_temporary_files_that_are_not_used_disappear(folder: Path, reports: CacheFolder) -> None:
    old = folder / "0.0.1" / RUNS
    recent = folder / "0.0.2" / RUNS
    for path in (old, recent):
        path.mkdir(parents=True)
        path.parent.chmod(0o700)
        path.chmod(0o700)
    month = time.time() - cache_folder.MAX_UNUSED_SECONDS - 60
    os.utime(old, (month, month))
    left = Path(reports.path) / ".00.1.abc"
    left.write_bytes(b"")
    os.utime(left, (month, month))
    cache_folder.remove_versions(time.time())
    cache_folder.remove_temporary(reports, time.time())
    assert sorted(path.name for path in folder.iterdir()) == ["0.0.2", __version__, "CACHEDIR.TAG"]
    assert not left.exists()

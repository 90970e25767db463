"""A folder registry: versions, aliases and tags survive interruptions, and names do not leave the folder."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from pathlib import Path

import pytest

from tests.helpers.registries import Add, model
from tflint.errors import UserError
from tflint.registry.adapters import folder_registry
from tflint.registry.adapters.folder_registry import FolderRegistry, create
from tflint.registry.artifacts import HostileArtifactError, check_path, fetch, hash_version
from tflint.registry.file_lock import hold_lock
from tflint.registry.model_registry import HolderChangedError, MissingVersionError, UnreachableError


def test_versions_count_from_one(registry: FolderRegistry, add: Add) -> None:
    for number in range(1, 12):
        assert add().label == f"bird/{number}"
    assert [version.number for version in registry.list_versions("bird")] == [str(n) for n in range(1, 12)]
    assert registry.list_models() == ["bird"]


def test_an_alias_points_to_one_version(registry: FolderRegistry, add: Add) -> None:
    first, second = add(), add()
    registry.promote(first, "champion", None)
    assert registry.find_version("bird", "1").aliases == ("champion",)
    registry.promote(second, "champion", "1")
    holder = registry.find_alias("bird", "champion")
    assert holder is not None
    assert holder.number == "2"
    assert registry.find_version("bird", "1").aliases == ()


@pytest.mark.parametrize("expected", [None, "2", "3"])
def test_a_slower_promotion_loses(registry: FolderRegistry, add: Add, expected: str | None) -> None:
    first, second = add(), add()
    registry.promote(first, "champion", None)
    with pytest.raises(HolderChangedError, match="points to bird/1 by now"):
        registry.promote(second, "champion", expected)
    holder = registry.find_alias("bird", "champion")
    assert holder is not None
    assert holder.number == "1"


def _promote(folder: str, number: str) -> bool:
    registry = FolderRegistry(folder)
    try:
        registry.promote(registry.find_version("bird", number), "champion", None)
    except HolderChangedError:
        return False
    return True


def test_of_many_promotions_at_once_one_wins(registry: FolderRegistry, add: Add) -> None:
    versions = [add() for _ in range(8)]
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        won = pool.starmap(_promote, [(registry.label, version.number) for version in versions])
    assert sum(won) == 1
    holder = registry.find_alias("bird", "champion")
    assert holder is not None
    assert won[int(holder.number) - 1]


def test_tags_are_merged_and_reports_are_not_artifacts(registry: FolderRegistry, add: Add) -> None:
    version = add()
    before = hash_version(registry, version)
    registry.annotate(version, {"a": "1", "b": "2"}, {"report.json": b"{}"})
    registry.annotate(version, {"b": "3"}, {})
    assert registry.find_version("bird", "1").tags == {"a": "1", "b": "3"}
    assert hash_version(registry, version) == before
    assert [file.path for file in registry.list_files(version)] == ["m.tflite"]


@pytest.mark.parametrize("name", ["..", "../x", "a/b", "", ".hidden", "a" * 101, "a\nb", "/abs"])
def test_names_stay_in_the_folder(registry: FolderRegistry, add: Add, name: str) -> None:
    version = add()
    with pytest.raises(MissingVersionError):
        registry.list_versions(name)
    with pytest.raises(MissingVersionError):
        registry.find_version(name, "1")
    with pytest.raises(UserError):
        registry.add_version(name, [])
    with pytest.raises(UserError):
        registry.promote(version, name, None)


@pytest.mark.parametrize("number", ["0", "01", "-1", "..", "1/../2", "x", "9999999999"])
def test_numbers_are_numbers(registry: FolderRegistry, add: Add, number: str) -> None:
    add()
    with pytest.raises(MissingVersionError):
        registry.find_version("bird", number)


def test_links_are_not_followed(registry: FolderRegistry, add: Add, tmp_path: Path) -> None:
    version = add()
    (tmp_path / "secret").write_text("secret")
    artifacts = Path(registry.label) / "models" / "bird" / "versions" / "1" / "artifacts"
    (artifacts / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(UnreachableError, match="is a link"):
        fetch(registry, version, tmp_path / "work")


def test_pipes_and_linked_versions_are_not_read(registry: FolderRegistry, add: Add, tmp_path: Path) -> None:
    first, second = add(), add()
    versions = Path(registry.label) / "models" / "bird" / "versions"
    os.mkfifo(versions / "1" / "artifacts" / "pipe")
    with pytest.raises(UnreachableError, match="not a regular file"):
        fetch(registry, first, tmp_path / "work")
    (versions / "2").rename(tmp_path / "moved")
    (versions / "2").symlink_to(tmp_path / "moved")
    with pytest.raises(UnreachableError, match="is a link"):
        fetch(registry, second, tmp_path / "other")


def test_a_version_that_is_deleted_meanwhile(registry: FolderRegistry, add: Add, tmp_path: Path) -> None:
    version = add()
    shutil.rmtree(Path(registry.label) / "models" / "bird" / "versions" / "1")
    with pytest.raises(MissingVersionError):
        fetch(registry, version, tmp_path / "work")
    with pytest.raises(MissingVersionError):
        registry.annotate(version, {"a": "b"}, {})
    with pytest.raises(MissingVersionError):
        registry.promote(version, "champion", None)


def test_damaged_files_of_the_registry_are_errors(registry: FolderRegistry, add: Add) -> None:
    version = add()
    tags = Path(registry.label) / "models" / "bird" / "versions" / "1" / "tags.json"
    for content in ("{", "[]", "[" * 100_000):
        tags.write_text(content)
        with pytest.raises(UnreachableError):
            registry.find_version("bird", "1")
    tags.unlink()
    registry.promote(version, "champion", None)
    (Path(registry.label) / "models" / "bird" / "aliases" / "champion").write_text("../../x")
    with pytest.raises(UnreachableError):
        registry.find_alias("bird", "champion")


def test_a_full_disk_changes_nothing(registry: FolderRegistry, add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = add(), add()
    registry.promote(first, "champion", None)

    def fail(self: Path, content: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(UnreachableError, match="No space left"):
        registry.promote(second, "champion", "1")
    with pytest.raises(UnreachableError, match="No space left"):
        registry.annotate(first, {"a": "b"}, {})
    monkeypatch.undo()
    assert registry.find_version("bird", "1").aliases == ("champion",)
    assert not [path for path in Path(registry.label).rglob(".*") if path.name != ".lock"]


def test_a_failed_copy_adds_no_version(registry: FolderRegistry, tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(model())
    with pytest.raises(UserError, match="does not exist"):
        registry.add_version("bird", [str(tmp_path / "m.tflite"), str(tmp_path / "none")])
    assert registry.list_versions("bird") == []
    assert not list((Path(registry.label) / "models" / "bird").glob(".new-*"))


def test_only_a_registry_is_opened_and_only_an_empty_folder_becomes_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a registry"):
        FolderRegistry(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="not an empty folder"):
        create(str(tmp_path))
    with pytest.raises(UserError, match="not an empty folder"):
        create(str(tmp_path / "file"))


def test_a_lock_ends_with_its_process_and_is_waited_for_in_vain(tmp_path: Path) -> None:
    with (
        hold_lock(tmp_path / "lock"),
        pytest.raises(UnreachableError, match="has held"),
        hold_lock(tmp_path / "lock", 0.1),
    ):
        pass
    with hold_lock(tmp_path / "lock", 0.1):
        pass


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "/x",
        "a/../b",
        "a//b",
        "",
        ".",
        "a/./b",
        "a\\b",
        "c:x",
        "a\nb",
        "a\0b",
        "a/" * 40 + "b",
        "x" * 201,
        "a ",
        "\u202eb",
    ],
)
def test_hostile_paths_are_refused(path: str) -> None:
    with pytest.raises(HostileArtifactError):
        check_path(path)


@pytest.mark.parametrize("path", ["m.tflite", "a/b/c.tflite", "größe.tflite", "a b.tflite", "...x", "-x"])
def test_plain_paths_are_accepted(path: str) -> None:
    check_path(path)


def test_the_content_hash_covers_names_and_bytes(registry: FolderRegistry, add: Add) -> None:
    contents = [{"a": b"1"}, {"b": b"1"}, {"a": b"2"}, {"a": b"1", "b": b""}, {"a/b": b"1"}]
    hashes = {hash_version(registry, add(files)) for files in contents}
    assert len(hashes) == len(contents)
    assert hash_version(registry, add(contents[0])) in hashes


def test_all_files_of_the_registry_are_named_in_its_description() -> None:
    assert folder_registry.__doc__ is not None
    for name in ("registry.json", "artifacts", "tags.json", "aliases", ".lock"):
        assert name in folder_registry.__doc__

"""Test byte sources and the detection of file types by content."""

from __future__ import annotations

import gzip
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.facts import values_of
from tests.helpers.models import ModelBuilder
from tests.helpers.models.named import NAMED
from tests.helpers.models.plain import with_zip
from tests.helpers.reading import VALID, quickly, read_whatever, touch
from tflint.columns.column import Lists
from tflint.model.batch_reader import WHOLE_FILE_BYTES, open_model, read_one
from tflint.model.model_columns import raw_tables
from tflint.source import BytesSource, FileSource, SourceError
from tflint.source.file_kind import MODEL, FileKind, detect_kind

# --- kinds ------------------------------------------------------------------------------------------------------------


def tar_bytes() -> bytes:
    return bytes(257) + b"ustar" + bytes(762)


OTHER_FILES: dict[str, tuple[bytes, str]] = {
    "lfs": (NAMED["git_lfs_pointer"](), "git-lfs-pointer"),
    "html": (NAMED["html_page"](), "html"),
    "html after a mark and a comment": (b"\xef\xbb\xbf\n<!-- x -->\n<HTML lang=en>", "html"),
    "zip": (NAMED["zip_archive"](), "zip"),
    "zip cut short": (NAMED["zip_archive"]()[:40], "zip"),
    "gzip": (gzip.compress(b"model"), "gzip"),
    "gzip of the test models": (NAMED["gzip_data"](), "gzip"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "hdf5"),
    "onnx": (b"\x08\x07\x12\x07pytorch\x1a\x051.9.0" + bytes(range(256)), "onnx"),
    "savedmodel": (b"\x08\x01\x12\xa0\x10\x0a" + bytes(range(256)), "savedmodel"),
    "empty": (b"", "empty"),
    "fragment": (b"\x1c\0\0\0TF", "truncated"),
    "schema 2": (b"\x1c\0\0\0TFL2" + bytes(100), "older-schema"),
    "no identifier": (NAMED["no_identifier"](), "no-identifier"),
    "random": (bytes((k * 97 + 131) % 256 for k in range(3000)), "no-identifier"),
    "symlink": (b"../../models/mobilenet_v2-1.0.tflite", "symlink-text"),
    "text": (b"the model was moved elsewhere\n", "text"),
    "text of many bytes a character": ("größer ".encode() * 500, "text"),
    "json": (b'{"model": "x"}', "json"),
    "xml": (b"<?xml version='1.0'?><Error>AccessDenied</Error>", "xml"),
    "litertlm": (b"LITERTLM" + bytes(100), "container"),
    "task": (with_zip(bytes(4096), {"model.tflite": "x"}), "container"),
    "keras": (with_zip(b"", {"config.json": "{}", "model.weights.h5": ""}), "zip"),
    "tar": (tar_bytes(), "tar"),
    "pickle": (b"\x80\x04\x95" + bytes(100), "pickle"),
    "executorch": (b"\x1c\0\0\0ET12" + bytes(100), "executorch"),
    "elf": (b"\x7fELF" + bytes(100), "elf"),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_kind_of_what_is_no_model(name: str, tmp_path: Path) -> None:
    content, kind = OTHER_FILES[name]
    path = tmp_path / "x.tflite"
    path.write_bytes(content)
    with FileSource(path) as source:
        assert detect_kind(source).kind == kind
        assert detect_kind(source).detail
    tables = read_whatever(content)
    assert values_of(tables.column("file", "kind"), slice(None)) == [kind]
    assert values_of(tables.column("file", "size"), slice(None)) == [len(content)]
    assert tables.extras == []


@pytest.mark.parametrize("name", sorted(VALID))
def test_kind_of_a_model(name: str) -> None:
    assert detect_kind(BytesSource(VALID[name]())) == FileKind(MODEL)


def test_lfs_pointer_says_what_it_points_to() -> None:
    found = detect_kind(BytesSource(NAMED["git_lfs_pointer"]()))
    assert found.lfs_size == len(VALID["conv_int8"]())
    assert found.lfs_oid is not None
    assert len(found.lfs_oid) == 64
    crlf = detect_kind(BytesSource(NAMED["git_lfs_pointer"]().replace(b"\n", b"\r\n")))
    assert (crlf.lfs_oid, crlf.lfs_size) == (found.lfs_oid, found.lfs_size)


def test_lfs_pointer_cut_short_is_still_one() -> None:
    found = detect_kind(BytesSource(NAMED["git_lfs_pointer"]()[:60]))
    assert found == FileKind("git-lfs-pointer", "a Git LFS pointer")


@pytest.mark.parametrize("name", ["git_lfs_pointer", "truncated", "empty_file"])
def test_columns_of_a_file_that_cannot_be_read_are_empty_not_missing(name: str) -> None:
    tables = read_one(open_model(BytesSource(NAMED[name]())))
    assert not tables.is_readable
    assert touch(tables) == len(raw_tables()["file"].columns)


# --- sources ----------------------------------------------------------------------------------------------------------


def source_error(path: Path | str) -> str:
    with pytest.raises(SourceError) as caught:
        FileSource(path)
    return caught.value.reason


def test_directory_is_no_source(tmp_path: Path) -> None:
    assert source_error(tmp_path) in ("it is a directory", "permission denied")  # the latter on Windows


def test_missing_path(tmp_path: Path) -> None:
    assert source_error(tmp_path / "none.tflite") == "it does not exist"


def test_path_that_no_file_can_have() -> None:
    assert source_error("a\0b.tflite") == "the path is not a valid file name"


def test_dangling_symbolic_link(tmp_path: Path) -> None:
    link = tmp_path / "link.tflite"
    link.symlink_to(tmp_path / "none.tflite")
    assert source_error(link) == "it does not exist"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_permission_denied(tmp_path: Path) -> None:
    path = tmp_path / "closed.tflite"
    path.write_bytes(VALID["add_int8"]())
    path.chmod(0)
    assert source_error(path) == "permission denied"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_named_pipe_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "pipe.tflite"
    os.mkfifo(path)
    assert quickly(1, source_error, path) == "it is not a regular file"


def large_enough(tmp_path: Path) -> Path:
    """A model that is not read whole at once."""
    path = tmp_path / "model.tflite"
    n = WHOLE_FILE_BYTES
    builder = ModelBuilder().tensor("x", "INT8", [n], data=bytes(n)).inputs("x").outputs("x")
    path.write_bytes(builder.build())
    return path


def test_only_a_large_model_is_read_in_parts(tmp_path: Path) -> None:
    with FileSource(large_enough(tmp_path)) as source:
        assert open_model(source).content is None
    smaller = tmp_path / "smaller.tflite"
    smaller.write_bytes(ModelBuilder().tensor("x", "INT8", [400_000], data=bytes(400_000)).inputs("x").build())
    with FileSource(smaller) as source:
        assert open_model(source).content == smaller.read_bytes()


def test_file_that_becomes_shorter_while_it_is_read(tmp_path: Path) -> None:
    path = large_enough(tmp_path)
    with FileSource(path) as source:
        opened = open_model(source)
        os.truncate(path, 100)
        tables = read_one(opened)
    assert values_of(tables.column("file", "kind"), slice(None)) == ["unreadable"]
    assert touch(tables)


def test_file_that_changes_between_two_columns(tmp_path: Path) -> None:
    path = large_enough(tmp_path)
    with FileSource(path) as source:
        tables = read_one(open_model(source))
        assert tables.is_readable
        os.utime(path, ns=(1, 1))
        data = tables.column("buffer", "data")
        assert isinstance(data, Lists)
        with pytest.raises(SourceError, match="the file changed while tflint read it"):
            data.flatten(np.array([1]))


def test_file_that_becomes_shorter_between_two_columns(tmp_path: Path) -> None:
    path = large_enough(tmp_path)
    with FileSource(path) as source:
        tables = read_one(open_model(source))
        os.truncate(path, 5000)
        data = tables.column("buffer", "data")
        assert isinstance(data, Lists)
        with pytest.raises(SourceError, match="the file shrank while tflint read it"):
            data.flatten(np.array([1]))


def test_file_that_vanishes_while_it_is_read_can_still_be_read(tmp_path: Path) -> None:
    path = large_enough(tmp_path)
    with FileSource(path) as source:
        try:
            path.unlink()
        except PermissionError:
            pytest.skip("an open file cannot be removed here")
        assert touch(read_one(open_model(source)))
    assert source_error(path) == "it does not exist"


def test_closed_source_cannot_be_read(tmp_path: Path) -> None:
    source = FileSource(large_enough(tmp_path))
    source.close()
    source.close()
    for ranges in ([(0, 8)], []):
        with pytest.raises(SourceError):
            source.read(ranges)
    assert open_model(source).kind.kind == "unreadable"


def test_identity_is_another_one_when_the_content_is(tmp_path: Path) -> None:
    path = large_enough(tmp_path)
    with FileSource(path) as first:
        before = first.identity()
    with FileSource(path) as second:
        assert second.identity() == before
    path.write_bytes(path.read_bytes() + b"\0")
    with FileSource(path) as third:
        assert third.identity() != before


@pytest.mark.parametrize("has_preadv", [True, False])
def test_a_buffer_is_filled_however_little_one_call_gives(
    has_preadv: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = large_enough(tmp_path)
    call = getattr(os, "preadv", None)
    if has_preadv and call is not None:
        monkeypatch.setattr(os, "preadv", lambda file, buffers, offset: call(file, [buffers[0][:1000]], offset))
    elif call is not None:
        monkeypatch.delattr(os, "preadv")
    buffer = bytearray(10_007)
    with FileSource(path) as source:
        source.read_into(13, memoryview(buffer))
        assert bytes(buffer) == path.read_bytes()[13 : 13 + len(buffer)]
        with pytest.raises(SourceError, match="the file shrank while tflint read it"):
            source.read_into(source.size - 10, memoryview(buffer))
        os.utime(path, ns=(1, 1))
        with pytest.raises(SourceError, match="the file changed while tflint read it"):
            source.read_into(0, memoryview(buffer))
    with pytest.raises(SourceError):
        source.read_into(0, memoryview(buffer))


def test_zip_behind_a_large_model_is_read_from_its_file(tmp_path: Path) -> None:
    path = large_enough(tmp_path)
    path.write_bytes(with_zip(path.read_bytes(), {"labels.txt": "a\n", "vocab.txt": "b\n"}))
    assert zipfile.is_zipfile(path)
    with FileSource(path) as source:
        tables = read_one(open_model(source))
        assert values_of(tables.column("associated_file", "name"), slice(None)) == ["labels.txt", "vocab.txt"]
        assert values_of(tables.column("model", "tail"), slice(None)) == ["zip"]

"""Test `tflint contract observe` on untrusted data: bombs, false headers, odd files and oversized contracts."""

from __future__ import annotations

import os
import shutil
import struct
import sys
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import bombs
from tflint import resources
from tflint.cli.main import run
from tflint.contract import parse_contract
from tflint.preprocessing.observe import array_chunks, image_memory, npy_files, observe, sample_files
from tflint.preprocessing.observe.sample_images import preprocess_image
from tflint.preprocessing.recipe import build_recipe

pytestmark = pytest.mark.security

CONTRACT = """\
[[inputs]]
kind = "image"
layout = "NHWC"
channels = "RGB"
mean = 127.5
std = 127.5
units = "u8"
resize = {mode = "stretch", size = [16, 16]}
"""
#: Most resident megabytes: Python, numpy and Pillow take some 60, and a few runs of a million values 40.
MAX_MEGABYTES = 200

linux = pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(resources.named_model_path("pixels_int8"), tmp_path / "bird.tflite")
    (tmp_path / "bird.contract.toml").write_text(CONTRACT, encoding="utf-8")
    (tmp_path / "alone.contract.toml").write_text(CONTRACT, encoding="utf-8")
    return tmp_path


def refused(data: str, capsys: pytest.CaptureFixture[str], contract: str = "bird.contract.toml") -> str:
    """What stderr says of data that is refused."""
    assert run(["contract", "observe", contract, "--data", data]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    return printed.err


def image(kind: str = "PIL.Image") -> object:
    return pytest.importorskip(kind)


# -- .npz and .npy -----------------------------------------------------------------------------------------------------


@linux
def test_six_megabytes_that_unpack_to_six_gigabytes_are_refused_by_their_size(folder: Path) -> None:
    content = bombs.npz_bomb((2_000_000, 16, 16, 3))
    assert len(content) < 7_000_000
    (folder / "data.npz").write_bytes(content)
    code, printed, megabytes = bombs.run_measured(
        ["contract", "observe", "bird.contract.toml", "--data", "data.npz"], folder
    )
    assert code == 2
    assert "holds 6,144,000,128 bytes of arrays, more than the 4,294,967,296" in printed
    assert megabytes < MAX_MEGABYTES


@linux
def test_an_array_within_the_limit_is_unpacked_in_little_memory(folder: Path) -> None:
    (folder / "data.npz").write_bytes(bombs.npz_bomb((65_000, 16, 16, 3)))  # 200 MB
    code, printed, megabytes = bombs.run_measured(
        ["contract", "observe", "bird.contract.toml", "--data", "data.npz", "--dry-run"], folder
    )
    assert code == 0, printed
    assert "65,000 samples, 49,920,000 values" in printed
    assert megabytes < MAX_MEGABYTES


@linux
@pytest.mark.parametrize("fortran", [False, True])
def test_a_calibration_set_of_300_megabytes_takes_little_memory(folder: Path, fortran: bool) -> None:
    header = bombs.npy_header((500, 224, 224, 3), fortran=fortran)
    (folder / "data.npy").write_bytes(header)
    os.truncate(folder / "data.npy", len(header) + 500 * 224 * 224 * 3 * 4)
    code, printed, megabytes = bombs.run_measured(
        ["contract", "observe", "alone.contract.toml", "--data", "data.npy", "--dry-run"], folder
    )
    assert code == 0, printed
    assert "75,264,000 values" in printed
    assert megabytes < MAX_MEGABYTES


def test_entries_that_share_packed_bytes_count_each_by_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "data.npz").write_bytes(bombs.npz_bomb((2_000, 16, 16, 3), n_entries=1_000))
    assert "holds 6,144,128,000 bytes of arrays" in refused("data.npz", capsys)


def test_a_directory_of_many_arrays_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "data.npz").write_bytes(bombs.npz_bomb((1, 16, 16, 3), n_entries=1_001))
    assert "has 1,001 arrays, more than the 1,000" in refused("data.npz", capsys)
    (folder / "data.npz").write_bytes(bombs.npz_bomb((1, 16, 16, 3), n_entries=40_000))
    assert "more than 2,097,152" in refused("data.npz", capsys)


def test_a_member_that_unpacks_to_more_than_it_says_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = bombs.npy_header((1_000, 16, 16, 3))
    packed = bombs.deflated_zeros(2_000_000_000, header)
    (folder / "data.npz").write_bytes(bombs.zip_of("input.npy", packed, len(header) + 3_072_000))
    assert "unpacks to more than the declared 3,072,128 bytes" in refused("data.npz", capsys)


def test_a_member_with_a_wrong_checksum_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = bombs.npy_header((1, 16, 16, 3))
    packed = bombs.deflated_zeros(3_072, header)
    (folder / "data.npz").write_bytes(bombs.zip_of("input.npy", packed, len(header) + 3_072, crc=1))
    assert "the checksum of 'input.npy' is wrong" in refused("data.npz", capsys)


def test_a_damaged_member_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = bytearray(bombs.npz_bomb((100, 16, 16, 3)))
    content[45:60] = b"\xff" * 15
    (folder / "data.npz").write_bytes(content)
    assert "is not a readable .npz file" in refused("data.npz", capsys)


def test_a_member_that_is_not_an_array_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "data.npz").write_bytes(bombs.zip_of("input", bombs.deflated_zeros(100), 100, crc=zlib.crc32(bytes(100))))
    assert "array input' is not a readable array" in refused("data.npz", capsys)


def test_a_sparse_file_beyond_the_limit_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "data.npy").write_bytes(bombs.npy_header((1_700_000, 16, 16, 3)))
    os.truncate(folder / "data.npy", 5_300_000_000)
    assert "more than the 4,294,967,296" in refused("data.npy", capsys)


def _raw_header(text: str, version: int = 1) -> bytes:
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text.encode()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (bombs.npy_header((10**6, 16, 16, 3)), "declares 3,072,000,000 bytes of values, but the file has 64"),
        (bombs.npy_header((10**4_000,)), "an impossible shape"),
        (bombs.npy_header((-1, 16, 16, 3)), "an impossible shape"),
        (bombs.npy_header((1,) * 65), "an impossible shape"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr'", "its header is invalid"),
        (_raw_header("(" * 9_000), "its header is invalid"),
        (_raw_header("-" * 9_000 + "1"), "its header is invalid"),
        (
            _raw_header("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}" + " " * 12_000),
            "its header is invalid",
        ),
        (b"\x93NUMPY\x09\x00", "its header is invalid"),
        (b"\x93NUMPY\x03\x00", "has a structured dtype"),
        (
            _raw_header("{'descr': [('a', '<f4'), ('b', '<i2')], 'fortran_order': False, 'shape': (1,)}"),
            "fields 'a', 'b'",
        ),
        (_raw_header("{'descr': ('<f4', (9999, 9999)), 'fortran_order': False, 'shape': (1,)}"), "structured dtype"),
        (_raw_header("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"), "holds Python objects"),
        (_raw_header("{'descr': '<U10', 'fortran_order': False, 'shape': (1,)}"), "not numbers"),
        (_raw_header("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}"), "not numbers"),
        (b"\x80\x04cposix\nsystem\n(S'true'\ntR.", "is not a .npy or .npz file"),
    ],
)
def test_a_header_that_lies_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], header: bytes, message: str
) -> None:
    (folder / "data.npy").write_bytes(header + bytes(64))
    assert message in refused("data.npy", capsys, "alone.contract.toml")


def test_more_channels_than_a_contract_holds_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(folder / "data.npy", np.zeros((1, 1, 1, 5_000), np.float32))
    assert "has 5,000 channels" in refused("data.npy", capsys, "alone.contract.toml")


@pytest.mark.parametrize("n_run", [1, 7, 12, 50, 100_000])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(("layout", "axis"), [("NHWC", 3), ("NCHW", 1)])
def test_runs_of_any_length_see_what_the_whole_array_holds(
    folder: Path, monkeypatch: pytest.MonkeyPatch, layout: str, axis: int, order: str, n_run: int
) -> None:
    """The reference is numpy on the whole array."""
    monkeypatch.setattr(array_chunks, "RUN_VALUES", n_run)
    array = np.random.default_rng(5).normal(size=(4, 3, 5, 3)).astype(np.float32)
    np.savez_compressed(folder / "data.npz", **{"0": np.asarray(array, order=order)})
    contract = parse_contract(CONTRACT.replace("NHWC", layout), "c.toml")
    (seen,) = observe("data.npz", build_recipe(contract)).inputs
    others = tuple(k for k in range(4) if k != axis)
    np.testing.assert_array_equal(seen.low, array.min(axis=others).astype(np.float64))
    np.testing.assert_array_equal(seen.high, array.max(axis=others).astype(np.float64))
    assert seen.n_values == array.size


# -- images ------------------------------------------------------------------------------------------------------------


@linux
@pytest.mark.parametrize(
    ("height", "width", "message"),
    [
        (20_000, 20_000, "more pixels than Pillow decodes"),  # beyond its error
        (10_000, 10_000, "more pixels than Pillow decodes"),  # beyond its warning
        (9_400, 9_400, "(9,400 × 9,400) needs 2.4 GB for the contract's preprocessing"),
    ],
)
def test_a_png_bomb_is_refused_before_it_is_decoded(folder: Path, height: int, width: int, message: str) -> None:
    image()
    content = bombs.png_bomb(height, width)
    assert len(content) < 2_000_000
    (folder / "a.png").write_bytes(content)
    code, printed, megabytes = bombs.run_measured(
        ["contract", "observe", "bird.contract.toml", "--data", "a.png"], folder
    )
    assert code == 2
    assert message in printed
    assert megabytes < MAX_MEGABYTES


def test_a_bomb_of_a_few_pixels_is_an_ordinary_image(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The bombs of these tests are whole PNGs: what is refused is refused for its size."""
    image()
    (folder / "a.png").write_bytes(bombs.png_bomb(30, 40))
    assert run(["contract", "observe", "bird.contract.toml", "--data", "a.png"]) == 0


@pytest.mark.parametrize(
    ("resize", "size", "extra"),
    [
        ('mode = "cover", size = [2048, 2048]', (1, 16_000), ""),  # 2,048 × 32,768,000 pixels on the way
        ('mode = "stretch", size = 4096', (1, 16_000), ""),
        ('mode = "stretch", size = [16, 16], kernel = "nearest"', (1, 40_000), ""),  # a matrix of 40,000 × 40,000
        ('mode = "none"', (4_000, 5_000), 'transfer = "linear"'),
    ],
)
def test_an_image_that_grows_on_its_way_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], resize: str, size: tuple[int, int], extra: str
) -> None:
    image()
    text = CONTRACT.replace('mode = "stretch", size = [16, 16]', resize) + extra
    (folder / "alone.contract.toml").write_text(text, encoding="utf-8")
    (folder / "a.png").write_bytes(bombs.png_bomb(*size))
    told = refused("a.png", capsys, "alone.contract.toml")
    assert f"({size[0]:,} × {size[1]:,}) needs" in told
    assert "more than 2.1 GB" in told


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("resize = {mode = 'stretch', size = [20000, 20000]}", "8192"),
        ("resize = {mode = 'letterbox', size = 20000}", "8192"),
        ("crop = {mode = 'center', size = [20000, 1]}", "8192"),
        ("resize = {mode = 'stretch', size = [8192, 8192]}", "takes 6.4 GB; the limit is 2.1 GB"),
        ("crop = {mode = 'center', size = [8192, 8192]}", "takes 6.4 GB; the limit is 2.1 GB"),
    ],
)
def test_a_contract_that_asks_for_gigabytes_is_refused_at_its_line(
    folder: Path, capsys: pytest.CaptureFixture[str], key: str, message: str
) -> None:
    image()
    text = CONTRACT.replace('resize = {mode = "stretch", size = [16, 16]}', key)
    (folder / "alone.contract.toml").write_text(text, encoding="utf-8")
    (folder / "a.png").write_bytes(bombs.png_bomb(30, 40))
    told = refused("a.png", capsys, "alone.contract.toml")
    assert message in told
    assert "alone.contract.toml:8:" in told
    assert key in told


def test_more_means_than_channels_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """numpy would make 4,096 channels of a gray image."""
    image()
    means = list(range(4096))
    text = CONTRACT.replace("mean = 127.5", f"mean = {means}").replace('channels = "RGB"', "shape = [1, 16, 16, 1]")
    (folder / "alone.contract.toml").write_text(text, encoding="utf-8")
    (folder / "a.png").write_bytes(bombs.png_bomb(30, 40))
    assert "4,096 numbers for an image with 1 channel" in refused("a.png", capsys, "alone.contract.toml")


@pytest.mark.parametrize("kernel", ["nearest", "bilinear", "bicubic", "area", "lanczos"])
@pytest.mark.parametrize(
    ("resize", "extra"),
    [
        ('mode = "stretch", size = [300, 300]', "mirror = true"),
        ('mode = "stretch", size = 100', ""),
        ('mode = "cover", size = [60, 60]', 'transfer = "linear"'),
        ('mode = "letterbox", size = [200, 300]', 'crop = {mode = "center", share = 0.8}'),
        ('mode = "letterbox", size = [60, 60]', 'crop = {mode = "center", size = [400, 300]}'),
    ],
)
@pytest.mark.parametrize("size", [(200, 260), (400, 8)])
def test_no_image_takes_more_memory_than_is_estimated(
    folder: Path, kernel: str, resize: str, extra: str, size: tuple[int, int]
) -> None:
    pillow = pytest.importorskip("PIL.Image")
    pillow.fromarray(np.zeros((*size, 3), np.uint8)).save("a.bmp")
    settings = f'{resize}, kernel = "{kernel}"'
    text = CONTRACT.replace('mode = "stretch", size = [16, 16]', settings) + extra
    recipe = build_recipe(parse_contract(text, "c.toml"))
    preprocess_image(Path("a.bmp"), recipe.inputs[0], recipe)  # imports are no memory of the image
    tracemalloc.start()
    try:
        preprocess_image(Path("a.bmp"), recipe.inputs[0], recipe)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    estimate = image_memory.image_bytes(recipe.inputs[0], size)
    assert estimate / 4 < peak < estimate + 100_000


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_an_animated_image_is_refused(folder: Path, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    pillow = pytest.importorskip("PIL.Image")
    frames = [pillow.fromarray(np.full((20, 20, 3), 80 * k, np.uint8)) for k in range(3)]
    frames[0].save(f"a.{suffix}", save_all=True, append_images=frames[1:])
    assert "is animated: it has 3 frames" in refused(f"a.{suffix}", capsys)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "webp"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_truncated_image_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], suffix: str, part: float
) -> None:
    pillow = pytest.importorskip("PIL.Image")
    noise = np.random.default_rng(1).integers(0, 255, (50, 50, 3)).astype(np.uint8)
    path = folder / f"a.{suffix}"
    pillow.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    assert "cannot be read as an image" in refused(path.name, capsys)


def test_postscript_under_the_name_of_an_image_starts_no_program(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow goes by content, and has Ghostscript run what EPS says."""
    image()
    (folder / "bin").mkdir()
    (folder / "bin" / "gs").write_text("#!/bin/sh\ntouch started\n")
    (folder / "bin" / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n%%EndComments\n%%EOF\n"
    (folder / "a.png").write_bytes(eps)
    assert "cannot be read as an image" in refused("a.png", capsys)
    assert not (folder / "started").exists()


# -- folders -----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.png"])
@pytest.mark.parametrize("is_linked", [False, True])
def test_a_named_pipe_is_refused_and_not_waited_for(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, is_linked: bool
) -> None:
    (folder / "data").mkdir()
    target = folder / ("pipe" if is_linked else f"data/{name}")
    os.mkfifo(target)
    if is_linked:
        (folder / "data" / name).symlink_to(target)
    assert "is a named pipe, not a regular file" in refused(f"data/{name}", capsys)
    assert "is a named pipe, not a regular file" in refused("data", capsys)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no such device")
def test_a_link_to_a_device_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.npy").symlink_to("/dev/zero")
    assert "is a device, not a regular file" in refused("a.npy", capsys)


def test_a_link_to_nothing_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "a.npy").symlink_to("gone.npy")
    assert "No such file or directory" in refused("data", capsys)
    (folder / "data" / "a.npy").unlink()
    (folder / "data" / "a.npy").symlink_to("a.npy")
    assert "symbolic links" in refused("data", capsys)


def test_folders_linked_in_a_circle_are_walked_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inner = folder / "data" / "inner"
    inner.mkdir(parents=True)
    np.save(inner / "a.npy", np.zeros((1, 16, 16, 3), np.float32))
    (inner / "up").symlink_to(folder / "data", target_is_directory=True)
    (inner / "up.npy").symlink_to(folder / "data", target_is_directory=True)
    assert run(["contract", "observe", "bird.contract.toml", "--data", "data", "--dry-run"]) == 0
    assert "1 sample, 768 values" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no paths of such length")
def test_folders_nested_deeper_than_python_recurses_are_walked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deep = Path("data")
    folders = [deep := deep / "a" for _ in range(sys.getrecursionlimit() + 200)]
    try:
        for path in [Path("data"), *folders]:
            path.mkdir()
        np.save(deep / "a.npy", np.zeros((1, 16, 16, 3), np.float32))
        assert run(["contract", "observe", "bird.contract.toml", "--data", "data", "--dry-run"]) == 0
    finally:  # whoever removes the folder recurses
        (deep / "a.npy").unlink(missing_ok=True)
        for path in reversed(folders):
            path.rmdir()


def test_a_folder_of_too_many_files_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_files, "MAX_ENTRIES", 5)
    (folder / "data" / "inner").mkdir(parents=True)
    for number in range(5):
        (folder / "data" / "inner" / f"{number}.txt").touch()
    assert "there are more than 5 files and folders" in refused("data", capsys)


def test_the_limits_are_those_of_the_documentation() -> None:
    assert npy_files.MAX_FILE_BYTES == 4 * 2**30
    assert npy_files.MAX_ARRAYS == 1_000
    assert image_memory.MAX_IMAGE_BYTES == 2 * 2**30
    assert sample_files.MAX_ENTRIES == 1_000_000
    (recipe_input,) = build_recipe(parse_contract(CONTRACT.replace("[16, 16]", "[224, 224]"), "c.toml")).inputs
    assert image_memory.image_bytes(recipe_input, (7_000, 10_000)) < image_memory.MAX_IMAGE_BYTES
    large = CONTRACT.replace("[16, 16]", "[4700, 4700]")
    assert (
        image_memory.image_bytes(build_recipe(parse_contract(large, "c.toml")).inputs[0], (1, 1))
        < image_memory.MAX_IMAGE_BYTES
    )

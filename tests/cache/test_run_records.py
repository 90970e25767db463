"""A run whose inputs have not changed prints its stored output, and any changed input makes tflint check again."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.processes import environment, place
from tflint.cache import run_record
from tflint.cache.cache_folder import FOLDER_VARIABLE
from tflint.resources import named_model_path

CACHED = b"from the cache"
CONTRACT = """\
[[inputs]]
index = 0
kind = "image"
dtype = "int8"

[[outputs]]
index = 0
kind = "class_scores"
labels = { file = "labels.txt" }
"""
RULE = """\
[[rule]]
id = "ACME1"
name = "operator-count-too-large"
severity = "warning"
for-each = "model"
require = "n_operators < {limit}"
message = "{{n_operators}} operators"
summary = "Too many operators."
why = "Size."
fix = "Remove operators."
"""


class Checkout:
    """A folder with models, contracts and a configuration, and a cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self.cache = folder / "cache"
        place("conv_int8", self.folder / "models" / "a.tflite")
        place("conv_int8", self.folder / "models" / "b.tflite")
        self.write("models/a.contract.toml", CONTRACT)
        self.write("models/labels.txt", "cat\ndog\n")
        self.write("models/weights.bin", "not a model")
        self.write("rules/own.toml", RULE.format(limit=5))
        self.write("tflint.toml", 'rules = ["rules"]\nexclude = ["excluded/**"]\nbaseline = "known.json"\n')
        self.write("known.json", '{"schema_version": 1, "files": {}}')
        place("conv_int8", self.folder / "excluded" / "c.tflite")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[bytes]:
        """Run `tflint check`. Files become old enough first: the cache distrusts a file that has just been written."""
        time.sleep(0.03)
        return subprocess.run(
            [sys.executable, "-P", "-c", "from tflint.__main__ import entry; entry()", "check", *arguments],
            cwd=self.folder,
            env=environment(**{FOLDER_VARIABLE: str(self.cache), **more}),
            capture_output=True,
            check=False,
            timeout=60,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_second_run_repeats_the_first(checkout: Checkout) -> None:
    first, second, third = (checkout.run() for _ in range(3))
    assert CACHED not in first.stdout
    assert CACHED in second.stdout
    assert second.stdout == third.stdout
    assert first.returncode == second.returncode == third.returncode
    assert _without_time(second.stdout) == _without_time(first.stdout)


@pytest.mark.parametrize("form", ["json", "sarif", "junit", "github", "gitlab", "markdown"])
def test_every_format_is_stored(checkout: Checkout, form: str, tmp_path: Path) -> None:
    first = checkout.run("--format", form)
    second = checkout.run("--format", form)
    reference = checkout.run("--format", form, "--no-cache")
    assert (first.returncode, second.returncode) == (reference.returncode,) * 2
    assert second.stdout != first.stdout or form not in ("json", "junit")
    assert _without_time(second.stdout) == _without_time(reference.stdout)


_TIME = re.compile(rb"from the cache|\d+\.\d s\b|time=.\d+\.\d+.|\"elapsed_seconds\": [\d.]+")


def _without_time(text: bytes) -> bytes:
    """Return a report on one line, because the text report wraps its lines, without the time of the run."""
    return b" ".join(_TIME.sub(b"TIME", text).split())


def test_a_hit_imports_neither_numpy_nor_argparse_nor_tomllib(checkout: Checkout) -> None:
    checkout.run()
    done = checkout.run(PYTHONPROFILEIMPORTTIME="1")
    assert CACHED in done.stdout
    imported = {line.rpartition(b"|")[2].strip() for line in done.stderr.splitlines()}
    assert b"tflint.cache.run_record" in imported
    assert not imported & {b"numpy", b"argparse", b"tomllib", b"re", b"json", b"hashlib", b"pathlib"} - _site_imports()


def _site_imports() -> set[bytes]:
    """Return the modules that the interpreter imports before it runs anything."""
    done = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", "-c", "pass"], env=environment(), capture_output=True, check=True
    )
    return {line.rpartition(b"|")[2].strip() for line in done.stderr.splitlines()}


def _replace_keeping_times(path: Path, content: bytes) -> None:
    status = path.stat()
    assert len(content) == status.st_size
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _corrupt_model(checkout: Checkout) -> None:
    path = checkout.folder / "models" / "a.tflite"
    content = bytearray(path.read_bytes())
    content[:4] = b"\xff\xff\xff\x7f"
    _replace_keeping_times(path, bytes(content))


CHANGES: dict[str, Callable[[Checkout], object]] = {
    "a model of the same size and time": _corrupt_model,
    "a model is added": lambda c: place("truncated", c.folder / "models" / "c.tflite"),
    "a model is added in a new folder": lambda c: place("truncated", c.folder / "more" / "deep" / "c.tflite"),
    "a model is removed": lambda c: (c.folder / "models" / "b.tflite").unlink(),
    "a model is renamed": lambda c: (c.folder / "models" / "b.tflite").rename(c.folder / "models" / "d.tflite"),
    "a model replaces another": lambda c: shutil.move(place("truncated", c.folder / "x"), c.folder / "models/a.tflite"),
    "a .bin file becomes a model": lambda c: (c.folder / "models" / "weights.bin").write_bytes(b"\0\0\0\0TFL3"),
    "a contract changes": lambda c: c.write("models/a.contract.toml", CONTRACT.replace("int8", "int9")),
    "a contract is added": lambda c: c.write("models/b.contract.toml", CONTRACT),
    "a contract is removed": lambda c: (c.folder / "models" / "a.contract.toml").unlink(),
    "a label file changes": lambda c: c.write("models/labels.txt", "cat\ndog\nbird\n"),
    "a label file is removed": lambda c: (c.folder / "models" / "labels.txt").unlink(),
    "a rule changes": lambda c: c.write("rules/own.toml", RULE.format(limit=0)),
    "a rule file is added": lambda c: c.write("rules/new.toml", RULE.format(limit=0).replace("ACME1", "ACME2")),
    "the configuration changes": lambda c: c.write("tflint.toml", 'fail-on = "note"\n'),
    "the configuration is removed": lambda c: (c.folder / "tflint.toml").unlink(),
    "the baseline changes": lambda c: c.write("known.json", '{"schema_version": 1, "files": {"x": {}}}'),
    "an excluded model is added": lambda c: place("conv_int8", c.folder / "excluded" / "deep" / "d.tflite"),
    "the folder becomes a checkout": lambda c: (c.folder / ".git").mkdir(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_input_is_noticed(checkout: Checkout, change: Callable[[Checkout], object]) -> None:
    checkout.run()
    assert CACHED in checkout.run().stdout
    change(checkout)
    done = checkout.run()
    assert CACHED not in done.stdout
    fresh = checkout.run("--no-cache")
    assert (done.returncode, done.stderr) == (fresh.returncode, fresh.stderr)
    assert _without_time(done.stdout) == _without_time(fresh.stdout)


def test_a_contract_next_to_a_named_model_is_noticed(checkout: Checkout) -> None:
    checkout.run("models/b.tflite")
    assert CACHED in checkout.run("models/b.tflite").stdout
    checkout.write("models/b.contract.toml", CONTRACT)
    assert CACHED not in checkout.run("models/b.tflite").stdout


def test_a_nearer_configuration_is_noticed(checkout: Checkout) -> None:
    inner = checkout.folder / "models"
    checkout.folder, outer = inner, checkout.folder
    checkout.run()
    assert CACHED in checkout.run().stdout
    checkout.write("tflint.toml", 'fail-on = "note"\n')
    assert CACHED not in checkout.run().stdout
    assert outer.exists()


@pytest.mark.parametrize(
    "arguments",
    [("models",), ("--fail-on", "note"), ("-v",), ("--target", "tflm"), ("--format", "json")],
    ids=" ".join,
)
def test_different_arguments_are_a_different_run(checkout: Checkout, arguments: tuple[str, ...]) -> None:
    checkout.run()
    assert CACHED not in checkout.run(*arguments).stdout


@pytest.mark.parametrize("variable", ["GITHUB_ACTIONS", "FORCE_COLOR", "NO_COLOR", "PYTHONIOENCODING"])
def test_the_environment_is_an_input(checkout: Checkout, variable: str) -> None:
    checkout.run()
    value = {"GITHUB_ACTIONS": "true", "PYTHONIOENCODING": "ascii"}.get(variable, "1")
    assert CACHED not in checkout.run(**{variable: value}).stdout


def test_a_file_that_has_just_been_written_is_not_trusted(checkout: Checkout) -> None:
    checkout.run()
    for _ in range(2):
        (checkout.folder / "models" / "a.tflite").touch()
        started = time.time_ns()
        os.utime(checkout.folder / "models" / "a.tflite", ns=(started + 10**10, started + 10**10))
        assert CACHED not in checkout.run().stdout
    assert CACHED not in checkout.run().stdout


def test_times_in_whole_seconds_need_two_seconds() -> None:
    from tflint.cache.file_state import is_settled

    second = 10**9
    assert not is_settled(f"1 2 3 4 {5 * second} {5 * second}", 6 * second)
    assert is_settled(f"1 2 3 4 {5 * second} {5 * second}", 8 * second)
    assert not is_settled(f"1 2 3 4 {5 * second + 1} {5 * second}", 6 * second)  # one of the times may be coarse
    assert is_settled(f"1 2 3 4 {5 * second + 1} {5 * second + 1}", 6 * second)
    assert not is_settled(f"1 2 3 4 {5 * second + 1} {5 * second + 1}", 5 * second + 10**7)


@pytest.mark.parametrize("arguments", [("models/*.tflite",), ("--report", "json=report.json"), ("--output", "out.txt")])
def test_runs_that_cannot_be_repeated_are_not_recorded(checkout: Checkout, arguments: tuple[str, ...]) -> None:
    checkout.run(*arguments)
    assert not any((checkout.cache / "0.1.0").glob("runs/*"))
    assert CACHED not in checkout.run(*arguments).stdout


def test_a_run_through_a_link_is_not_recorded(checkout: Checkout) -> None:
    (checkout.folder / "models" / "link.tflite").symlink_to("b.tflite")
    checkout.run()
    assert CACHED not in checkout.run().stdout


def test_a_link_in_a_listed_folder_prevents_the_record(checkout: Checkout) -> None:
    (checkout.folder / "models" / "later").symlink_to("missing")
    checkout.run()
    assert CACHED not in checkout.run().stdout


def test_a_folder_that_looks_like_a_bundle_prevents_the_record(checkout: Checkout) -> None:
    (checkout.folder / "models").rename(checkout.folder / "models!")
    checkout.run()
    assert CACHED not in checkout.run().stdout


def test_a_bundle_prevents_the_record(checkout: Checkout) -> None:
    shutil.copy(named_model_path("bundle_task"), checkout.folder / "b.task")
    checkout.run()
    assert CACHED not in checkout.run().stdout


@pytest.mark.parametrize("name", ["../labels.txt", "ABSOLUTE"])
def test_a_label_file_elsewhere_prevents_the_record(checkout: Checkout, name: str) -> None:
    (checkout.folder / "labels.txt").write_text("a\nb\nc\n")
    name = name.replace("ABSOLUTE", str(checkout.folder / "labels.txt"))
    checkout.write("models/a.contract.toml", CONTRACT.replace("labels.txt", name))
    assert checkout.run().returncode in (0, 1)
    assert CACHED not in checkout.run().stdout


def test_a_checkout_around_the_configuration_is_an_input(checkout: Checkout, tmp_path: Path) -> None:
    inner = checkout.folder / "models"
    (tmp_path / ".git").mkdir()
    (checkout.folder / "rules").rename(tmp_path / "rules")
    checkout.write("tflint.toml", 'rules = ["../rules"]\n')
    checkout.folder = inner
    assert checkout.run().returncode == 0
    assert CACHED in checkout.run().stdout
    (tmp_path / ".git").rmdir()
    assert checkout.run().returncode == 2  # the rules are outside of the checkout


def test_a_run_over_midnight_is_not_recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from tflint.cache.run_cache import RunCache

    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "cache"))
    for day, n_records in (("2026-12-31", 1), ("2027-01-01", 1)):
        monkeypatch.setattr(run_record.time, "strftime", lambda _form: "2026-12-31")
        cache = RunCache(["check"], None, time.time_ns())
        monkeypatch.setattr(run_record.time, "strftime", lambda _form, day=day: day)
        cache.write_record(b"output", 0)
        assert len(list((tmp_path / "cache").glob("*/runs/*"))) == n_records
        assert run_record.find_record(["check"]) is not None or day == "2027-01-01"


def test_no_cache_writes_nothing(checkout: Checkout) -> None:
    checkout.run("--no-cache")
    assert not checkout.cache.exists()


def test_a_damaged_record_is_ignored_and_replaced(checkout: Checkout) -> None:
    checkout.run()
    (record,) = (checkout.cache / "0.1.0" / "runs").iterdir()
    content = record.read_bytes()
    expected = checkout.run()
    for damaged in (content[: len(content) // 2], b"", b"\0" * len(content), content.replace(b"notes", b"NOTES", 1)):
        record.write_bytes(damaged)
        assert CACHED not in checkout.run().stdout
        assert checkout.run().stdout == expected.stdout


def test_every_changed_byte_of_a_record_is_noticed() -> None:
    record = run_record.Record(["a", "b"], [("path", "1 2 3 4 5 6", "")], b"output\n", 1)
    content = run_record.dump(record)
    parsed = run_record.parse(content)
    assert parsed is not None
    assert (parsed.environment, parsed.inputs, parsed.output) == (record.environment, record.inputs, record.output)
    for position in range(len(content)):
        for mask in (1, 0x80):
            damaged = bytearray(content)
            damaged[position] ^= mask
            assert run_record.parse(bytes(damaged)) is None
        assert run_record.parse(content[:position]) is None


def test_a_reader_that_has_exited_is_not_an_error(checkout: Checkout) -> None:
    checkout.run()
    line = f"{sys.executable} -P -m tflint check | true; echo ${{PIPESTATUS[0]}}"
    time.sleep(0.03)
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=checkout.folder,
        env=environment(**{FOLDER_VARIABLE: str(checkout.cache)}),
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""

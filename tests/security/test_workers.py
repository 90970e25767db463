"""Test worker processes: which modules they import, and when they end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT as CHECKOUT
from tests.helpers.processes import environment
from tflint.errors import ResourceError
from tflint.runner import worker_pool

pytestmark = [pytest.mark.security, pytest.mark.skipif(sys.platform == "win32", reason="signals are different there")]

#: More than the files of two groups, so that two workers start.
N_FILES = 300

_EVIL = """
import pathlib
pathlib.Path({mark!r}).write_text("executed")
raise SystemExit(9)
"""

_MAIN = """
import multiprocessing, sys
if __name__ == "__main__":
    multiprocessing.set_start_method({method!r})
    sys.argv[0] = "tflint"
    from tflint.cli.main import run
    sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture
def many(here: Path) -> Path:
    """A folder of many models in the current one."""
    (here / "many").mkdir()
    for number in range(N_FILES):
        shutil.copy(here / "good.tflite", here / "many" / f"m{number}.tflite")
    return here


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_workers_import_no_module_of_the_current_folder(
    many: Path, tmp_path_factory: pytest.TempPathFactory, method: str
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    for name in ("multiprocessing", "pickle", "numpy", "tflint", "encodings", "sitecustomize"):
        (many / f"{name}.py").write_text(_EVIL.format(mark=str(outside / "mark")))
    script = outside / "start.py"
    script.write_text(_MAIN.format(method=method))
    more = {name: value for name, value in environment().items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run(
        [sys.executable, str(script), "check", "many", "--jobs", "2", "-q"],
        cwd=many, env=more, capture_output=True, timeout=120,
    )  # fmt: skip
    assert not (outside / "mark").exists()
    assert done.returncode == 0, done.stderr


def test_the_environment_of_the_caller_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    assert list(worker_pool.map_in_processes(len, [("ab",), ("abc",)], 2)) == [2, 3]
    assert "PYTHONSAFEPATH" not in os.environ


def test_no_more_workers_are_started_than_windows_can_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Pool:
        def __init__(self, n_workers: int, **_: object) -> None:
            asked.append(n_workers)
            raise ResourceError("enough", "known")

    monkeypatch.setattr(worker_pool, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(worker_pool.sys, "platform", "win32")
    with pytest.raises(ResourceError):
        list(worker_pool.map_in_processes(len, [("a",)], 100))
    assert asked == [61]


# --- ends -------------------------------------------------------------------------------------------------------------

_SLOW = """
import os, sys, time
import tflint.runner.scheduler as scheduler
real = scheduler._Checker.check_group
def slow(*arguments):
    os.write(1, b"at work\\n")  # in one piece: others write, too
    time.sleep({seconds})
    return real(*arguments)
scheduler._Checker.check_group = slow
sys.argv[0] = "tflint"
from tflint.__main__ import entry
entry()
"""


@contextlib.contextmanager
def checking(
    folder: Path, *options: str, seconds: float = 30, ignored: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A run whose workers are busy, in a process group of its own; `ignored` is a signal that it inherits so."""

    def prepare() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # as a terminal hands them on
            signal.signal(number, signal.SIG_IGN if number == ignored else signal.SIG_DFL)

    started = subprocess.Popen(
        [sys.executable, "-c", _SLOW.format(seconds=seconds), "check", "many", "--output", "report.txt", *options],
        cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=prepare,
    )  # fmt: skip
    try:
        assert started.stdout is not None
        assert started.stdout.readline() == b"at work\n"
        yield started
    finally:
        with contextlib.suppress(OSError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def group_is_gone(group: int, seconds: float) -> bool:
    """Whether no process of a group is left within so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        if _states(group) <= {"Z"}:
            return True
        time.sleep(0.02)
    return False


def _states(group: int) -> set[str]:
    """The states of the processes of a group; a zombie only waits for whoever adopted it."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                found.add(fields[0])
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_workers_end_soon_after_the_main_process(many: Path, number: int) -> None:
    with checking(many, "--jobs", "3") as started:
        os.kill(started.pid, number)
        _, err = started.communicate(timeout=20)  # ends when no worker holds the pipe any more
        assert group_is_gone(started.pid, 5)
    assert started.returncode == (-9 if number == signal.SIGKILL else 128 + number)
    assert b"Traceback" not in err
    assert {path.name for path in many.iterdir()} == {"good.tflite", "broken.tflite", "many"}


@pytest.mark.parametrize("options", [("--jobs", "1"), ("--jobs", "3")])
@pytest.mark.parametrize("to_group", [True, False])
def test_a_terminated_run_ends_as_an_interrupted_one(many: Path, options: tuple[str, ...], to_group: bool) -> None:
    with checking(many, *options) as started:
        (os.killpg if to_group else os.kill)(started.pid, signal.SIGTERM)
        _, err = started.communicate(timeout=20)
    assert (started.returncode, err) == (143, b"tflint: terminated\n")
    assert not (many / "report.txt").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_a_background_job_ignores_ends_no_worker(many: Path, number: int) -> None:
    with checking(many, "--jobs", "3", seconds=0.5, ignored=number) as started:
        os.killpg(started.pid, number)
        _, err = started.communicate(timeout=60)
    assert (started.returncode, err) == (0, b"")


def _killed(number: int) -> int:
    if number:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_killed_worker_is_told_apart_from_a_defect() -> None:
    with pytest.raises(ResourceError, match="a worker process was killed"):
        list(worker_pool.map_in_processes(_killed, [(0,), (1,), (2,)], 2))


def _starved(_: int) -> int:
    raise MemoryError


def test_a_worker_without_memory_is_told_as_that() -> None:
    with pytest.raises(MemoryError):
        list(worker_pool.map_in_processes(_starved, [(0,), (1,)], 2))


def test_the_path_of_this_checkout_is_what_children_import() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", "import tflint; print(tflint.__file__)"], env=environment(), capture_output=True
    )
    assert done.stdout.decode().startswith(str(CHECKOUT))

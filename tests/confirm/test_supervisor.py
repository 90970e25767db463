"""Models that crash, hang, exhaust memory or print without end are contained, and the next model is not affected."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from tflint.confirm.child_process import ChildError, ChildProcess, Children, StoppedError
from tflint.confirm.model_probes import Job
from tflint.confirm.model_session import Subject
from tflint.confirm.runtimes import InstalledRuntime, Package
from tflint.confirm.supervisor import Supervisor
from tflint.facts.run.model_run import ModelRun

SECONDS = 3.0
FAKE = InstalledRuntime(Package("fake", ("fake",), "fake_runtime", "litert", 1 << 30), "1.0")

pytestmark = pytest.mark.security


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let children put their folders into one that the test can inspect; make the fake runtime importable."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "helpers" / "runtimes"))
    return folder


def job(text: str, seconds: float = SECONDS) -> Job:
    subject = Subject(lambda: text.encode(), len(text), 0, {}, (None,), "default", (1,))
    return Job(subject, FAKE, ("litert==1.0",), 0, seconds)


def run_all(*texts: str) -> list[ModelRun]:
    with Children() as children, Supervisor(children) as supervisor:
        return list(supervisor.run(job(text) for text in texts))


def failures(run: ModelRun) -> list[tuple[str, str]]:
    return [(attempt.step, attempt.outcome) for attempt in run.attempts if attempt.outcome != "ok"]


@pytest.mark.parametrize("step", ["load", "allocate", "invoke"])
@pytest.mark.parametrize(
    ("what", "outcome", "words"),
    [
        ("abort", "crashed", "SIGABRT"),
        ("segfault", "crashed", "SIGSEGV"),
        ("exit", "crashed", "exit code 3"),
        ("exhaust", "out-of-memory", "MemoryError"),
        ("refuse", "refused", "Node number 0 (FAKE) failed to prepare."),
    ],
)
def test_the_step_that_failed_is_reported_and_the_next_model_runs(
    what: str, outcome: str, words: str, step: str
) -> None:
    if sys.platform != "linux" and what == "exhaust":
        pytest.skip("only Linux limits the address space")
    before, failed, after = run_all("runs", f"{what} at {step}", "runs")
    assert failures(before) == failures(after) == []
    assert failures(failed)[0] == (step, outcome)
    assert words in next(attempt.message for attempt in failed.attempts if attempt.outcome != "ok")


@pytest.mark.parametrize("what", ["spin", "sleep"])
def test_a_model_that_never_ends_is_stopped_and_the_next_runs(what: str) -> None:
    failed, after = run_all(f"{what} at invoke", "runs")
    assert failures(failed) == [("invoke", "timed-out")]
    assert failures(after) == []


def test_a_corrupted_heap_is_blamed_on_the_model_that_corrupted_it() -> None:
    """The process crashes while the next model loads; both are repeated alone, and only the first one crashes again."""
    runs = run_all("runs", "corrupt at invoke", "runs", "runs")
    assert [failures(run) for run in runs] == [[], [("invoke", "crashed")], [], []]
    assert "after the model had run" in runs[1].attempts[-1].message


def test_a_corrupted_heap_of_the_last_model_shows_when_the_process_exits() -> None:
    assert [failures(run) for run in run_all("runs", "corrupt at invoke")] == [[], [("invoke", "crashed")]]


def test_a_runtime_that_prints_hundreds_of_megabytes_does_not_block() -> None:
    with Children() as children, Supervisor(children) as supervisor:
        (run,) = supervisor.run([job("print at allocate", seconds=60)])
    assert failures(run) == []


def test_files_that_a_model_writes_are_removed_and_limited_in_size(own_temporary_folder: Path) -> None:
    left, filled = run_all("leave at invoke", "fill at invoke")
    assert failures(left) == []
    if sys.platform != "win32":
        assert failures(filled)[0][0] == "invoke"
    assert not list(own_temporary_folder.iterdir())


def test_the_probes_see_constant_outputs_and_kept_state() -> None:
    constant, state, plain = run_all("constant", "state", "runs")
    assert [run.outputs[0].is_unchanged for run in (constant, state, plain)] == [True, False, False]
    assert [run.outputs[0].is_repeatable for run in (constant, state, plain)] == [True, False, True]


def test_a_runtime_that_cannot_be_imported_is_named() -> None:
    broken = InstalledRuntime(Package("half-installed", ("x",), "no_such_runtime", "litert", 1 << 30), "1.0")
    with Children() as children, Supervisor(children) as supervisor:
        (run,) = supervisor.run([Job(job("runs").subject, broken, (), 0, SECONDS)])
    assert run.attempts == ()
    assert "half-installed 1.0 cannot be imported: ModuleNotFoundError" in run.problems[0]


def test_killing_all_children_ends_a_run_in_another_thread(own_temporary_folder: Path) -> None:
    children, ended = Children(), threading.Event()
    raised: list[BaseException] = []

    def work() -> None:
        try:
            with Supervisor(children) as supervisor:
                list(supervisor.run([job("sleep at invoke", 600)]))
        except StoppedError as error:
            raised.append(error)
        finally:
            ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not children.n_alive():
        assert not ended.wait(0.02)
    children.kill_all()
    thread.join(10)
    assert raised
    assert not list(own_temporary_folder.iterdir())


def test_leaving_the_supervisor_early_leaves_no_process(own_temporary_folder: Path) -> None:
    with Children() as children, Supervisor(children) as supervisor:
        runs = supervisor.run(job(text) for text in ("runs", "runs", "runs"))
        next(runs)
        assert children.n_alive() == 1
    assert children.n_alive() == 0
    assert not list(own_temporary_folder.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux cuts off the network")
def test_the_child_has_no_network_its_own_folder_and_no_current_folder(tmp_path: Path) -> None:
    child = ChildProcess("fake_runtime")
    try:
        assert child.limits["core_dumps"]
        assert child.limits["files"]
        assert child.limits["ends_with_parent"]
        if not child.limits["network"]:
            pytest.skip("this system does not let a process leave its network")
        child.request({"do": "model", "max_bytes": 1 << 31, "max_seconds": 10}, [b"connect at load"])
        with pytest.raises(ChildError, match=r"unreachable|refused"):
            child.request({"do": "load", "kernels": "default", "keeps_tensors": False, "shapes": {}})
    finally:
        child.kill()


def test_a_module_in_the_current_folder_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "planted_runtime.py").write_text("raise SystemExit('imported from the current folder')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ChildError, match="ModuleNotFoundError"):
        ChildProcess("planted_runtime")


def test_the_parent_never_imports_a_runtime() -> None:
    code = (
        "import sys, tflint, tflint.confirm.confirmation, tflint.confirm.supervisor, tflint.cli.main;"
        "print([name for name in sys.modules if name.startswith(('ai_edge_litert', 'tensorflow', 'tflite_'))])"
    )
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert done.stdout.strip() == "[]"


def test_a_child_that_closes_its_output_but_stays_alive_is_killed() -> None:
    failed, after = run_all("close at invoke", "runs")
    assert failures(failed) == [("invoke", "crashed")]
    assert failures(after) == []


def test_a_process_that_a_runtime_started_does_not_keep_the_run_alive() -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has no fork")
    failed, after = run_all("fork at invoke", "runs")
    assert failures(failed) == [("invoke", "timed-out")]
    assert failures(after) == []


def test_two_runtimes_have_a_warm_child_each_and_a_late_crash_is_still_found() -> None:
    other = InstalledRuntime(Package("other", ("other",), "other_fake_runtime", "tflite", 1 << 30), "1.0")
    with Children() as children, Supervisor(children) as supervisor:
        jobs = [
            Job(job(text).subject, runtime, (), 0, SECONDS)
            for text in ("runs", "corrupt at invoke", "runs", "runs")
            for runtime in (FAKE, other)
        ]
        runs = list(supervisor.run(jobs))
        assert children.n_alive() <= 2
    assert [failures(run) for run in runs] == [[], [], [("invoke", "crashed")], [("invoke", "crashed")], [], [], [], []]


def test_an_error_of_tflint_costs_one_model_only() -> None:
    def fail() -> bytes:
        raise OSError("the file changed")

    with Children() as children, Supervisor(children) as supervisor:
        broken = Job(Subject(fail, 1, 0, {}, (None,), "default", ()), FAKE, (), 0, SECONDS)
        runs = list(supervisor.run([job("runs"), broken, job("runs")]))
    assert [bool(run.attempts) for run in runs] == [True, False, True]
    assert runs[1].problems == ("the run failed: OSError: the file changed",)

"""The child process as tflint sees it: start it, send requests, notice how it ended, end it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from tflint.confirm.request_clock import RequestClock
from tflint.confirm.wire import Message, WireError, read_message, write_message
from tflint.errors import TflintError

#: Wall-clock seconds in which the child must import its runtime: TensorFlow takes several on a slow disk.
IMPORT_SECONDS = 120.0
#: Wall-clock seconds that the child gets to exit after its input was closed.
EXIT_SECONDS = 10.0
#: Number of bytes at the end of the child's standard error that are kept. A runtime may print gigabytes.
KEPT_BYTES = 16_384
#: Maximum number of characters of a runtime's message in reports.
MAX_MESSAGE = 400

#: Seconds until what the child printed has arrived through its pipe.
_PRINT_SECONDS = 0.05

#: Seconds that a child may take to end after it closed its output.
_DEATH_SECONDS = 2.0

# How a step ended, besides successfully.
REFUSED, CRASHED, TIMED_OUT, OUT_OF_MEMORY = "refused", "crashed", "timed-out", "out-of-memory"

#: Environment variables that the child keeps: how to find libraries, and what Windows needs to start a process.
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL")

# tflint itself may be in the current folder, which is not on the child's module search path.
_BOOT = """
import importlib.util, json, sys
sys.path[:], package = json.loads(sys.argv.pop())
spec = importlib.util.spec_from_file_location("tflint", package + "/__init__.py", submodule_search_locations=[package])
sys.modules["tflint"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["tflint"])
from tflint.confirm.child.child_main import serve
serve()
"""


class ChildError(TflintError):
    """A request failed: the runtime refused it (`cause` is `REFUSED`), or the child ended.

    `step` is the last step that the child announced, and `message` the runtime's own words.
    """

    def __init__(self, cause: str, step: str, message: str) -> None:
        super().__init__(f"{step}: {message}")
        self.cause, self.step, self.message = cause, step, message


class ChildProcess:
    """A running child with an imported runtime. Use it in one thread, and call `close`.

    `register` is called as soon as the process runs, so that another thread can end it while it imports the runtime.
    Raises `ChildError` if the runtime cannot be imported.
    """

    def __init__(self, module: str, register: Callable[[ChildProcess], None] | None = None) -> None:
        self.step = "start"
        self.is_alive = True
        self.n_models = 0
        self.clock = RequestClock(self.signal_kill)
        self._prints_reasons = module.startswith("tflite_micro")
        self._errors = bytearray()
        self._drain = threading.Thread(target=self._read_errors, daemon=True)
        self._process: subprocess.Popen[bytes] | None = None
        # The name is known before the folder exists, so that an interrupt at any moment removes the folder.
        self._folder = str(Path(tempfile.gettempdir()) / f"tflint-confirm-{os.getpid()}-{secrets.token_hex(8)}")
        try:
            Path(self._folder).mkdir(0o700)
            self._process = self._start(module)
            self._drain.start()
            if register is not None:
                register(self)
            self.clock.set(IMPORT_SECONDS)
            with self.clock.running():
                self.limits: Message = self._read_reply(0)[0].get("limits", {})
            self.clock.set(None)
        except OSError as error:
            self.kill()
            raise ChildError(CRASHED, "start", f"the process cannot be started: {error}") from error
        except BaseException:
            self.kill()
            raise

    def _start(self, module: str) -> subprocess.Popen[bytes]:
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        environment |= {"HOME": self._folder, "TMPDIR": self._folder, "TEMP": self._folder, "TMP": self._folder}
        # Models run on one thread, so that several children do not compete.
        environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "-1"}
        flags = ["-I", "-W", "ignore", *(["-B"] if sys.dont_write_bytecode else [])]
        boot = json.dumps([_search_path(), str(Path(__file__).parents[1])])
        command = [sys.executable, *flags, "-c", _BOOT, str(os.getpid()), module, boot]
        pipe = subprocess.PIPE
        # A session of its own: Ctrl-C reaches tflint only, which then ends the child.
        return subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=self._folder, env=environment, start_new_session=True
        )

    def _read_errors(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        with contextlib.suppress(OSError, ValueError):
            while chunk := os.read(self._process.stderr.fileno(), 1 << 16):
                self._errors += chunk
                del self._errors[:-KEPT_BYTES]

    # -- requests ------------------------------------------------------------------------------------------------------

    def forget_errors(self) -> None:
        """Forget what the child printed so far, because it belongs to an earlier model."""
        self._errors.clear()

    def request(
        self, message: Message, pieces: Sequence[bytes | memoryview] = (), max_bytes: int = 0
    ) -> tuple[Message, list[bytes]]:
        """Send a request and return the reply, with at most `max_bytes` of arrays. Raises `ChildError`."""
        assert self._process is not None
        assert self._process.stdin is not None
        with self.clock.running():
            # Without this, a child that dies while it reads the request would look like a fault of tflint.
            with contextlib.suppress(BrokenPipeError):
                write_message(self._process.stdin, message, pieces)
            return self._read_reply(max_bytes)

    def _read_reply(self, max_bytes: int) -> tuple[Message, list[bytes]]:
        assert self._process is not None
        assert self._process.stdout is not None
        while True:
            try:
                reply = read_message(self._process.stdout, max_bytes)
            except WireError as error:
                self.signal_kill()
                raise self._death(str(error)) from error
            if reply is None:
                raise self._death("")
            message, pieces = reply
            if "step" in message:
                self.step = str(message["step"])
            elif "failed" in message:
                cause = OUT_OF_MEMORY if message.get("out_of_memory") else REFUSED
                raise ChildError(cause, self.step, shorten_message(self._complete(str(message["failed"]))))
            elif isinstance(message.get("result"), dict):
                result: Message = message["result"]
                return result, pieces
            else:
                self.signal_kill()
                raise self._death("the child sent an invalid reply")

    def _complete(self, text: str) -> str:
        """Return a runtime's message. TFLM's exceptions say only that it failed: it prints the reason."""
        if not self._prints_reasons:
            return text
        time.sleep(_PRINT_SECONDS)
        reason = self._last_words()
        return f"{text}: {reason}" if reason else text

    def _death(self, reason: str) -> ChildError:
        """Return the failure that describes how the child ended. A child that only closed its pipe is killed."""
        assert self._process is not None
        self.is_alive = False
        try:
            self._process.wait(_DEATH_SECONDS)
        except subprocess.TimeoutExpired:
            reason = reason or "closed its output, but did not end"
            self.signal_kill()
        code = self._wait()
        cause = CRASHED
        words = reason or describe_exit(code)
        if self.clock.has_ended:
            cause, words = TIMED_OUT, "did not end within the time limit"
        elif sys.platform != "win32" and code == -signal.SIGXCPU:
            cause, words = TIMED_OUT, "exceeded the limit of CPU time"
        elif sys.platform != "win32" and code == -signal.SIGKILL and not reason:
            cause, words = OUT_OF_MEMORY, "was killed by the system, most likely because memory ran out"
        last = self._last_words()
        if "bad_alloc" in last or "MemoryError" in last:
            cause = OUT_OF_MEMORY
        self._remove_folder()
        return ChildError(
            cause, self.step, shorten_message(f"{words}: {last}" if last and cause != TIMED_OUT else words)
        )

    def _last_words(self) -> str:
        """Return the last lines that the child printed to standard error, without those about the runtime's start."""
        text = bytes(self._errors).decode("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        told = [line for line in lines if not line.startswith(("INFO:", "WARNING:", "W0000", "I0000"))]
        return " ".join(told[-3:])

    def errors(self) -> str:
        """Return the end of what the child printed to standard error so far."""
        return bytes(self._errors).decode("utf-8", "replace")

    # -- the end -------------------------------------------------------------------------------------------------------

    def close(self) -> ChildError | None:
        """Let the child exit, kill it if it does not; return how it failed if it crashed while it exited."""
        if not self.is_alive:
            return None
        self.is_alive = False
        self.step = "exit"
        self.clock.set(EXIT_SECONDS)
        assert self._process is not None
        assert self._process.stdin is not None
        with self.clock.running():
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self._process.wait()
        code = self._wait()
        failure = None
        if code != 0 and not self.clock.has_ended:
            failure = ChildError(CRASHED, "exit", shorten_message(f"{describe_exit(code)} {self._last_words()}"))
        self._remove_folder()
        return failure

    def kill(self) -> None:
        """End the child now."""
        self.is_alive = False
        self.signal_kill()
        if self._process is not None:
            self._wait()
        self._remove_folder()

    def signal_kill(self) -> None:
        """Make the child and the processes that it started end, without waiting for them."""
        if self._process is None:
            return
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)  # the child leads a process group of its own

    def _wait(self) -> int:
        """Wait for the end of the process, close the pipes, and return the exit code (negative: a signal)."""
        assert self._process is not None
        code = self._process.wait()
        if self._drain.ident is not None:
            self._drain.join(1.0)
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        if not self._drain.is_alive() and self._process.stderr is not None:
            self._process.stderr.close()
        return code

    def _remove_folder(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


class Children:
    """The child processes of a confirmation. After leaving it, or after `kill_all` in any thread, none is left."""

    def __init__(self) -> None:
        self._alive: set[ChildProcess] = set()
        self._lock = threading.Lock()
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.kill_all()
        for child in self._alive:
            if child.is_alive:
                child.kill()  # also removes its folder

    def start(self, module: str) -> ChildProcess:
        """Start a child. Raises `ChildError` if the runtime cannot be imported, `StoppedError` after `kill_all`."""
        with self._lock:
            if self._is_over:
                raise StoppedError("no further child processes are started")
            self._alive = {child for child in self._alive if child.is_alive}
        try:
            return ChildProcess(module, self._register)
        except ChildError as error:
            if self._is_over:
                raise StoppedError("no further child processes are started") from error
            raise

    def _register(self, child: ChildProcess) -> None:
        with self._lock:
            self._alive.add(child)
            if self._is_over:
                raise StoppedError("no further child processes are started")

    def n_alive(self) -> int:
        """Return the number of children that have not ended."""
        with self._lock:
            return sum(child.is_alive for child in self._alive)

    def kill_all(self) -> None:
        """Make all children end, and start no more. The threads that use them notice it as a failure."""
        with self._lock:
            self._is_over = True
            for child in self._alive:
                child.signal_kill()


class StoppedError(TflintError):
    """The confirmation was interrupted."""


def describe_exit(code: int) -> str:
    """Return a text about the exit code of a process, such as `ended with SIGSEGV`."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"ended with {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def shorten_message(text: str) -> str:
    """Return a runtime's message on one line, cut off in the middle if it is long."""
    flat = " ".join(text.split())
    half = MAX_MESSAGE // 2
    return flat if len(flat) <= MAX_MESSAGE else f"{flat[: half - 1]}… {flat[-half + 1 :]}"


def _search_path() -> list[str]:
    """Return this process's module search path without relative entries and the current folder."""
    current = Path.cwd()
    found = []
    for entry in sys.path:
        path = Path(entry)
        with contextlib.suppress(OSError):
            if path.is_absolute() and path.resolve() != current.resolve():
                found.append(entry)
    return found


def describe_step(step: str) -> tuple[str, str]:
    """Split an announced step, such as `allocate (builtin)`, into its name and the text in parentheses."""
    name, _, detail = step.partition(" (")
    return name, detail.removesuffix(")")

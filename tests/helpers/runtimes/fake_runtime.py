"""A runtime that does what the model's text says: crash, hang, exhaust memory, print without end, …

The child process imports it in place of a real runtime. A "model" is a text such as `abort at invoke`.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import sys
import time
from pathlib import Path

import numpy as np

#: The model that corrupted the memory of the process: every other model crashes.
_CORRUPTED_BY = b""
_GIGABYTE = 1 << 30


class Interpreter:
    """Has one float32 input and output of four elements."""

    def __init__(self, model_content: bytes, num_threads: int, **options: bool) -> None:
        self._what, _, self._when = model_content.decode().partition(" at ")
        self._content = model_content
        if _CORRUPTED_BY not in (b"", model_content):
            os.abort()
        self._act("load")
        self._input = np.zeros(4, dtype=np.float32)
        self._n_calls = 0

    def _act(self, step: str) -> None:
        global _CORRUPTED_BY
        if step != self._when:
            return
        if self._what == "abort":
            os.abort()
        if self._what == "segfault":
            ctypes.string_at(0)
        if self._what == "spin":
            while True:
                pass
        if self._what == "sleep":
            time.sleep(3600)
        if self._what == "exhaust":
            bytearray(100 * _GIGABYTE)
        if self._what == "refuse":
            raise RuntimeError("Node number 0 (FAKE) failed to prepare.")
        if self._what == "exit":
            os._exit(3)
        if self._what == "print":
            for stream in (sys.stdout, sys.stderr):
                for _ in range(200):
                    stream.write("x" * (1 << 20))
        if self._what == "corrupt":
            _CORRUPTED_BY = self._content
            atexit.register(os.abort)
        if self._what == "close":
            os.closerange(3, 20)
            time.sleep(3600)
        if self._what == "fork" and os.fork() == 0:
            time.sleep(3600)
        if self._what == "fork":
            os._exit(0)
        if self._what == "leave":
            with Path("left.bin").open("wb") as file:
                file.write(bytes(1 << 20))
        if self._what == "fill":
            with Path("large.bin").open("wb") as file:
                file.write(bytes(200 << 20))
        if self._what == "connect":
            import socket

            socket.create_connection(("127.0.0.1", int(os.environ.get("PORT", "9"))), timeout=1).close()

    def allocate_tensors(self) -> None:
        self._act("allocate")

    def get_input_details(self) -> list[dict]:
        return [{"index": 0, "shape": np.array([4]), "dtype": np.float32, "quantization": (0.0, 0)}]

    def get_output_details(self) -> list[dict]:
        return [{"index": 1, "shape": np.array([4]), "dtype": np.float32, "quantization": (0.0, 0)}]

    def set_tensor(self, index: int, value: np.ndarray) -> None:
        self._input = value.copy()

    def invoke(self) -> None:
        self._n_calls += 1
        self._act("invoke")

    def get_tensor(self, index: int) -> np.ndarray:
        if self._what == "constant":
            return np.ones(4, dtype=np.float32)
        if self._what == "state":
            return self._input + self._n_calls
        return self._input * 2

    def tensor(self, index: int):
        return lambda: self.get_tensor(index)

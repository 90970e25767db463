"""The main loop of the child process: reads requests from standard input and writes replies to standard output.

Each step is announced before it begins, so that tflint knows which step crashed or did not end.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any, TypeAlias

#: The result of a request, and the bytes that follow it.
Reply: TypeAlias = tuple[dict[str, Any], Sequence[Any]]

#: The part of the memory limit that may be used before the child asks to be replaced.
_WORN = 0.6


def serve() -> None:
    """Serve requests until standard input ends. Command line: id of the parent process, name of the runtime module."""
    from tflint.confirm.child.process_limits import restrict_process

    in_force = restrict_process(int(sys.argv[1]))
    requests, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # runtimes print to standard output, which would break the protocol
    from tflint.confirm.wire import read_message, write_message

    child = _Child(replies)
    child.announce("import the runtime")
    try:
        child.import_runtime(sys.argv[2])
    except (ImportError, OSError, RuntimeError, AttributeError, TypeError, ValueError) as error:
        write_message(replies, {"failed": f"{type(error).__name__}: {error}"})
        return
    write_message(replies, {"result": {"limits": in_force}})
    while (request := read_message(requests)) is not None:
        child.answer(*request)


class _Child:
    """The state of the child: the runtime, the model, and its interpreters by kernels."""

    def __init__(self, replies: IO[bytes]) -> None:
        self._replies = replies
        self._content = b""
        self._interpreters: dict[str, Any] = {}
        self._max_bytes = 0

    def import_runtime(self, module: str) -> None:
        from tflint.confirm.child.interpreters import Runtime

        self._runtime = Runtime(module)

    def announce(self, step: str) -> None:
        """Tell the parent which step begins."""
        from tflint.confirm.wire import write_message

        write_message(self._replies, {"step": step})

    def answer(self, request: Mapping[str, Any], pieces: Sequence[bytes]) -> None:
        """Carry out a request and write the reply."""
        from tflint.confirm.wire import write_message

        action: Callable[..., Reply] = getattr(self, f"do_{request['do']}")
        try:
            result, more = action(request, pieces)
        except MemoryError as error:
            write_message(self._replies, {"failed": f"MemoryError: {error}".rstrip(": "), "out_of_memory": True})
        except Exception as error:  # whatever a runtime raises is its answer
            write_message(self._replies, {"failed": str(error) or type(error).__name__})
        else:
            write_message(self._replies, {"result": result}, more)

    def do_model(self, request: Mapping[str, Any], pieces: Sequence[bytes]) -> Reply:
        """Take the bytes of a model, and limit memory and CPU time."""
        from tflint.confirm.child.process_limits import limit_model

        self._interpreters.clear()
        self._content = pieces[0]
        self._max_bytes = int(request["max_bytes"])
        limit_model(self._max_bytes, float(request["max_seconds"]))
        return {}, ()

    def do_load(self, request: Mapping[str, Any], _pieces: Sequence[bytes]) -> Reply:
        """Load the model and allocate its tensors."""
        kernels = str(request["kernels"])
        try:
            interpreter = self._load(request)
        except RuntimeError:
            self._require_enough_memory(request)
            raise
        self._interpreters[kernels] = interpreter
        inputs, outputs = interpreter.inputs(), interpreter.outputs()
        return {"inputs": [_describe(tensor) for tensor in inputs], "outputs": [_describe(one) for one in outputs]}, ()

    def _load(self, request: Mapping[str, Any]) -> Any:
        kernels = str(request["kernels"])
        self.announce(f"load ({kernels})")
        interpreter = self._runtime.load(self._content, kernels, keeps_tensors=bool(request["keeps_tensors"]))
        self.announce(f"allocate ({kernels})")
        interpreter.allocate({int(position): shape for position, shape in request["shapes"].items()})
        return interpreter

    def _require_enough_memory(self, request: Mapping[str, Any]) -> None:
        """Raise `MemoryError` if the runtime accepts a model that it refused once it may use twice the memory.

        Runtimes report a lack of memory like any other refusal.
        """
        from tflint.confirm.child.process_limits import limit_memory

        limit_memory(2 * self._max_bytes)
        try:
            self._load(request)
        except RuntimeError:
            return
        finally:
            limit_memory(self._max_bytes)
        raise MemoryError(f"needs more than {self._max_bytes / 1e9:.1f} GB of address space")

    def do_unload(self, request: Mapping[str, Any], _pieces: Sequence[bytes]) -> Reply:
        """Free the interpreter of some kernels."""
        self._interpreters.pop(str(request["kernels"]), None)
        return {}, ()

    def do_survey(self, request: Mapping[str, Any], _pieces: Sequence[bytes]) -> Reply:
        """Run the loaded model on all kinds of generated input."""
        from tflint.confirm.child.survey import MAX_OUTPUT_BYTES, Survey
        from tflint.confirm.wire import pack_arrays

        interpreter = self._interpreters[request["kernels"]]
        interpreter.reset()
        survey = Survey(interpreter, request["tensors"], self.announce)
        survey.run(request["limits"], int(request["seed"]), repeats=bool(request["repeats"]))
        arrays, places = [], []
        for kind, outputs in survey.outputs.items():
            for position, array in enumerate(outputs):
                if array.dtype.kind in "biufc" and array.nbytes <= MAX_OUTPUT_BYTES:
                    arrays.append(array)
                    places.append([kind, position])
        kinds, more = pack_arrays(arrays)
        return {
            "failures": survey.failures,
            "unchanged": sorted(survey.unchanged) if len(survey.outputs) > 1 else [],
            "unreadable": sorted(survey.unreadable),
            "repeated_differs": survey.repeated_differs,
            "seconds": survey.seconds,
            "outputs": places,
            "arrays": kinds,
        }, more

    def do_invoke(self, request: Mapping[str, Any], pieces: Sequence[bytes]) -> Reply:
        """Run the loaded model on arrays or on a kind of generated input.

        Returns its outputs, or the inner tensors that the request lists.
        """
        from tflint.confirm.child.survey import generate_inputs, measure_saturation
        from tflint.confirm.wire import pack_arrays, unpack_arrays

        kernels = str(request["kernels"])
        interpreter = self._interpreters[kernels]
        interpreter.reset()
        if "kind" in request:
            arrays = generate_inputs(interpreter.inputs(), request["kind"], request["limits"], int(request["seed"]))
        else:
            arrays = unpack_arrays(request["arrays"], pieces)
        self.announce(f"invoke ({kernels})")
        interpreter.invoke(arrays)
        indices: Sequence[int] | None = request.get("tensors")
        if indices is None:
            found = [_keep_numbers(interpreter.read_output(tensor)) for tensor in interpreter.outputs()]
        else:
            found = [_copy_tensor(interpreter, index) for index in indices]
        saturated = measure_saturation(interpreter, request["saturation"]) if request.get("saturation") else {}
        kinds, more = pack_arrays(found)
        return {"arrays": kinds, "saturated": {str(index): share for index, share in saturated.items()}}, more

    def do_allocations(self, _request: Mapping[str, Any], _pieces: Sequence[bytes]) -> Reply:
        """Let TFLM print its allocations to standard error."""
        self._interpreters["default"].print_allocations()
        return {}, ()

    def do_free(self, _request: Mapping[str, Any], _pieces: Sequence[bytes]) -> Reply:
        """Free the model; the reply says whether the child should be replaced."""
        from tflint.confirm.child.process_limits import release_memory, used_address_space

        self._interpreters.clear()
        self._content = b""
        release_memory()
        return {"is_worn": used_address_space() > _WORN * self._max_bytes}, ()


def _copy_tensor(interpreter: Any, index: int) -> Any:
    """Return a copy of a tensor; empty if it has no memory or no numbers."""
    try:
        return _keep_numbers(interpreter.view(index)).copy()
    except ValueError:
        return _keep_numbers(None)


def _keep_numbers(values: Any) -> Any:
    """Return an array if it contains numbers, else an empty one in its place."""
    import numpy as np

    is_numeric = values is not None and values.dtype.kind in "biufc"
    return values if is_numeric else np.zeros(0, dtype=np.int8)


def _describe(tensor: Any) -> dict[str, Any]:
    return {
        "index": tensor.index,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype.str,
        "scale": tensor.scale if tensor.is_quantized else None,
        "zero_point": tensor.zero_point if tensor.is_quantized else None,
    }

"""Measures the probe `alive` in a warm child, relative to the same work of LiteRT in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.comparisons import Measure, NotAvailableError, Result, milliseconds, require_packages
from benchmarks.measure import measure_in_turn, ratios, wall_clock_meter
from benchmarks.models import Workspace
from tflint.api import load
from tflint.confirm.child.generated_inputs import KINDS, default_limits, generate
from tflint.confirm.child_process import ChildProcess
from tflint.confirm.model_session import Session
from tflint.confirm.runtimes import PACKAGES
from tflint.confirm.subjects import build_subject

#: The limits of a child for one model: bytes and CPU seconds.
_MAX_BYTES, _MAX_SECONDS = 4 << 30, 600.0


def alive(model: Callable[[Workspace], Path]) -> Measure:
    """Measure loading, allocating and surveying a model in a child, relative to LiteRT's load, allocate and invokes."""

    def measure(workspace: Workspace, runs: int) -> Result:
        require_packages("ai_edge_litert")
        path = model(workspace)
        if not path.exists():
            raise NotAvailableError("no corpus next to the checkout")
        subject, _ = build_subject(load(path), None)
        child = ChildProcess(PACKAGES[0].module)

        def probe() -> None:
            session = Session(child, subject, 0)
            session.begin(_MAX_BYTES, _MAX_SECONDS)
            session.load("builtin", keeps_tensors=True)
            session.survey("builtin", tensors=subject.tensors)
            child.request({"do": "free"})

        try:
            ours, theirs = measure_in_turn([wall_clock_meter(probe), wall_clock_meter(lambda: _run_litert(path))], runs)
        finally:
            child.kill()
        return Result(ratios(ours, theirs), milliseconds(ours), milliseconds(theirs))

    return measure


def _run_litert(path: Path) -> None:
    """Load a model with all tensors kept, allocate its tensors, and run it on the same six inputs."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_path=str(path),
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    details = interpreter.get_input_details()
    for kind in KINDS:
        for one in details:
            limits = default_limits(one["dtype"](0).dtype, is_quantized=one["quantization"][0] > 0)
            interpreter.set_tensor(one["index"], generate(kind, one["shape"], one["dtype"](0).dtype, limits, 0))
        interpreter.invoke()

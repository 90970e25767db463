"""Alternatives to tflint, each as a whole process on the same model of 3.5 MB, compared with `tflint check`.

Install them in a separate environment, because they install gigabytes of packages and constrain each other's versions:

    python -m venv peers && peers/bin/pip install tflite ai-edge-litert tensorflow-cpu modelaudit ethos-u-vela
    python -m benchmarks --rows 'peer-*' --peers-python peers/bin/python

None of them checks what tflint checks; the table only compares the time to process a model.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.comparisons import TFLINT, Measure, NotAvailableError, Result, milliseconds
from benchmarks.measure import Command, measure_in_turn, ratios
from benchmarks.models import Workspace

_WALK = (
    "import sys; sys.path.insert(0, sys.argv[2]); from benchmarks.yardsticks import walk; import pathlib; "
    "walk(pathlib.Path(sys.argv[1]))"
)
_LOAD = (
    "import sys; from ai_edge_litert.interpreter import Interpreter; "
    "Interpreter(model_path=sys.argv[1]).allocate_tensors()"
)
_ANALYZE = "import sys, tensorflow as tf; tf.lite.experimental.Analyzer.analyze(model_path=sys.argv[1])"
_AUDIT = "import sys; from modelaudit.cli import main; sys.argv = ['modelaudit', 'scan', sys.argv[1]]; main()"
_VELA = (
    "import sys, tempfile; from ethosu.vela.vela import main; main([sys.argv[1], '--output-dir', tempfile.mkdtemp()])"
)

#: Title and module of each peer, and the code that runs it on the model in the first argument.
PEERS = {
    "tflite": ("a walk with the tflite package", "tflite", _WALK),
    "litert": ("LiteRT: load and allocate", "ai_edge_litert", _LOAD),
    "analyzer": ("TensorFlow's model analyzer", "tensorflow", _ANALYZE),
    "modelaudit": ("modelaudit scan", "modelaudit", _AUDIT),
    "vela": ("ethos-u-vela, compiling", "ethosu.vela", _VELA),
}


def peer(module: str, code: str) -> Measure:
    """Measure a peer as a multiple of `tflint check`. Raises `NotAvailableError` if the peer is not installed."""

    def measure(workspace: Workspace, runs: int) -> Result:
        python = workspace.peers_python
        if not python or subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode:
            raise NotAvailableError(f"{module} is not installed (--peers-python)")
        model, checkout = str(workspace.mobile()), str(Path(__file__).parents[1])
        theirs = Command(("-c", code, model, checkout), codes=(0, 1, 2), python=python)
        ours = Command((*TFLINT, "check", model))
        meters = [lambda one=one: one.seconds(workspace.folder, workspace.environment) for one in (theirs, ours)]
        peer_times, our_times = measure_in_turn(meters, runs)
        return Result(ratios(peer_times, our_times), milliseconds(our_times), milliseconds(peer_times))

    return measure

"""What a user would reach for instead: each a whole process on the same model of 3.5 MB, against `tflint check`.

They live in an environment of their own, since they pull in gigabytes and each other's versions:

    python -m venv peers && peers/bin/pip install tflite ai-edge-litert tensorflow-cpu modelaudit ethos-u-vela
    python -m benchmarks --rows 'peer-*' --peers-python peers/bin/python

None of them looks for what tflint looks for; the table only says what a look at a model costs elsewhere.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.comparisons import TFLINT, Measure, NotHereError, Result, milliseconds
from benchmarks.measure import Command, in_turn, ratios
from benchmarks.models import Workshop

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

#: What each peer is called, the module it is, and how it is run on the model in the first argument.
PEERS = {
    "tflite": ("a walk with the tflite package", "tflite", _WALK),
    "litert": ("LiteRT: load and allocate", "ai_edge_litert", _LOAD),
    "analyzer": ("TensorFlow's model analyzer", "tensorflow", _ANALYZE),
    "modelaudit": ("modelaudit scan", "modelaudit", _AUDIT),
    "vela": ("ethos-u-vela, compiling", "ethosu.vela", _VELA),
}


def peer(module: str, code: str) -> Measure:
    """How many times as long as `tflint check` a peer takes; `NotHereError` where it is not installed."""

    def measure(workshop: Workshop, runs: int) -> Result:
        python = workshop.peers_python
        if not python or subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode:
            raise NotHereError(f"{module} is not there (--peers-python)")
        model, checkout = str(workshop.mobile()), str(Path(__file__).parents[1])
        theirs = Command(("-c", code, model, checkout), codes=(0, 1, 2), python=python)
        ours = Command((*TFLINT, "check", model))
        meters = [lambda one=one: one.seconds(workshop.folder, workshop.environment) for one in (theirs, ours)]
        slow, fast = in_turn(meters, runs)
        return Result(ratios(slow, fast), milliseconds(fast), milliseconds(slow))

    return measure

"""Renders transcripts that need an MLflow server, in which the models of `examples/` are versions of `plant`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.helpers.mlflow_server import Server, run_server
from tests.helpers.paths import ROOT
from tests.helpers.transcripts import Shell, render_in

#: Address of the server in a transcript.
_SHOWN = "http://127.0.0.1:5000"
_MODELS = ("good", "broken")


def render_on(server: Server, block: str) -> str:
    """Return a block with each command followed by its present output."""
    for name in _MODELS:
        server.add_version("plant", {f"{name}.tflite": (ROOT / "examples" / f"{name}.tflite").read_bytes()})
    with tempfile.TemporaryDirectory() as folder:
        shell = Shell(Path(folder))
        for name in ("TFLITE_LINT_SEAL_KEY", "TFLITE_LINT_REGISTRY"):
            shell.environment.pop(name, None)
        return render_in(shell, block.replace(_SHOWN, server.address)).replace(server.address, _SHOWN)


def renew(block: str) -> str:
    """Start a server and return the block with the present output."""
    with tempfile.TemporaryDirectory() as folder, run_server(Path(folder), None) as server:
        return render_on(server, block)

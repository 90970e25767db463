"""The transcripts of the Markdown files: finds their commands, runs them, and compares or renews their output.

`python -m tools.regenerate transcripts` renews them. A line `…` stands for omitted lines, among them the line with the
number of rules, which changes with every rule.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.paths import ROOT
from tflint.cache.cache_folder import FOLDER_VARIABLE

FILES = [
    "README.md",
    "examples/README.md",
    "docs/compare.md",
    "docs/containers.md",
    "docs/contract.md",
    "docs/diff.md",
    "docs/reports.md",
    "docs/show.md",
]
_BLOCK = re.compile(r"^(```+)console\n(.*?)^\1$", re.DOTALL | re.MULTILINE)
_TIME = re.compile(r"\d+\.\d s\b")
_XML_TIME = re.compile(r'\btime="\d+\.\d+"')
_RULE_COUNT = re.compile(r"^checked: [\d,]+ rules .*\n(?:…\n)?", re.MULTILINE)
_LEFT_OUT = "…\n"


class Shell:
    """Runs the commands of a transcript in a folder: `tflint` and `export NAME=VALUE`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, FOLDER_VARIABLE: "none", "PYTHONPATH": str(ROOT)}

    def run(self, command: str) -> str:
        """Return what a command prints on both streams, with equal times."""
        program, *arguments = shlex.split(command)
        if program == "export":
            self.environment |= [argument.split("=", 1) for argument in arguments]
            return ""
        assert program == "tflint"
        done = subprocess.run(
            [sys.executable, "-m", "tflint", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return normalize_output(done.stdout + done.stderr)


@contextlib.contextmanager
def open_shell(block: str) -> Iterator[Shell]:
    """Open a shell for a block: in the checkout, or in a copy of its examples if the commands write a registry."""
    if "$ tflint registry" not in block:
        yield Shell(ROOT)
        return
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "examples", Path(folder) / "examples")
        yield Shell(Path(folder))


def needs_server(block: str) -> bool:
    """Return whether the commands of a block need a server, which only some tests start."""
    return "TFLITE_LINT_REGISTRY=http" in block


def normalize_output(text: str) -> str:
    """Return a text with equal times and without the number of rules."""
    return _RULE_COUNT.sub(_LEFT_OUT, _XML_TIME.sub('time="0.100"', _TIME.sub("0.1 s", text)))


def rendered(block: str) -> str:
    """Return a block with each command followed by its present output."""
    if needs_server(block):
        return normalize_output(block)
    with open_shell(block) as shell:
        return render_in(shell, block)


def render_in(shell: Shell, block: str) -> str:
    """Return a block with each command followed by its present output in a shell."""
    _, *parts = re.split(r"^\$ (.*)\n", normalize_output(block), flags=re.MULTILINE)
    return "".join(
        f"$ {command}\n{_shown(shell.run(command), old)}" for command, old in zip(parts[::2], parts[1::2], strict=True)
    )


def _shown(printed: str, old: str) -> str:
    """Return the output of a command, or the old text if it omits lines and is otherwise still true."""
    kept = old.split(_LEFT_OUT)
    is_true = re.fullmatch("(?:.*\n)*".join(map(re.escape, kept)), printed) is not None
    return old if len(kept) > 1 and is_true else printed


def blocks(text: str) -> list[str]:
    """Return the transcripts of a Markdown text."""
    return [block for _, block in _BLOCK.findall(text)]


def _renewed(block: str) -> str:
    """Return a block with its present output. A block that needs a server stays as it is if there is no MLflow."""
    if needs_server(block) and os.environ.get("MLFLOW_PYTHON"):
        from tests.helpers.mlflow_transcripts import renew  # needs pytest and httpx

        return renew(block)
    return rendered(block)


def main() -> None:
    """Renew all transcripts."""
    for name in FILES:
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        anew = _BLOCK.sub(lambda match: f"{match[1]}console\n{_renewed(match[2])}{match[1]}", text)
        path.write_text(anew, encoding="utf-8")


if __name__ == "__main__":
    main()

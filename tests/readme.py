"""The transcripts of the Markdown files: finds their commands, runs them, compares or renews what they print.

`python -m tests.readme` writes them anew.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = ["README.md", "examples/README.md"]
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_TIME = re.compile(r"\d+\.\d s\b")


def run(command: str) -> str:
    """What a command prints, both streams, the times taken out."""
    words = shlex.split(command)
    assert words[0] == "tflint"
    done = subprocess.run(
        [sys.executable, "-m", "tflint", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    return without_times(done.stdout + done.stderr)


def without_times(text: str) -> str:
    """Text in which every time is the same."""
    return _TIME.sub("0.1 s", text)


def rendered(block: str) -> str:
    """A block with each command followed by what it prints now."""
    commands = [line for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"{command}\n{run(command[2:])}" for command in commands)


def blocks(text: str) -> list[str]:
    """The transcripts of a Markdown text."""
    return _BLOCK.findall(text)


def main() -> None:
    """Write all transcripts anew."""
    for name in FILES:
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        path.write_text(_BLOCK.sub(lambda match: f"```console\n{rendered(match[1])}```", text), encoding="utf-8")


if __name__ == "__main__":
    main()

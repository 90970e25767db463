"""Run the commands in the transcripts of Markdown files, and compare or renew their output: `python -m tests.readme`.

A line `…` in a transcript stands for omitted lines; the remaining lines must match.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = [
    "README.md",
    "examples/README.md",
    "docs/containers.md",
    "docs/contract.md",
    "docs/diff.md",
    "docs/reports.md",
    "docs/show.md",
]
_BLOCK = re.compile(r"^(```+)console\n(.*?)^\1$", re.DOTALL | re.MULTILINE)
_TIME = re.compile(r"\d+\.\d s\b")
_XML_TIME = re.compile(r'\btime="\d+\.\d+"')
_LEFT_OUT = "…\n"


def run(command: str) -> str:
    """Return what a command prints to both streams, without times."""
    words = shlex.split(command)
    assert words[0] == "tflint"
    done = subprocess.run(
        [sys.executable, "-m", "tflint", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    return without_times(done.stdout + done.stderr)


def without_times(text: str) -> str:
    """Replace every time in a text by the same one."""
    return _XML_TIME.sub('time="0.100"', _TIME.sub("0.1 s", text))


def rendered(block: str) -> str:
    """Return a transcript with each command followed by its current output."""
    _, *parts = re.split(r"^\$ (.*)\n", without_times(block), flags=re.MULTILINE)
    return "".join(
        f"$ {command}\n{_shown(run(command), old)}" for command, old in zip(parts[::2], parts[1::2], strict=True)
    )


def _shown(printed: str, old: str) -> str:
    """Return the output of a command, or the previous text if it omits lines and the others still match."""
    kept = old.split(_LEFT_OUT)
    is_true = re.fullmatch("(?:.*\n)*".join(map(re.escape, kept)), printed) is not None
    return old if len(kept) > 1 and is_true else printed


def blocks(text: str) -> list[str]:
    """Return the transcripts of a Markdown text."""
    return [block for _, block in _BLOCK.findall(text)]


def main() -> None:
    """Renew all transcripts."""
    for name in FILES:
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        anew = _BLOCK.sub(lambda match: f"{match[1]}console\n{rendered(match[2])}{match[1]}", text)
        path.write_text(anew, encoding="utf-8")


if __name__ == "__main__":
    main()

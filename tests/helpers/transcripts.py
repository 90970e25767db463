"""The transcripts of the Markdown files: finds their commands, runs them, and compares or renews their output.

`python -m tools.regenerate transcripts` renews them. A line `…` stands for omitted lines, among them the line with the
number of rules, which changes with every rule.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

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


def run(command: str) -> str:
    """Return what a command prints on both streams, with equal times."""
    words = shlex.split(command)
    assert words[0] == "tflint"
    done = subprocess.run(
        [sys.executable, "-m", "tflint", *words[1:]],
        cwd=ROOT,
        env={**os.environ, FOLDER_VARIABLE: "none"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return normalize_output(done.stdout + done.stderr)


def normalize_output(text: str) -> str:
    """Return a text with equal times and without the number of rules."""
    return _RULE_COUNT.sub(_LEFT_OUT, _XML_TIME.sub('time="0.100"', _TIME.sub("0.1 s", text)))


def rendered(block: str) -> str:
    """Return a block with each command followed by its present output."""
    _, *parts = re.split(r"^\$ (.*)\n", normalize_output(block), flags=re.MULTILINE)
    return "".join(
        f"$ {command}\n{_shown(run(command), old)}" for command, old in zip(parts[::2], parts[1::2], strict=True)
    )


def _shown(printed: str, old: str) -> str:
    """Return the output of a command, or the old text if it omits lines and is otherwise still true."""
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

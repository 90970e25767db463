"""How places and numbers are written for people: short tensor names, sizes, counts, no control characters."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tflint.findings import Location

#: A name longer than this loses its first segments.
MAX_NAME = 56
_STEP = re.compile(r"([a-z_]+)\[(\d+)\]")
_NOUNS = {
    "tensors": "tensor",
    "operators": "operator",
    "inputs": "input",
    "outputs": "output",
    "intermediates": "intermediate",
    "buffers": "buffer",
    "signature_defs": "signature",
    "metadata": "metadata entry",
    "operator_codes": "operator code",
    "subgraphs": "subgraph",
    "associated_files": "file",
}


def clean(text: str) -> str:
    """Text with control characters shown as escapes: a model's names must not drive a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def size(n_bytes: int) -> str:
    """A number of bytes, such as 293.5 KiB."""
    if n_bytes < 1024:
        return f"{n_bytes} bytes" if n_bytes != 1 else "1 byte"
    amount = float(n_bytes)
    for unit in ("KiB", "MiB", "GiB"):
        amount /= 1024
        if amount < 1024 or unit == "GiB":
            return f"{amount:.1f} {unit}" if amount < 100 else f"{amount:.0f} {unit}"
    raise AssertionError("GiB ends the loop")


def plural(count: int, noun: str) -> str:
    """A count with its noun, such as 1 tensor, 14 tensors, 2 entries."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun[:-1]}ies" if noun.endswith("y") else f"{count:,} {noun}s"


def noun(location: Location) -> str:
    """What kind of thing a location is: tensor, operator, …"""
    steps = _STEP.findall(location.path)
    last = location.path.rsplit(".", 1)[-1]
    if not steps:
        return _NOUNS.get(last, "place") if last else "file"
    return _NOUNS.get(steps[-1][0], "place")


def shared_prefix(names: Iterable[str]) -> str:
    """The leading segments (ended by a slash) that all names have in common."""
    parts = [short.split("/")[:-1] for short in map(first_segment, names)]
    if len(parts) < 2:
        return ""
    common = []
    for column in zip(*parts, strict=False):
        if len(set(column)) > 1:
            break
        common.append(column[0])
    return "".join(f"{segment}/" for segment in common)


def first_segment(name: str) -> str:
    """A fused tensor's name without the names of what was fused into it."""
    return name.split(";", 1)[0]


def short_name(name: str, prefix: str = "") -> str:
    """A tensor's name as people read it: first `;` segment, shared prefix and very long beginnings cut to `…`."""
    short = first_segment(name)
    if prefix and short.startswith(prefix) and short != prefix:
        short = "…/" + short[len(prefix) :]
    segments = short.split("/")
    while len("/".join(segments)) > MAX_NAME and len(segments) > 2:
        segments = ["…", *segments[2:]] if segments[0] == "…" else ["…", *segments[1:]]
    joined = "/".join(segments)
    return clean(joined if len(joined) <= 2 * MAX_NAME else joined[: 2 * MAX_NAME] + "…")


def place(location: Location, prefix: str = "") -> str:
    """A location in a few words: `#33 …/Conv2D_bias`, `operator 4 CONV_2D`, `signature serving_default`."""
    steps = _STEP.findall(location.path)
    if not steps:
        return clean(" ".join(location.names)) if location.path else ""
    name = short_name(location.names[-1], prefix) if location.names and location.names[-1] else ""
    where = f"subgraph {steps[0][1]} " if steps[0] == ("subgraphs", steps[0][1]) and steps[0][1] != "0" else ""
    kind, index = steps[-1]
    if kind == "tensors":
        return f"{where}#{index} {name}".rstrip()
    words = [f"{_NOUNS.get(step, step)} {number}" for step, number in steps if step != "subgraphs"]
    if kind == "operators" and len(location.names) > 1:
        words.append(clean(location.names[1]))
    return where + " ".join([*words, name]).rstrip() if words else f"subgraph {index} {name}".rstrip()

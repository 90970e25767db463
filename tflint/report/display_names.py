"""Formats locations, names, sizes and counts as text without control characters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tflint.findings import Location

#: Maximum length of a name. In a longer name, leading segments are dropped. If the last segment alone is too long, its
#: beginning is cut off so that `MAX_CUT_NAME` characters remain.
MAX_NAME = 56
MAX_CUT_NAME = 72
#: Maximum length of the name of a custom operator.
MAX_CODE = 40
_STEP = r"([a-z_]+)\[(\d+)\]"
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
    "members": "member",
    "dim_metadata": "dimension",
    "variant_tensors": "variant tensor",
    "external_buffers": "external buffer",
    "external_buffer_groups": "external buffer group",
}
#: Words of rule names that keep their hyphen in a title.
_COMPOUND = r"\b(per|non|zero|float|int) (channel|axis|tensor|finite|16|8)\b"
_LIMITS = (("==", " "), (">=", " ≥ "), ("<=", " ≤ "), ("<", " < "), (">", " > "))


def clean(text: str) -> str:
    """Escape control characters and newlines, so that names in a model cannot control a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def format_title(name: str) -> str:
    """Return the name of a rule as words: `per-channel axis out of range`."""
    return re.sub(_COMPOUND, r"\1-\2", name.replace("-", " "))


def format_runtime(spec: str) -> str:
    """Format a runtime with its versions: `litert 2.3.0`, `litert ≥ 1.1.0`, `tflite ≥ 2.7, < 2.19`."""
    has_bounds = any(sign in spec for sign, _ in _LIMITS)
    return clean(", ".join(map(_format_bound, spec.split(",")))) if has_bounds else clean(spec)


def _format_bound(bound: str) -> str:
    sign, replacement = next(((sign, text) for sign, text in _LIMITS if sign in bound), ("", ""))
    return replacement.join(part.strip() for part in bound.split(sign, 1)).strip() if sign else bound.strip()


def format_size(n_bytes: int) -> str:
    """Format a number of bytes as 293.5 KiB. Amounts of 1,000 or more of a unit have no decimal."""
    if n_bytes < 1024:
        return plural(n_bytes, "byte")
    amount = float(n_bytes)
    for unit in ("KiB", "MiB", "GiB"):
        amount /= 1024
        if amount < 1024 or unit == "GiB":
            return f"{amount:,.1f} {unit}" if amount < 1000 else f"{amount:,.0f} {unit}"
    raise AssertionError("GiB ends the loop")


def plural(count: int, noun: str) -> str:
    """Format a count with its noun: 1 tensor, 14 tensors, 2 entries."""
    if count == 1:
        return f"1 {noun}"
    if noun.endswith("y"):
        return f"{count:,} {noun[:-1]}ies"
    return f"{count:,} {noun}{'es' if noun.endswith(('x', 's', 'sh', 'ch')) else 's'}"


def location_noun(location: Location) -> str:
    """Return the kind of thing at a location, such as tensor or operator, or `file` for the whole file."""
    steps = re.findall(_STEP, location.path)
    last = location.path.rsplit(".", 1)[-1]
    if not steps:
        return _NOUNS.get(last, "place") if last else "file"
    return _NOUNS.get(steps[-1][0], "place")


def shared_prefix(names: Iterable[str]) -> str:
    """Return the leading segments that all names share, with a final slash, or an empty string for a single name."""
    parts = [short.split("/")[:-1] for short in set(map(first_segment, names))]
    if len(parts) < 2:
        return ""
    common = []
    for column in zip(*parts, strict=False):
        if len(set(column)) > 1:
            break
        common.append(column[0])
    return "".join(f"{segment}/" for segment in common)


def first_segment(name: str) -> str:
    """Return a tensor name up to the first `;`. In a fused tensor, the names of the tensors fused into it follow."""
    return name.split(";", 1)[0] or name


def short_name(name: str, prefix: str = "") -> str:
    """Shorten the name of a tensor: keep the part before `;`, and replace `prefix` and a long beginning by `…`."""
    short = first_segment(name)
    if prefix and short.startswith(prefix) and short != prefix:
        short = "…/" + short[len(prefix) :]
    joined = clean(short)
    if len(joined) > MAX_NAME and joined.count("/") > 1:
        begin = joined.find(
            "/", len(joined) - MAX_NAME + 1
        )  # keeps as many segments as fit after "…/", at least the last
        joined = "…" + joined[begin if begin >= 0 else joined.rfind("/") :]
    return joined if len(joined) <= MAX_CUT_NAME else "…" + joined[1 - MAX_CUT_NAME :]


def format_location(location: Location, prefix: str = "") -> str:
    """Format a location briefly: `#33 …/Conv2D_bias`, `operator 4 ADD → sum`, `signature 0 serving_default`."""
    if location.text is not None:
        return f"{clean(location.file)}:{location.text.line}:{location.text.column}"
    name = short_name(location.names[-1], prefix) if location.names and location.names[-1] else ""
    steps = re.findall(_STEP, location.path)
    if not steps:
        return name if location.path else ""
    within = f"subgraph {steps[0][1]} " if steps[0][0] == "subgraphs" and steps[0][1] != "0" else ""
    steps = [step for step in steps if step[0] != "subgraphs"]
    if not steps:
        return f"subgraph {re.findall(_STEP, location.path)[0][1]} {name}".rstrip()
    if steps[-1][0] == "tensors":
        return f"{within}#{steps[-1][1]} {name}".rstrip()
    return within + _format_part(steps, location.names, name)


def _format_part(steps: Sequence[tuple[str, str]], names: Sequence[str], name: str) -> str:
    """Format a location that is not a tensor. An operator is shown with its code and the name of its output."""
    words = [f"{_NOUNS.get(step, step)} {number}" for step, number in steps]
    if steps[0][0] != "operators" or len(names) < 2:
        return " ".join([*words, name]).rstrip()
    code = clean(names[1])
    words[0] += " " + (code if len(code) <= MAX_CODE else code[: MAX_CODE - 1] + "…")
    if len(steps) > 1 or len(names) < 3 or not name:
        return " ".join([*words, name if len(names) > 2 else ""]).rstrip()
    return f"{words[0]} → {name}"

"""Measure the most expensive text files within the limits on size and count, with every command that reads them.

A separate process reads each file, and the kernel counts its CPU time and peak memory. One row per kind of file gives
the largest cost as a share of its limit. To measure only these rows, run `python -m benchmarks --rows 'worst-*'`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.comparisons import TFLINT, Measure, NotAvailableError, Result
from benchmarks.measure import Command, Spread
from benchmarks.models import Workspace
from tests.helpers.models.named import NAMED
from tflint.findings.baseline import MAX_BYTES as MAX_BASELINE_BYTES
from tflint.findings.baseline import MAX_ENTRIES
from tflint.userfiles.userfile import MAX_TEXT_BYTES

MAX_SECONDS = 5.0
MAX_RESIDENT = 1 << 30

Text = Callable[[], str]


def fill_with(piece: str, limit: int = MAX_TEXT_BYTES, before: str = "", after: str = "") -> Text:
    """Repeat a piece up to `limit` bytes of text. `@` in the piece becomes the number of the repetition."""

    def build() -> str:
        pieces, left = [before], limit - len(before) - len(after)
        number = 0
        while (left := left - len(one := piece.replace("@", str(number)))) >= 0:
            pieces.append(one)
            number += 1
        return "".join(pieces) + after

    return build


def repeat(piece: str, n: int, before: str = "", after: str = "") -> Text:
    """Repeat a piece `n` times. `@` in the piece becomes the number of the repetition."""
    return lambda: before + "".join(piece.replace("@", str(number)) for number in range(n)) + after


#: TOML of 1 MB that is slow to read for any kind of file.
_DOTTED = ".".join(["a"] * 30)
SHAPES: dict[str, Text] = {
    "tables": fill_with("[a@]\n"),
    "keys": fill_with("a@=1\n"),
    "dotted keys in dotted tables": fill_with(f"{_DOTTED}.c@=1\n", before=f"[{_DOTTED}]\n"),
    "numbers": fill_with("1,", before="a=[", after="]"),
    "empty lists": fill_with("[],", before="a=[", after="]"),
    "tables of dotted keys": fill_with(f"{{{_DOTTED}=1}},", before="a=[", after="]"),
    "strings": fill_with('"",', before="a=[", after="]"),
    "escapes": fill_with("\\n", before='a="', after='"'),
    "comments": fill_with("#\n"),
    "unterminated string": fill_with('""x', before='a="""'),
}
_ALLOW = '[[allow]]\nrule = "ACME1"\nreason = "known"\nat = "{at}"\n'
CONFIGURATIONS: dict[str, Text] = {
    **SHAPES,
    "select": fill_with("1,", before="select=[", after="]"),
    "targets": fill_with("1,", before="targets=[", after="]"),
    "too many allows": fill_with("[[allow]]\n"),
    "1,000 allows with a wrong key each": repeat("[[allow]]\na=1\n", 1000),
    "1,000 allows with routes": repeat(_ALLOW.replace("{at}", "subgraphs[0].tensors[9@]"), 1000),
    "1,000 allows, 100 with globs": lambda: (
        repeat(_ALLOW.replace("{at}", "*x@*y*"), 100)()
        + repeat(_ALLOW.replace("{at}", "subgraphs[0].tensors[9@]"), 900)()
    ),
    "100 allows with long globs": repeat(_ALLOW.replace("{at}", "*@" + "?*" * 39), 100),
    "100 allows with sets": repeat(_ALLOW.replace("{at}", "?[b-z@]" * 38), 100),
    "100 allows with long sets": repeat(_ALLOW.replace("{at}", f"?[{'bcd' * 1300}@]"), 100),
    "100 allows with question marks": repeat(_ALLOW.replace("{at}", "?" * 3900 + "@"), 100),
    "an allow with too many stars": fill_with("*?", before=_ALLOW.split("{at}")[0], after='"\n'),
    "1,000 per-file-ignores with globs": repeat('"**/a@/**/*.tflite" = ["Q"]\n', 1000, "[per-file-ignores]\n"),
    "1,000 per-file-ignores with 100 rules": repeat('"*@" = [' + "'M'," * 190 + "]\n", 1000, "[per-file-ignores]\n"),
    "1,000 per-file-ignores with long globs": repeat(f'"*@{"?*" * 39}" = ["Q"]\n', 1000, "[per-file-ignores]\n"),
    "1,000 excludes": repeat('"**/a@/**/**/b*c*/**",', 1000, "exclude = [", "]"),
    "1,000 severities": repeat("a@ = 'error'\n", 1000, "[severity]\n"),
}
_INPUT = '[[inputs]]\nindex = @\nkind = "raw"\n'
CONTRACTS: dict[str, Text] = {
    **SHAPES,
    "too many inputs": fill_with("[[inputs]]\n"),
    "1,000 inputs with wrong keys": repeat("[[inputs]]\n" + "".join(f"a{key}=1\n" for key in range(130)), 1000),
    "1,000 inputs": repeat(_INPUT, 1000),
    "1,000 inputs of 200 numbers": repeat(f'{_INPUT}units = "u8"\nstd = 1\nmean = [{"1.5," * 200}]\n', 1000),
    "1,000 entries for one input": repeat(_INPUT.replace("@", "0"), 1000),
    "65,536 columns": repeat("{name='a'},", 65536, '[[inputs]]\nkind="tabular"\ncolumns=[', "]"),
    "65,536 wrong columns": repeat("{},", 65536, '[[inputs]]\nkind="tabular"\ncolumns=[', "]"),
    "65,536 special tokens": repeat("a@=1\n", 65536, '[[inputs]]\nkind="tokens"\n[inputs.tokens.special]\n'),
    "100 allows with globs": repeat(_ALLOW.replace("{at}", "*x@*y*").replace("ACME1", "M002"), 100),
    "too many allows with globs": repeat(_ALLOW.replace("{at}", "*x@*y*").replace("ACME1", "M002"), 1000),
}
_RULE = (
    '[[rule]]\nid="ACME@"\nname="acme-@"\nseverity="error"\nfor-each="tensor"\nrequire="{require}"\n'
    'message="{message}"\nsummary="abc"\nwhy="abc"\nfix="abc"\n'
)
_ONE_RULE = _RULE.replace("@", "1").replace("{require}", "rank < 99").replace("{message}", "abc")
_EXAMPLES = _RULE.replace("{require}", "rank < 99").replace("{message}", "abc") + 100 * (
    '[[rule.valid]]\nmodel="wide_int8"\nedit={"tensors[0].shape"=[' + "1," * 1000 + "1]}\n"
)
RULES: dict[str, Text] = {
    **SHAPES,
    "too many rules": fill_with("[[rule]]\n"),
    "1,000 rules": repeat(_RULE.replace("{require}", "rank < 99").replace("{message}", "abc"), 1000),
    "1,000 rules with long conditions": repeat(
        _RULE.replace("{require}", " and ".join(["rank < 99"] * 60)).replace("{message}", "abc"), 1000
    ),
    "1,000 rules with long messages": repeat(
        _RULE.replace("{require}", "rank < 99").replace("{message}", "{name}" * 20), 1000
    ),
    "a condition of 1 MB": fill_with("rank < 99 and ", before=_ONE_RULE + 'where="', after='rank < 99"\n'),
    "too many examples": fill_with("[[rule.valid]]\n", before=_ONE_RULE),
    "100 examples": repeat('[[rule.valid]]\nmodel="conv_int8"\n', 100, _ONE_RULE),
    "200 edited examples": repeat(_EXAMPLES, 2),
    "too many examples to run": repeat(_EXAMPLES, 3),
    "a large table of constants": fill_with("a@=1\n", before=_ONE_RULE + "[tables.a]\n"),
}
_FILES = '{"schema_version": 1, "files": {'
BASELINES: dict[str, Text] = {
    "700,000 findings": lambda: json.dumps(
        {"schema_version": 1, "files": {f"m{k}": {f"{k * 1000 + i:032x}": 1 for i in range(1000)} for k in range(700)}},
        indent=2,
    ),
    "wrong counts": repeat('"@":0,', MAX_ENTRIES - 10, _FILES + '"a": {', '"a": 1}}}'),
    "100,000 files": repeat('"@":{},', 99_999, _FILES, '"a": {}}}'),
    "too many files": repeat('"@":{"0":1},', 490_000, _FILES, '"a": {}}}'),
    "empty tables": fill_with("{},", MAX_BASELINE_BYTES, "[", "0]"),
    "the maximum of empty tables": repeat('{"":0},', MAX_ENTRIES - 10, "[", "0]"),
    "long names": repeat('"éééééééééééé@",', MAX_ENTRIES - 10, "[", '"😀"]'),
    "spaces": fill_with(" ", MAX_BASELINE_BYTES - 10),
    "digits": fill_with("1", MAX_BASELINE_BYTES, "[", "]"),
    "brackets": repeat("[", MAX_ENTRIES),
}
METADATA: dict[str, Text] = {
    "labels": repeat('"@": "a@",', 200_000, '{"id2label": {', '"x": "y"}}'),
    "lists": fill_with("[],", 4 << 20, '{"image_mean": [', "0]}"),
    "numbers": fill_with("1,", 4 << 20, '{"image_mean": [', "0]}"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its worst texts, its file name, and the commands that read it.

    In a command, `F` is the file, `M` a small model, and `N` a model of 60,000 tensors.
    """

    texts: dict[str, Text]
    name: str
    commands: Sequence[tuple[str, ...]]


KINDS = {
    "config": Kind(
        CONFIGURATIONS,
        "worst.toml",
        (
            ("check", "M", "--config", "F"),
            ("check", "N", "--rules", "all.toml", "--config", "F"),
            ("allow", "M002", "M", "--reason", "known", "--config", "F"),
        ),
    ),
    "contract": Kind(
        CONTRACTS,
        "small.contract.toml",
        (
            ("check", "M"),
            ("contract", "check", "F"),
            ("contract", "show", "M"),
            ("contract", "init", "M", "--force"),
            ("contract", "import", "--from", "huggingface", "preprocessor.json", "--into", "F", "--input", "0"),
        ),
    ),
    "rules": Kind(
        RULES,
        "worst.toml",
        (
            ("check", "M", "--rules", "F"),
            ("rules", "check", "F"),
            ("rules", "test", "F"),
            ("explain", "ACME1", "--rules", "F"),
        ),
    ),
    "baseline": Kind(BASELINES, "worst.json", (("check", "M", "--baseline", "F"),)),
    "imported": Kind(
        METADATA, "worst.json", (("contract", "import", "--from", "huggingface", "F", "--into", "draft.contract.toml"),)
    ),
}
_SIZES = {"config": MAX_TEXT_BYTES, "contract": MAX_TEXT_BYTES, "rules": MAX_TEXT_BYTES, "baseline": MAX_BASELINE_BYTES}
_ALL_TENSORS = (
    _RULE.replace("@", "1").replace("acme-1", "acme-all").replace("{require}", "rank < 0").replace("{message}", "abc")
)
_PREPROCESSOR = '{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_normalize": true}'


@dataclass(frozen=True, slots=True)
class Cost:
    """The costs of a process: its CPU time in seconds and its peak resident memory in bytes."""

    seconds: float
    resident: int
    what: str

    @property
    def share(self) -> float:
        """The larger share of the limits on time and memory."""
        return max(self.seconds / MAX_SECONDS, self.resident / MAX_RESIDENT)


def worst(kind: str) -> Measure:
    """Measure the largest cost over all commands and texts of a kind, as a share of its limit."""

    def measure(workspace: Workspace, runs: int) -> Result:
        if not hasattr(os, "wait4"):
            raise NotAvailableError("the system has no os.wait4")
        costs = [max(costs_of(kind, workspace), key=lambda cost: cost.share) for _ in range(runs)]
        largest = max(costs, key=lambda cost: cost.share)
        description = f"{largest.seconds:.1f} s, {largest.resident / 1e6:.0f} MB: {largest.what}"
        return Result(Spread.of([cost.share for cost in costs]), description)

    return measure


def costs_of(kind: str, workspace: Workspace) -> list[Cost]:
    """Return the cost of each command with each text of a kind."""
    folder = workspace.folder / "worst" / kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.tflite").write_bytes(NAMED["conv_int8"]())
    (folder / "all.toml").write_text(_ALL_TENSORS, encoding="utf-8")
    (folder / "preprocessor.json").write_text(_PREPROCESSOR, encoding="utf-8")
    costs, chosen = [], KINDS[kind]
    names = {"M": "small.tflite", "N": str(workspace.many_tensors()), "F": chosen.name}
    for name, build in chosen.texts.items():
        text = build()
        assert len(text.encode()) <= _SIZES.get(kind, 4 << 20), f"'{name}' exceeds the size limit"
        for command in chosen.commands:
            (folder / chosen.name).write_text(text, encoding="utf-8")  # a command may have changed the file
            costs.append(cost_of([names.get(word, word) for word in command], f"{' '.join(command[:2])}, {name}",
                                 folder, workspace))  # fmt: skip
    return costs


def cost_of(arguments: Sequence[str], what: str, folder: Path, workspace: Workspace) -> Cost:
    """Return the cost of a process of tflint. Raises RuntimeError if it crashes or exits with an unexpected code."""
    output = Command(("-c", _MEASURER, sys.executable, *TFLINT, *arguments)).run(folder, workspace.environment)
    seconds, resident, code, printed = json.loads(output)
    if code not in (0, 1, 2) or "Traceback" in printed:
        raise RuntimeError(f"{what} ended with {code}: {printed}")
    cost = Cost(seconds, resident, what)
    if os.environ.get("WORST_LINES"):
        print(f"{cost.share:5.2f} {seconds:6.2f} s {resident >> 20:5} MiB {what}: {printed[:100]!r}", flush=True)
    return cost


#: Code of a small process that starts the measured process. The measured peak includes the memory of the parent at the
#: fork, so the parent must be small.
_MEASURER = """
import json, os, subprocess, sys, tempfile
with tempfile.TemporaryFile() as output:
    process = subprocess.Popen(sys.argv[1:], stdout=output, stderr=output)
    _, status, usage = os.wait4(process.pid, 0)
    output.seek(max(0, output.tell() - 4000))
    end = output.read().decode(errors="replace")
unit = 1 if sys.platform == "darwin" else 1024
print(json.dumps([usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit, os.waitstatus_to_exitcode(status), end]))
"""

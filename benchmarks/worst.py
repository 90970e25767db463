"""The worst text files up to the limits on size and count, for every command that reads such files.

Each file is read by a process of its own, whose processor time and peak of memory the kernel counts. A row per kind of
file gives the largest cost as a share of its limit: `python -m benchmarks --rows 'worst-*'`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.comparisons import TFLINT, Measure, NotHereError, Result
from benchmarks.measure import Command, Spread
from benchmarks.models import Workshop
from tests.helpers.models.named import NAMED
from tflint.findings.baseline import MAX_BYTES as MAX_BASELINE_BYTES
from tflint.findings.baseline import MAX_ENTRIES
from tflint.userfiles.userfile import MAX_TEXT_BYTES

MAX_SECONDS = 5.0
MAX_RESIDENT = 1 << 30

Text = Callable[[], str]


def repeated(piece: str, limit: int = MAX_TEXT_BYTES, before: str = "", after: str = "") -> Text:
    """A text of at most `limit` bytes: a piece again and again, with its number for @."""

    def build() -> str:
        pieces, left = [before], limit - len(before) - len(after)
        number = 0
        while (left := left - len(one := piece.replace("@", str(number)))) >= 0:
            pieces.append(one)
            number += 1
        return "".join(pieces) + after

    return build


def counted(piece: str, n: int, before: str = "", after: str = "") -> Text:
    """A piece `n` times, with its number for @."""
    return lambda: before + "".join(piece.replace("@", str(number)) for number in range(n)) + after


#: TOML of 1 MB that is slow to read, whatever it is for.
_DOTTED = ".".join(["a"] * 30)
SHAPES: dict[str, Text] = {
    "tables": repeated("[a@]\n"),
    "keys": repeated("a@=1\n"),
    "dotted keys in dotted tables": repeated(f"{_DOTTED}.c@=1\n", before=f"[{_DOTTED}]\n"),
    "numbers": repeated("1,", before="a=[", after="]"),
    "empty lists": repeated("[],", before="a=[", after="]"),
    "tables of dotted keys": repeated(f"{{{_DOTTED}=1}},", before="a=[", after="]"),
    "strings": repeated('"",', before="a=[", after="]"),
    "escapes": repeated("\\n", before='a="', after='"'),
    "comments": repeated("#\n"),
    "no end": repeated('""x', before='a="""'),
}
_ALLOW = '[[allow]]\nrule = "ACME1"\nreason = "known"\nat = "{at}"\n'
CONFIGURATIONS: dict[str, Text] = {
    **SHAPES,
    "select": repeated("1,", before="select=[", after="]"),
    "targets": repeated("1,", before="targets=[", after="]"),
    "too many allows": repeated("[[allow]]\n"),
    "1,000 allows with a wrong key each": counted("[[allow]]\na=1\n", 1000),
    "1,000 allows of routes": counted(_ALLOW.replace("{at}", "subgraphs[0].tensors[9@]"), 1000),
    "1,000 allows, 100 of globs": lambda: (
        counted(_ALLOW.replace("{at}", "*x@*y*"), 100)()
        + counted(_ALLOW.replace("{at}", "subgraphs[0].tensors[9@]"), 900)()
    ),
    "100 allows of long globs": counted(_ALLOW.replace("{at}", "*@" + "?*" * 39), 100),
    "100 allows of sets": counted(_ALLOW.replace("{at}", "?[b-z@]" * 38), 100),
    "100 allows of long sets": counted(_ALLOW.replace("{at}", f"?[{'bcd' * 1300}@]"), 100),
    "100 allows of question marks": counted(_ALLOW.replace("{at}", "?" * 3900 + "@"), 100),
    "an allow of too many stars": repeated("*?", before=_ALLOW.split("{at}")[0], after='"\n'),
    "1,000 per-file-ignores of globs": counted('"**/a@/**/*.tflite" = ["Q"]\n', 1000, "[per-file-ignores]\n"),
    "1,000 per-file-ignores of 100 rules": counted('"*@" = [' + "'M'," * 190 + "]\n", 1000, "[per-file-ignores]\n"),
    "1,000 per-file-ignores of long globs": counted(f'"*@{"?*" * 39}" = ["Q"]\n', 1000, "[per-file-ignores]\n"),
    "1,000 excludes": counted('"**/a@/**/**/b*c*/**",', 1000, "exclude = [", "]"),
    "1,000 severities": counted("a@ = 'error'\n", 1000, "[severity]\n"),
}
_INPUT = '[[inputs]]\nindex = @\nkind = "raw"\n'
CONTRACTS: dict[str, Text] = {
    **SHAPES,
    "too many inputs": repeated("[[inputs]]\n"),
    "1,000 inputs with wrong keys": counted("[[inputs]]\n" + "".join(f"a{key}=1\n" for key in range(130)), 1000),
    "1,000 inputs": counted(_INPUT, 1000),
    "1,000 inputs of 200 numbers": counted(f'{_INPUT}units = "u8"\nstd = 1\nmean = [{"1.5," * 200}]\n', 1000),
    "1,000 inputs that are found twice": counted(_INPUT.replace("@", "0"), 1000),
    "65,536 columns": counted("{name='a'},", 65536, '[[inputs]]\nkind="tabular"\ncolumns=[', "]"),
    "65,536 wrong columns": counted("{},", 65536, '[[inputs]]\nkind="tabular"\ncolumns=[', "]"),
    "65,536 special tokens": counted("a@=1\n", 65536, '[[inputs]]\nkind="tokens"\n[inputs.tokens.special]\n'),
    "100 allows of globs": counted(_ALLOW.replace("{at}", "*x@*y*").replace("ACME1", "M002"), 100),
    "too many allows of globs": counted(_ALLOW.replace("{at}", "*x@*y*").replace("ACME1", "M002"), 1000),
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
    "too many rules": repeated("[[rule]]\n"),
    "1,000 rules": counted(_RULE.replace("{require}", "rank < 99").replace("{message}", "abc"), 1000),
    "1,000 rules of long conditions": counted(
        _RULE.replace("{require}", " and ".join(["rank < 99"] * 60)).replace("{message}", "abc"), 1000
    ),
    "1,000 rules of long messages": counted(
        _RULE.replace("{require}", "rank < 99").replace("{message}", "{name}" * 20), 1000
    ),
    "a condition of 1 MB": repeated("rank < 99 and ", before=_ONE_RULE + 'where="', after='rank < 99"\n'),
    "too many examples": repeated("[[rule.valid]]\n", before=_ONE_RULE),
    "100 examples": counted('[[rule.valid]]\nmodel="conv_int8"\n', 100, _ONE_RULE),
    "200 edited examples": counted(_EXAMPLES, 2),
    "too many examples to run": counted(_EXAMPLES, 3),
    "a large table of constants": repeated("a@=1\n", before=_ONE_RULE + "[tables.a]\n"),
}
_FILES = '{"schema_version": 1, "files": {'
BASELINES: dict[str, Text] = {
    "700,000 findings": lambda: json.dumps(
        {"schema_version": 1, "files": {f"m{k}": {f"{k * 1000 + i:032x}": 1 for i in range(1000)} for k in range(700)}},
        indent=2,
    ),
    "wrong counts": counted('"@":0,', MAX_ENTRIES - 10, _FILES + '"a": {', '"a": 1}}}'),
    "100,000 files": counted('"@":{},', 99_999, _FILES, '"a": {}}}'),
    "too many files": counted('"@":{"0":1},', 490_000, _FILES, '"a": {}}}'),
    "empty tables": repeated("{},", MAX_BASELINE_BYTES, "[", "0]"),
    "as many empty tables as are read": counted('{"":0},', MAX_ENTRIES - 10, "[", "0]"),
    "long names": counted('"éééééééééééé@",', MAX_ENTRIES - 10, "[", '"😀"]'),
    "spaces": repeated(" ", MAX_BASELINE_BYTES - 10),
    "digits": repeated("1", MAX_BASELINE_BYTES, "[", "]"),
    "brackets": counted("[", MAX_ENTRIES),
}
METADATA: dict[str, Text] = {
    "labels": counted('"@": "a@",', 200_000, '{"id2label": {', '"x": "y"}}'),
    "lists": repeated("[],", 4 << 20, '{"image_mean": [', "0]}"),
    "numbers": repeated("1,", 4 << 20, '{"image_mean": [', "0]}"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: its worst texts, the name it is written under, and the commands that read it.

    In a command `F` is the file, `M` a small model, `N` one of 60,000 tensors.
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
    """What a process took: processor seconds and resident bytes at its peak."""

    seconds: float
    resident: int
    what: str

    @property
    def share(self) -> float:
        """The larger of both shares of a limit: of time and of memory."""
        return max(self.seconds / MAX_SECONDS, self.resident / MAX_RESIDENT)


def worst(kind: str) -> Measure:
    """The largest cost of a command that reads one of the texts, as a share of its limit."""

    def measure(workshop: Workshop, runs: int) -> Result:
        if not hasattr(os, "wait4"):
            raise NotHereError("the system does not say what a process took")
        costs = [max(costs_of(kind, workshop), key=lambda cost: cost.share) for _ in range(runs)]
        largest = max(costs, key=lambda cost: cost.share)
        shown = f"{largest.seconds:.1f} s, {largest.resident / 1e6:.0f} MB: {largest.what}"
        return Result(Spread.of([cost.share for cost in costs]), shown)

    return measure


def costs_of(kind: str, workshop: Workshop) -> list[Cost]:
    """What each command takes with each text of a kind."""
    folder = workshop.folder / "worst" / kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.tflite").write_bytes(NAMED["conv_int8"]())
    (folder / "all.toml").write_text(_ALL_TENSORS, encoding="utf-8")
    (folder / "preprocessor.json").write_text(_PREPROCESSOR, encoding="utf-8")
    found, chosen = [], KINDS[kind]
    names = {"M": "small.tflite", "N": str(workshop.many_tensors()), "F": chosen.name}
    for name, build in chosen.texts.items():
        text = build()
        assert len(text.encode()) <= _SIZES.get(kind, 4 << 20), f"'{name}' is refused by its size"
        for command in chosen.commands:
            (folder / chosen.name).write_text(text, encoding="utf-8")  # a command may have changed it
            found.append(cost_of([names.get(word, word) for word in command], f"{' '.join(command[:2])}, {name}",
                                 folder, workshop))  # fmt: skip
    return found


def cost_of(arguments: Sequence[str], what: str, folder: Path, workshop: Workshop) -> Cost:
    """What a process of tflint takes; RuntimeError if it ends otherwise than with a report or a plain error."""
    measured = Command(("-c", _MEASURER, sys.executable, *TFLINT, *arguments)).run(folder, workshop.environment)
    seconds, resident, code, said = json.loads(measured)
    if code not in (0, 1, 2) or "Traceback" in said:
        raise RuntimeError(f"{what} ended with {code}: {said}")
    cost = Cost(seconds, resident, what)
    if os.environ.get("WORST_LINES"):
        print(f"{cost.share:5.2f} {seconds:6.2f} s {resident >> 20:5} MiB {what}: {said[:100]!r}", flush=True)
    return cost


#: A small process between this one and the measured one: the kernel counts the memory of the process that forks, too.
_MEASURER = """
import json, os, subprocess, sys, tempfile
with tempfile.TemporaryFile() as said:
    process = subprocess.Popen(sys.argv[1:], stdout=said, stderr=said)
    _, status, usage = os.wait4(process.pid, 0)
    said.seek(max(0, said.tell() - 4000))
    end = said.read().decode(errors="replace")
unit = 1 if sys.platform == "darwin" else 1024
print(json.dumps([usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit, os.waitstatus_to_exitcode(status), end]))
"""

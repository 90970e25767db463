"""Seeds for fuzzing: the named models, a few larger ones, users' texts, and inputs kept from earlier runs."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from flatbuffers import flexbuffers as official

from tests.fuzz.places import places_of
from tests.fuzz.texts import KINDS
from tests.helpers.models.large import hub_model, shared_reference_bomb, shared_vector_bomb
from tests.helpers.models.named import CONTAINERS, NAMED
from tests.helpers.paths import ROOT

FOLDER = Path(__file__).parent
KEPT = ("corpus", "crashers")
#: A larger bundle is no better a beginning.
MAX_CONTAINER_BYTES = 16 * 1024
#: Longer texts are no better beginnings, and cost in proportion.
MAX_SEED_CHARACTERS = 2500


@functools.cache
def models() -> tuple[bytes, ...]:
    """Return the readable models; mutations copy parts of them."""
    built = (build() for build in (*NAMED.values(), lambda: hub_model(20)))
    return tuple(content for content in built if places_of(content) is not None)


@functools.cache
def inputs() -> tuple[bytes, ...]:
    """Return all seeds of the model targets."""
    built = [build() for build in NAMED.values()] + [shared_reference_bomb(300), shared_vector_bomb(300)]
    return (*models(), *built, *kept().values())


@functools.cache
def flexbuffers() -> tuple[bytes, ...]:
    """Return FlexBuffers of every kind of value, written by the official package."""
    values = [None, True, -7, 2**40, 1.5, "text", b"\0\1" * 40, [1, 2, 300], [1.5, 2.5], ["a", "b"], [[1], {"k": [2]}],
              {"name": "x", "sizes": [1, 2], "inner": {"flag": True, "rate": 0.25}}]  # fmt: skip
    return tuple(bytes(official.Dumps(value)) for value in values)


@functools.cache
def containers() -> tuple[bytes, ...]:
    """Return the named bundles that are small enough."""
    return tuple(content for build in CONTAINERS.values() if len(content := build()) <= MAX_CONTAINER_BYTES)


@functools.cache
def texts() -> tuple[bytes, ...]:
    """Return configurations, contracts, rules, baselines and globs, each after the byte that selects its kind."""
    kinds = {"config": _configurations(), "contract": _contracts(), "rule": _rules(), "baseline": _BASELINES,
             "glob": _GLOBS}  # fmt: skip
    return tuple(
        bytes([KINDS.index(kind)]) + text.encode()
        for kind, found in kinds.items()
        for text in dict.fromkeys(found)
        if len(text) <= MAX_SEED_CHARACTERS
    )


def _configurations() -> list[str]:
    from benchmarks.models import CONFIG
    from tests.helpers.configurations import FULL

    blocks = [block for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) for block in _toml_in(path)]
    return [CONFIG, FULL, _TARGETS, "[tool.tflint]\nselect = []\n", *blocks]


_TARGETS = """
[targets.phone]
runtime = "litert==2.3.0"
flex = true
custom-ops = ["a"]
[metadata]
require = ["labels"]
"""


def _toml_in(path: Path) -> list[str]:
    return re.findall(r"```toml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def _contracts() -> list[str]:
    files = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "examples").rglob("*.contract.toml"))]
    rules = (path.read_text(encoding="utf-8") for path in sorted((ROOT / "rules").glob("*/*.toml")))
    return [*files, *(text for rule in rules for text in re.findall(r"contract *= *'''\n(.*?)'''", rule, re.DOTALL))]


def _rules() -> list[str]:
    """Return the built-in rules without their examples, with an id that users may use."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "rules").glob("*/*.toml"))]
    heads = [text.split("[[rule.")[0] for text in texts]
    examples = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "examples").rglob("rules/*.toml"))]
    return [re.sub(r'^(id *= *")[^"]*', r"\1ACME001", head, flags=re.MULTILINE) for head in heads] + examples


_HASH = "0123456789abcdef" * 2
_BASELINES = (
    '{"schema_version": 1, "files": {}}\n',
    f'{{\n  "schema_version": 1,\n  "files": {{\n    "a/m.tflite": {{\n      "{_HASH}": 1\n    }}\n  }}\n}}\n',
    f'{{"schema_version": 1, "files": {{"b.task!/m.tflite": {{"{_HASH}": 12}}, "c": {{}}}}}}',
    f'{{"schema_version": 2, "files": {{"m.tflite": {{"{_HASH}": {{"rule": "Q001", "message": "m", "count": 2}}}}}}}}',
)
#: A pattern and, on the other lines, paths and places.
_GLOBS = (
    "**/*.tflite\na/b/m.tflite\nm.tflite", "models/**\nmodels/a\nmodels", "*.task\nbundle.task!/m.tflite",
    "**/a/**/b?/*\na/b1/c", "subgraphs[0].tensors[3]\nsubgraphs[0].tensors[3]", "*x*y[a-c]?\nxyb1", "./a/\na/b",
)  # fmt: skip


def write(folder: Path, contents: Iterable[bytes]) -> None:
    """Write seeds to a folder, each named by its checksum."""
    for content in contents:
        (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)


def kept() -> dict[str, bytes]:
    """Return the inputs kept from earlier runs, by path relative to this folder."""
    files = (path for place in KEPT for path in sorted((FOLDER / place).rglob("*")) if path.is_file())
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in files}

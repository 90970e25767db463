"""Properties of user-written texts: each is valid data, or gives a printable error that names the place.

The first byte of an input selects the kind of text: configuration, contract, rule file, baseline or glob.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from tests.fuzz.properties import within_budget
from tflint import wildcards
from tflint.catalog import rule_compiler as rule_compiler
from tflint.config.config_edit import add_allow
from tflint.config.config_loader import parse_config
from tflint.contract import parse_contract
from tflint.errors import UserError
from tflint.findings import baseline, path_globs
from tflint.findings.location_globs import FirstGlob
from tflint.findings.path_globs import covers
from tflint.userfiles.toml_positions import MAX_DEPTH, locate
from tflint.userfiles.userfile import decode_text, load_toml

#: What the first byte of an input chooses.
KINDS = ("config", "contract", "rule", "baseline", "glob")
#: Processor seconds that one input may cost, in instrumented code.
MAX_SECONDS = 2.0
#: Most characters of an error: a message, a source line with its marks, and a hint.
MAX_ERROR = 4000
#: What repeats the reading is done with one input in so many, chosen by its checksum.
THOROUGH_ONE_IN = 16

#: Where nothing lies: paths in a configuration lead to no file.
FOLDER = Path("/nonexistent/tflint")
_ALLOW = {"rule": "Q001", "at": 'a "b"\\', "reason": "known"}


def text(content: bytes) -> int:
    """Require that a text is data or gives a good error within the budget, and the same twice."""
    kind, rest = KINDS[content[0] % len(KINDS)] if content else "config", content[1:]
    with within_budget(1, MAX_SECONDS):
        first = _outcome(kind, rest)
    if zlib.crc32(content) % THOROUGH_ONE_IN == 0:
        assert repr(first) == repr(_outcome(kind, rest)), "a second run says something else"
    return 1


def _outcome(kind: str, content: bytes) -> object:
    path = PATHS[kind]
    try:
        return READERS[kind](decode_text(path, content), path)
    except UserError as error:
        _require_good(error, path)
        return str(error)


def is_data(content: bytes) -> bool:
    """Return whether the text of an input is valid data."""
    return not isinstance(_outcome(KINDS[content[0] % len(KINDS)], content[1:]), str)


def _require_good(error: UserError, path: str) -> None:
    assert error.place is not None, f"does not say which file: {error}"
    assert error.place.path == path
    assert error.message
    said = str(error)
    assert len(said) <= MAX_ERROR, f"{len(said)} characters"
    odd = {char for char in said if not char.isprintable() and char not in "\n\t"}
    assert not odd, f"cannot be printed: {odd}"
    assert "\n" not in error.message + error.hint, "a message has several lines"


def _configuration(text: str, path: str) -> object:
    config = parse_config(text, Path(path))
    assert parse_config(add_allow(path, text, _ALLOW), Path(path)).allow[-1].at == _ALLOW["at"]
    return config


def _contract(text: str, path: str) -> object:
    contract = parse_contract(text, path)
    _require_places(text, contract.data)
    return contract


def _rule_file(text: str, path: str) -> object:
    with mock.patch.object(rule_compiler, "read_text", lambda _path: text):
        return rule_compiler.compile_file(Path(path), builtin=False)


def _baseline(text: str, path: str) -> object:
    return baseline.parse_baseline(text, path)


def _glob(text: str, path: str) -> object:
    pattern, *places = text.split("\n")
    for cached in (wildcards.matcher, covers, path_globs._split_runs):
        cached.cache_clear()  # a run has a thousand patterns, fuzzing a million
    found = FirstGlob([(0, pattern)])
    return [(covers(place, pattern, is_member=True), found.find((place,))) for place in places[:20]]


READERS: dict[str, Callable[[str, str], object]] = {
    "config": _configuration,
    "contract": _contract,
    "rule": _rule_file,
    "baseline": _baseline,
    "glob": _glob,
}
PATHS = {kind: (FOLDER / name).as_posix() for kind, name in
         {"config": "tflint.toml", "contract": "m.contract.toml", "rule": "r.toml", "baseline": "b.json",
          "glob": "glob"}.items()}  # fmt: skip


def _require_places(text: str, data: Any) -> None:
    """Require that `locate` finds every value of a valid TOML text."""
    spans = locate(text)
    assert load_toml("", text) == data
    for keys in _paths(data, ()):
        assert keys in spans or len(keys) > MAX_DEPTH, f"{keys} has no place"


def _paths(data: Any, keys: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield (*keys, key)
        yield from _paths(value, (*keys, key))

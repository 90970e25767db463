"""Test globs for paths, locations and the command line: what they match, and that matching time is bounded."""

from __future__ import annotations

import fnmatch
import functools
import glob
import itertools
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tflint.findings.path_globs import MEMBER, covers, matches
from tflint.source.glob_expansion import expand_glob
from tflint.source.model_search import select
from tflint.wildcards import text_matches

# --- what they match --------------------------------------------------------------------------------------------------


@functools.cache
def expression(pattern: str) -> re.Pattern[str]:
    """The meaning of a glob as a regular expression: simple, and exponential."""
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    tokens = re.findall(r"\*\*/|\*\*|.", pattern, re.DOTALL)
    return re.compile("".join(parts.get(token, re.escape(token)) for token in tokens), re.DOTALL)


def expected(path: str, pattern: str) -> bool:
    if "/" not in pattern:
        return expression(pattern).fullmatch(path.rsplit("/", 1)[-1]) is not None
    whole = pattern.removeprefix("./").rstrip("/")
    return any(expression(each).fullmatch(path) for each in (whole, f"{whole}/**"))


def expected_cover(path: str, pattern: str) -> bool:
    container, mark, _ = path.rpartition(MEMBER)
    return expected(path, pattern) or (bool(mark) and expected_cover(container, pattern))


def has_stars_in_a_segment(pattern: str) -> bool:
    """Whether `**` is a part of a segment: it does not cross folders there, but did as a regular expression."""
    return "/" in pattern and any("**" in segment and segment != "**" for segment in pattern.split("/"))


def test_every_short_glob_matches_as_its_regular_expression() -> None:
    paths = ["".join(letters) for n in range(5) for letters in itertools.product("a/b", repeat=n)]
    patterns = ["".join(letters) for n in range(5) for letters in itertools.product("a/*?", repeat=n)]
    compared = [pattern for pattern in patterns if not has_stars_in_a_segment(pattern)]
    assert len(compared) > 300
    for path, pattern in itertools.product(paths, compared):
        assert matches(path, pattern) is expected(path, pattern), (path, pattern)


def test_random_globs_match_as_their_regular_expressions() -> None:
    chance = random.Random(7)
    n_matches = 0
    for _ in range(20_000):
        pattern = "".join(
            chance.choices(["a", "b", "*", "**/", "/", "/**", "?", "!", "!/", "./", "["], k=chance.randint(1, 5))
        )
        path = "".join(chance.choices(["a", "b", "ab", "/", "!/", "!", ".", "\n"], k=chance.randint(1, 6)))
        if has_stars_in_a_segment(pattern):
            continue
        assert matches(path, pattern) is expected(path, pattern), (path, pattern)
        assert covers(path, pattern, is_member=MEMBER in path) is expected_cover(path, pattern), (path, pattern)
        n_matches += expected_cover(path, pattern)
    assert n_matches > 500


@pytest.mark.parametrize(
    ("path", "pattern", "is_match"),
    [
        ("m/axb", "m/a**b", True),
        ("m/ax/yb", "m/a**b", False),
        ("m/a/b", "m/a**/b", True),
        ("m/a/x/b", "m/a**/b", False),
        ("m/x/y/b", "m/***/b", False),
    ],
)
def test_two_stars_within_a_segment_are_one(path: str, pattern: str, is_match: bool) -> None:
    assert matches(path, pattern) is is_match


def test_random_patterns_of_texts_match_as_fnmatch_does() -> None:
    chance = random.Random(8)
    for _ in range(20_000):
        pattern = "".join(chance.choices("a*?[]!-^b", k=chance.randint(0, 9)))
        text = "".join(chance.choices("ab[]!-\n", k=chance.randint(0, 9)))
        assert text_matches(text, pattern) is fnmatch.fnmatchcase(text, pattern), (text, pattern)


def test_globs_of_the_command_line_match_as_those_of_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a/b/m.t", "a/a/a/m.t", "ab/.h/m.t", "[x]/m.t", ".h/b/m.t", "m.t", "b/n"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    segments = ["a", "*", "**", "a?", "[ab]", "[", "m.t", ".*", "[!a]*"]
    for n in (1, 2, 3):
        for parts in itertools.product(segments, repeat=n):
            for prefix, suffix in itertools.product(("", "./", f"{tmp_path}/"), ("", "/")):
                pattern = prefix + "/".join(parts) + suffix
                if glob.has_magic(pattern):
                    found = glob.glob(pattern, recursive=True)  # noqa: PTH207 (Path.glob matches otherwise)
                    by_python = {Path(path) for path in found if os.path.lexists(path)}
                    assert {Path(path) for path in expand_glob(pattern, {})} == by_python, pattern


# --- what strangers may write -----------------------------------------------------------------------------------------

_LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
from tflint.findings.path_globs import covers, matches
from tflint.wildcards import text_matches
assert {call} is {expected}
"""


@pytest.mark.security
@pytest.mark.skipif(os.name == "nt", reason="no limit of CPU time")
@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("matches('a/' * 2000 + 'b', '**/' * 12 + 'c')", False),
        ("matches('a/' * 2000 + 'b', '**/' * 2000 + 'c')", False),
        ("matches('a/' * 2000 + 'b', '**/' * 2000 + 'b')", True),
        ("matches('a/' * 2000 + 'b', '**/a/' * 2000 + 'c')", False),
        ("matches('a/' * 2000 + 'b', '**/*/' * 1000 + 'c')", False),
        ("matches('a' * 4000, 'x/../' + '*a' * 2000 + 'b')", False),
        ("matches('a' * 4000, '*a' * 2000 + 'b')", False),
        ("matches('m/' + 'a' * 4000, 'm/' + '*a?' * 1000 + 'b')", False),
        ("matches('m/' + 'a' * 100_000, './m/' + '*a' * 100_000)", True),
        ("matches('a/' * 10_000 + 'b', '**/' + 'a/' * 300 + 'c')", False),
        ("covers('x!/' * 30_000 + 'b', 'c', is_member=True)", False),
        ("covers('x!/' * 30_000 + 'b', '**/c', is_member=True)", False),
        ("text_matches('a' * 1_000_000, '*a' * 500_000 + 'b')", False),
        ("text_matches('a' * 1_000_000, '*a' * 500_000)", True),
        ("text_matches('a' * 100_000, '[' * 100_000)", False),
        ("text_matches('a' * 1_000_000, 'a' * 1_000_000)", True),
        ("text_matches('a' * 100_000, '*' + '?a' * 2000 + 'b*')", False),
    ],
)
def test_no_pattern_takes_long(call: str, expected: bool) -> None:
    program = _LIMITED.format(call=call, expected=expected)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.security
@pytest.mark.skipif(os.name == "nt", reason="links need a privilege")
@pytest.mark.parametrize("pattern", ["**/*.tflite", "m/**", "**/" * 2000 + "x.tflite", "**/a/**/b/" * 12 + "*.tflite"])
def test_a_glob_of_the_command_line_ends_in_a_folder_with_links_to_itself(
    tmp_path: Path, pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    deep = Path("m", *["a", "b"] * 30)
    deep.mkdir(parents=True)
    (deep / "x.tflite").touch()
    for name in ("one", "two"):
        Path("m", name).symlink_to(".")
    assert list(select([pattern]).items) == [(deep / "x.tflite").as_posix()]


@pytest.mark.security
def test_a_step_of_a_glob_lists_each_folder_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(*["a"] * 30).mkdir(parents=True)
    listed: list[str] = []
    scandir = os.scandir

    def counted(path: str) -> object:
        listed.append(path)
        return scandir(path)

    monkeypatch.setattr("os.scandir", counted)
    expand_glob("**/a/**/*/**/a/**/x", {})
    assert 0 < len(listed) <= 31

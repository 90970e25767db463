"""Finds and reads a configuration: nearest `tflint.toml`, or `pyproject.toml` with a [tool.tflint], upward."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tflint.config.config import Config, TargetOptions
from tflint.config.config_positions import Keys, error_in, prefix_of
from tflint.errors import Place, UserError
from tflint.findings.suppressions import Allow, parse_allow, require_few_globs
from tflint.resources import json_schema
from tflint.source.checkout_boundary import boundary_of, is_within, require_within
from tflint.userfiles.schema_errors import check
from tflint.userfiles.userfile import MAX_TEXT_BYTES, load_toml, read_bytes, read_text

_TARGET_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


def find_config(start: Path) -> Path | None:
    """The nearest configuration file at or above a folder; None if there is none."""
    for folder in (start, *start.parents):
        own = folder / "tflint.toml"
        if _exists(own) or _leads_nowhere(own):
            return own
        project = folder / "pyproject.toml"
        if _exists(project) and _is_for_tflint(project):
            return project
    return None


def _is_for_tflint(project: Path) -> bool:
    """Whether a `pyproject.toml` has a [tool.tflint]; one that is a link out of its checkout is not opened."""
    if project.is_symlink():
        _require_own(project)
    return _mentions_tflint(project) and _section(project, read_text(str(project))) is not None


def load_config(path: Path | str, *, is_trusted: bool = True) -> Config:
    """The configuration in a file; `UserError` with the position of what is wrong.

    One that is not trusted was found and not named: it may come from a pull request, and must neither lie outside of
    its folder's checkout (a link) nor name files that do.
    """
    path = Path(path)
    boundary = None if is_trusted else _require_own(path)
    return parse_config(read_text(str(path)), path, boundary)


def parse_config(text: str, path: Path, boundary: Path | None = None) -> Config:
    """The configuration in a text; what it names by relative paths lies in the folder of `path`.

    With a boundary it must not name files outside of it.
    """
    data = _section(path, text)
    if data is None:
        hint = "write a [tool.tflint] table, or name another file"
        raise UserError("has no [tool.tflint]", place=Place(str(path)), hint=hint)
    check(data, json_schema("config"), path=str(path), text=text, what="configuration", prefix=prefix_of(path))
    targets, named = _targets(data.get("targets", []), path, text)
    names = _Names(path, text, boundary)
    return Config(
        targets=targets,
        named_targets=named,
        ruleset=data.get("ruleset", ""),
        select=tuple(data.get("select", ())),
        ignore=tuple(data.get("ignore", ())),
        severity=data.get("severity", {}),
        fail_on=data.get("fail-on", "error"),
        rules=tuple(names.rules(data.get("rules", ()))),
        per_file_ignores={glob: tuple(rules) for glob, rules in data.get("per-file-ignores", {}).items()},
        exclude=tuple(data.get("exclude", ())),
        baseline=names.baseline(data["baseline"]) if "baseline" in data else "",
        allow_empty=data.get("allow-empty", False),
        lfs_pointers=data.get("lfs-pointers", "error"),
        metadata_require=tuple(data.get("metadata", {}).get("require", ())),
        contracts=names.contracts(data.get("contracts", {})),
        allow=_allows(data.get("allow", ()), path, text),
        folder=str(path.parent),
        origin=str(path),
    )


def _exists(path: Path) -> bool:
    """Whether there is something else than a folder; reading a device or a named pipe says what is wrong with it."""
    try:
        return path.exists() and not path.is_dir()
    except OSError:  # a folder above may forbid to look into it
        return False


def _leads_nowhere(path: Path) -> bool:
    """Whether there is a link to nothing: reading it says so."""
    return os.path.islink(path) and not os.path.exists(path)  # noqa: PTH114, PTH110 (a Path raises on permissions)


def _require_own(path: Path) -> Path:
    """Return the boundary of a file that was found; `UserError` for a link that leads out of it."""
    boundary = boundary_of(path.parent)
    require_within(path, boundary, f"to trust this configuration, pass --config {path.as_posix()}")
    return boundary


def _mentions_tflint(project: Path) -> bool:
    """Whether it is worth parsing; a broken `pyproject.toml` that has nothing to do with tflint is not its business."""
    try:
        content = read_bytes(str(project), MAX_TEXT_BYTES)
    except UserError:
        return True  # reading it says what is wrong
    return b"tflint" in content or len(content) > MAX_TEXT_BYTES


def _section(path: Path, text: str) -> Any:
    """The configuration in a file's text; None where a `pyproject.toml` has none."""
    data: Any = load_toml(str(path), text)
    for key in prefix_of(path):
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _targets(targets: Any, path: Path, text: str) -> tuple[tuple[str, ...], dict[str, TargetOptions]]:
    if isinstance(targets, list):
        return tuple(targets), {}
    named = {}
    for name, options in targets.items():
        if not _TARGET_NAME.fullmatch(name):
            from tflint.userfiles.error_wording import show

            hint = "use letters, digits, '_', '.' and '-', beginning with a letter"
            message = f"{show(name)} cannot be the name of a target"
            raise error_in(str(path), text, ("targets", name), message, hint=hint, is_about_key=True)
        ops = tuple(options.get("custom-ops", ()))
        named[name] = TargetOptions(options["runtime"], options.get("flex", False), ops)
    return tuple(named), named


class _Names:
    """The files that a configuration names, looked for beside it; `UserError` at a name that is wrong.

    With a boundary nothing is opened, or even looked at, that lies outside of it.
    """

    def __init__(self, path: Path, text: str, boundary: Path | None) -> None:
        self._path, self._text, self._boundary = path, text, boundary

    def rules(self, names: Sequence[str]) -> Iterator[str]:
        """Rule files and folders of these."""
        for number, name in enumerate(names):
            yield str(self._existing(name, "rule file", ("rules", number), Path.exists))

    def contracts(self, named: Mapping[str, str]) -> dict[str, str]:
        """Contracts by glob."""
        return {
            glob: self._existing(name, "contract", ("contracts", glob), Path.is_file).as_posix()
            for glob, name in named.items()
        }

    def baseline(self, name: str) -> str:
        """The baseline; that it exists is asked when it is read."""
        self._require_within(self._path.parent / name, name, "baseline", ("baseline",))
        return str(self._path.parent / name)

    def _existing(self, name: str, what: str, keys: Keys, exists: Callable[[Path], bool]) -> Path:
        found = self._path.parent / name
        self._require_within(found, name, what, keys)
        if exists(found):
            return found
        from tflint.userfiles.error_wording import show

        hint = "paths are relative to the configuration's folder"
        raise error_in(str(self._path), self._text, keys, f"the {what} {show(name)} does not exist", hint=hint)

    def _require_within(self, found: Path, name: str, what: str, keys: Keys) -> None:
        if self._boundary is None or is_within(found, self._boundary):
            return
        from tflint.userfiles.error_wording import show

        message = f"the {what} {show(name)} leads out of the checkout '{self._boundary}'"
        hint = f"to trust this configuration, pass --config {self._path.as_posix()}"
        raise error_in(str(self._path), self._text, keys, message, hint=hint)


def _allows(entries: Sequence[Mapping[str, Any]], path: Path, text: str) -> tuple[Allow, ...]:
    def wrong(number: int, message: str) -> UserError:
        hint = "one glob can stand for several: 'block_*/bias'"
        return error_in(str(path), text, ("allow", number, "at"), message, hint=hint)

    allows = tuple(_allow(entry, number, path, text) for number, entry in enumerate(entries))
    require_few_globs(allows, wrong)
    return allows


def _allow(entry: Mapping[str, Any], number: int, path: Path, text: str) -> Allow:
    def wrong(message: str) -> UserError:
        return error_in(str(path), text, ("allow", number, "until"), message, hint="YYYY-MM-DD")

    return parse_allow(entry, f"{path.name}: allow {number + 1}", wrong)

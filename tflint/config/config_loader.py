"""Finds and reads the configuration: the nearest `tflint.toml`, or `pyproject.toml` with a [tool.tflint] table.

The search starts in a folder and continues in its parents, up to the top level of the repository.
"""

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


#: Names of the files that can hold the configuration of a folder. The first one that exists counts.
FILE_NAMES = ("tflint.toml", "pyproject.toml")
#: Returns where to read a file that a configuration names, or the configuration itself.
Locate = Callable[[Path], Path]


def find_config(start: Path) -> Path | None:
    """Return the path of the nearest configuration in a folder or its parents, or None if there is none.

    The search ends at the top level of the Git worktree that contains the folder.
    """
    return next((found for folder in searched_folders(start) if (found := config_in(folder)) is not None), None)


def searched_folders(start: Path) -> Iterator[Path]:
    """Yield the folders that can have the configuration of an absolute folder, nearest first.

    The last one is the top level of the Git worktree: configurations above it do not count.
    """
    for folder in (start, *start.parents):
        yield folder
        if os.path.lexists(folder / ".git"):
            return


def config_in(folder: Path) -> Path | None:
    """Return the path of the configuration in a folder, or None if there is none."""
    own, project = (folder / name for name in FILE_NAMES)
    if _exists(own) or _is_broken_link(own):
        return own
    return project if _exists(project) and is_for_tflint(project) else None


def is_for_tflint(project: Path) -> bool:
    """Return whether a `pyproject.toml` has a [tool.tflint] table.

    Raises `UserError` if the file is a link to a file outside of the checkout.
    """
    if project.is_symlink():
        _require_inside_checkout(project)
    return _mentions_tflint(project) and _section(project, read_text(str(project))) is not None


def load_config(path: Path | str, *, is_trusted: bool = True) -> Config:
    """Read a configuration. Raises `UserError`, with the position of the problem, if the configuration is invalid.

    A configuration that tflint found is not trusted, because it may come from a pull request. It is trusted only if the
    user passed its path. If it is not trusted, it must not be a link to a file outside of its checkout, and must not
    refer to such files.
    """
    path = Path(path)
    boundary = None if is_trusted else _require_inside_checkout(path)
    return parse_config(read_text(str(path)), path, boundary)


def parse_config(text: str, path: Path, boundary: Path | None = None, locate: Locate = Path) -> Config:
    """Parse the text of a configuration. Raises `UserError` if it is invalid.

    Relative paths in the configuration start at the folder of `path`. If `boundary` is not None, the configuration must
    not refer to files outside of the folder `boundary`. `locate` returns where to read the rule files and the baseline.
    """
    data = _section(path, text)
    if data is None:
        hint = "add a [tool.tflint] table, or pass a different file"
        raise UserError("does not have a [tool.tflint] table", place=Place(str(path)), hint=hint)
    check(data, json_schema("config"), path=str(path), text=text, what="configuration", prefix=prefix_of(path))
    targets, named = _targets(data.get("targets", []), path, text)
    names = _ReferencedFiles(path, text, boundary, locate)
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
        require_contract=data.get("require-contract", False),
        respect_gitignore=data.get("respect-gitignore", False),
        contracts=names.contracts(data.get("contracts", {})),
        allow=_allows(data.get("allow", ()), path, text),
        folder=str(path.parent),
        origin=str(path),
    )


def _exists(path: Path) -> bool:
    """Return whether a path exists and is not a folder. A device or named pipe raises an error only when it is read."""
    try:
        return path.exists() and not path.is_dir()
    except OSError:  # for example, if a parent folder is not accessible
        return False


def _is_broken_link(path: Path) -> bool:
    """Return whether a path is a broken link. It counts as a configuration, so that reading it raises an error."""
    return os.path.islink(path) and not os.path.exists(path)  # noqa: PTH114, PTH110 (a Path raises on permissions)


def _require_inside_checkout(path: Path) -> Path:
    """Return the checkout of a file that tflint found. Raises `UserError` if the file is a link that leads outside."""
    boundary = boundary_of(path.parent)
    require_within(path, boundary, f"to trust this configuration, pass --config {path.as_posix()}")
    return boundary


def _mentions_tflint(project: Path) -> bool:
    """Return whether a `pyproject.toml` mentions tflint. If it does not, it is not parsed, even if it is invalid."""
    try:
        content = read_bytes(str(project), MAX_TEXT_BYTES)
    except UserError:
        return True  # the error is raised when the file is read again
    return b"tflint" in content or len(content) > MAX_TEXT_BYTES


def _section(path: Path, text: str) -> Any:
    """Return the table of a file that holds the configuration, or None if a `pyproject.toml` does not have one."""
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

            hint = "use letters, digits, '_', '.' and '-', starting with a letter"
            message = f"{show(name)} is not a valid target name"
            raise error_in(str(path), text, ("targets", name), message, hint=hint, is_about_key=True)
        ops = tuple(options.get("custom-ops", ()))
        named[name] = TargetOptions(options["runtime"], options.get("flex", False), ops)
    return tuple(named), named


class _ReferencedFiles:
    """Resolves the paths in a configuration, which are relative to its folder.

    Raises `UserError`, with the position of the path, if a file is missing or outside of the boundary. A file outside
    of the boundary is not opened, and its existence is not tested.
    """

    def __init__(self, path: Path, text: str, boundary: Path | None, locate: Locate) -> None:
        self._path, self._text, self._boundary, self._locate = path, text, boundary, locate

    def rules(self, names: Sequence[str]) -> Iterator[str]:
        """Yield the paths of rule files and folders."""
        for number, name in enumerate(names):
            keys = ("rules", number)
            yield str(self._locate(self._existing(name, "rule file", keys, lambda path: self._locate(path).exists())))

    def contracts(self, named: Mapping[str, str]) -> dict[str, str]:
        """Return the paths of contracts by glob."""
        return {
            glob: self._existing(name, "contract", ("contracts", glob), Path.is_file).as_posix()
            for glob, name in named.items()
        }

    def baseline(self, name: str) -> str:
        """Return the path of the baseline. Does not check that the file exists: reading the baseline does."""
        self._require_within(self._path.parent / name, name, "baseline", ("baseline",))
        return str(self._locate(self._path.parent / name))

    def _existing(self, name: str, what: str, keys: Keys, exists: Callable[[Path], bool]) -> Path:
        path = self._path.parent / name
        self._require_within(path, name, what, keys)
        if exists(path):
            return path
        from tflint.userfiles.error_wording import show

        hint = "paths are relative to the folder of the configuration file"
        raise error_in(str(self._path), self._text, keys, f"the {what} {show(name)} does not exist", hint=hint)

    def _require_within(self, path: Path, name: str, what: str, keys: Keys) -> None:
        if self._boundary is None or is_within(path, self._boundary):
            return
        from tflint.userfiles.error_wording import show

        message = f"the {what} {show(name)} is outside of the checkout '{self._boundary}'"
        hint = f"to trust this configuration, pass --config {self._path.as_posix()}"
        raise error_in(str(self._path), self._text, keys, message, hint=hint)


def _allows(entries: Sequence[Mapping[str, Any]], path: Path, text: str) -> tuple[Allow, ...]:
    def error_for(number: int, message: str) -> UserError:
        hint = "replace several entries by one glob: 'block_*/bias'"
        return error_in(str(path), text, ("allow", number, "at"), message, hint=hint)

    allows = tuple(_allow(entry, number, path, text) for number, entry in enumerate(entries))
    require_few_globs(allows, error_for)
    return allows


def _allow(entry: Mapping[str, Any], number: int, path: Path, text: str) -> Allow:
    def error_for(message: str) -> UserError:
        return error_in(str(path), text, ("allow", number, "until"), message, hint="YYYY-MM-DD")

    return parse_allow(entry, f"{path.name}: allow {number + 1}", error_for)

"""Finds and reads a configuration: nearest `tflint.toml`, or `pyproject.toml` with a [tool.tflint], upward."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tflint.config.config import Config, TargetOptions
from tflint.config.places import Keys, error_in, prefix_of
from tflint.documents.explain import check
from tflint.documents.reading import MAX_TEXT_BYTES, load_toml, read_bytes, read_text
from tflint.errors import Place, UserError
from tflint.findings.suppress import Allow, allow_of
from tflint.resources import json_schema

_TARGET_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


def find_config(start: Path) -> Path | None:
    """The nearest configuration file at or above a folder; None where there is none."""
    for folder in (start, *start.parents):
        if _exists(folder / "tflint.toml"):
            return folder / "tflint.toml"
        project = folder / "pyproject.toml"
        if _exists(project) and _mentions_tflint(project) and _section(project, read_text(str(project))) is not None:
            return project
    return None


def load_config(path: Path | str) -> Config:
    """The configuration in a file; `UserError` with the position of what is wrong."""
    path = Path(path)
    text = read_text(str(path))
    data = _section(path, text)
    if data is None:
        hint = "write a [tool.tflint] table, or name another file"
        raise UserError("has no [tool.tflint]", place=Place(str(path)), hint=hint)
    check(data, json_schema("config"), path=str(path), text=text, what="configuration", prefix=prefix_of(path))
    targets, named = _targets(data.get("targets", []), path, text)
    return Config(
        targets=targets,
        named_targets=named,
        ruleset=data.get("ruleset", ""),
        select=tuple(data.get("select", ())),
        ignore=tuple(data.get("ignore", ())),
        severity=data.get("severity", {}),
        fail_on=data.get("fail-on", "error"),
        rules=tuple(_rules(data.get("rules", ()), path, text)),
        per_file_ignores={glob: tuple(rules) for glob, rules in data.get("per-file-ignores", {}).items()},
        exclude=tuple(data.get("exclude", ())),
        baseline=str(path.parent / data["baseline"]) if "baseline" in data else "",
        lfs_pointers=data.get("lfs-pointers", "error"),
        metadata_require=tuple(data.get("metadata", {}).get("require", ())),
        contracts=_contracts(data.get("contracts", {}), path, text),
        allow=tuple(_allow(entry, number, path, text) for number, entry in enumerate(data.get("allow", ()))),
        folder=str(path.parent),
        origin=str(path),
    )


def _exists(path: Path) -> bool:
    """Whether there is something else than a folder; reading a device or a named pipe says what is wrong with it."""
    try:
        return path.exists() and not path.is_dir()
    except OSError:  # a folder above may forbid to look into it
        return False


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
            from tflint.documents.wording import show

            hint = "letters, digits, '_', '.' and '-', a letter first"
            message = f"{show(name)} cannot be the name of a target"
            raise error_in(str(path), text, ("targets", name), message, hint=hint, is_about_key=True)
        ops = tuple(options.get("custom-ops", ()))
        named[name] = TargetOptions(options["runtime"], options.get("flex", False), ops)
    return tuple(named), named


def _rules(rules: list[str], path: Path, text: str) -> list[str]:
    return [str(_existing(rule, "rule file", ("rules", k), path, text, Path.exists)) for k, rule in enumerate(rules)]


def _contracts(contracts: Mapping[str, str], path: Path, text: str) -> dict[str, str]:
    return {
        glob: _existing(contract, "contract", ("contracts", glob), path, text, Path.is_file).as_posix()
        for glob, contract in contracts.items()
    }


def _existing(name: str, what: str, keys: Keys, path: Path, text: str, exists: Callable[[Path], bool]) -> Path:
    """What a configuration names, beside it; `UserError` at the name where it is not there."""
    found = path.parent / name
    if exists(found):
        return found
    from tflint.documents.wording import show

    hint = "paths count from the folder of the configuration"
    raise error_in(str(path), text, keys, f"the {what} {show(name)} does not exist", hint=hint)


def _allow(entry: Mapping[str, Any], number: int, path: Path, text: str) -> Allow:
    def wrong(message: str) -> UserError:
        return error_in(str(path), text, ("allow", number, "until"), message, hint="YYYY-MM-DD")

    return allow_of(entry, f"{path.name}: allow {number + 1}", wrong)

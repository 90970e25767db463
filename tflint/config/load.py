"""Finds and reads a configuration: nearest `tflint.toml`, or `pyproject.toml` with a [tool.tflint], upward."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tflint.config.config import Config, TargetOptions
from tflint.documents.explain import check
from tflint.documents.reading import load_toml, read_text
from tflint.errors import Place, UserError
from tflint.findings.suppress import Allow
from tflint.resources import json_schema


def find_config(start: Path) -> Path | None:
    """The nearest configuration file at or above a folder; None where there is none."""
    for folder in (start, *start.parents):
        if (folder / "tflint.toml").is_file():
            return folder / "tflint.toml"
        project = folder / "pyproject.toml"
        if project.is_file() and "tool.tflint" in project.read_text(encoding="utf-8", errors="replace"):
            return project
    return None


def load_config(path: Path) -> Config:
    """The configuration in a file; `UserError` with the position of what is wrong."""
    text = read_text(str(path))
    data: Any = load_toml(str(path), text)
    prefix: tuple[str | int, ...] = ()
    if path.name == "pyproject.toml":
        data, prefix = data.get("tool", {}).get("tflint", {}), ("tool", "tflint")
    schema = json_schema("config")
    check(data, schema, path=str(path), text=text, what="configuration", prefix=prefix)
    targets, named = _targets(data.get("targets", []))
    return Config(
        targets=targets,
        named_targets=named,
        ruleset=data.get("ruleset", ""),
        select=tuple(data.get("select", ())),
        ignore=tuple(data.get("ignore", ())),
        severity=data.get("severity", {}),
        fail_on=data.get("fail-on", "error"),
        rules=tuple(str(path.parent / rule) for rule in data.get("rules", ())),
        per_file_ignores={glob: tuple(rules) for glob, rules in data.get("per-file-ignores", {}).items()},
        exclude=tuple(data.get("exclude", ())),
        baseline=str(path.parent / data["baseline"]) if "baseline" in data else "",
        lfs_pointers=data.get("lfs-pointers", "error"),
        allow=tuple(_allow(entry, path, number) for number, entry in enumerate(data.get("allow", ()), 1)),
        folder=str(path.parent),
        origin=str(path),
    )


def _targets(targets: Any) -> tuple[tuple[str, ...], dict[str, TargetOptions]]:
    if isinstance(targets, list):
        return tuple(targets), {}
    named = {
        name: TargetOptions(options["runtime"], options.get("flex", False), tuple(options.get("custom-ops", ())))
        for name, options in targets.items()
    }
    return tuple(named), named


def _allow(entry: Mapping[str, Any], path: Path, number: int) -> Allow:
    origin = f"{path.name}: allow {number}"
    until = None
    if "until" in entry:
        try:
            until = datetime.date.fromisoformat(entry["until"])
        except ValueError as error:
            raise UserError(f"allow {number}: 'until' is no date: {error}", place=Place(str(path))) from None
    return Allow(entry["rule"], entry["reason"], entry.get("path", "**"), entry.get("at", ""), until, origin)

"""Formats which configurations decided a run, and what each changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tflint.findings import ConfigurationUse, ContractUse, Report
from tflint.report.display_names import clean, plural
from tflint.report.text_layout import Style, join_pieces, wrap_line

#: Maximum number of configurations, of contracts, and of names in a list, unless the style is verbose.
MAX_LISTED = 5


def format_configurations(report: Report, style: Style) -> Iterator[str]:
    """Yield a line per configuration and per contract that changed what a run checked or reported."""
    uses = [use for use in report.configurations if use.path is not None or list_changes(use)]
    contracts = [contract for use in report.configurations for contract in use.contracts]
    limit = len(uses) + len(contracts) if style.verbose else MAX_LISTED
    for use in uses[:limit]:
        changes = list_changes(use, None if style.verbose else MAX_LISTED) or ["changes no defaults"]
        name = "settings" if use.path is None else f"configuration {clean(use.path)}"
        n_files = f" ({plural(use.n_files, 'file')})" if len(report.configurations) > 1 else ""
        yield from _wrap([f"{name}{n_files}: {changes[0]}", *changes[1:]], style)
    if len(uses) > limit:
        yield f"{plural(len(uses) - limit, 'more configuration')} (-v lists them)"
    decisive = [contract for contract in contracts if list_decisions(contract)]
    for contract in decisive[:limit]:
        yield from _wrap([f"contract {clean(contract.path)}: {', '.join(list_decisions(contract))}"], style)
    if len(decisive) > limit:
        yield f"{plural(len(decisive) - limit, 'more contract')} with decisions (-v lists them)"


def _wrap(pieces: Sequence[str], style: Style) -> Iterator[str]:
    for line in join_pieces(pieces, " · ", width=style.width):
        yield from wrap_line(line, style.width)


def list_changes(use: ConfigurationUse, limit: int | None = None) -> list[str]:
    """Return what a configuration changed, in words. Lists have at most `limit` names (None: all)."""
    changes = [_FORMATS[key](value, use, limit) for key, value in use.settings.items()]
    if use.n_muted:
        changes.append(f"{plural(use.n_muted, 'finding')} muted by these rules")
    return changes


def list_decisions(contract: ContractUse) -> list[str]:
    """Return what a contract decided, in words."""
    decisions = []
    if contract.n_suppressed:
        decisions.append(f"suppresses {plural(contract.n_suppressed, 'finding')}")
    if contract.targets:
        decisions.append(f"adds {_join(contract.targets, None)} to the targets")
    if contract.is_limited:
        decisions.append("its own suppressions and targets do not count")
    return decisions


def _join(names: Sequence[str], limit: int | None) -> str:
    shown = ", ".join(map(clean, names[:limit]))
    return shown if limit is None or len(names) <= limit else f"{shown} and {len(names) - limit:,} more"


def _list(key: str) -> Callable[[Any, ConfigurationUse, int | None], str]:
    return lambda names, _use, limit: f"{key} {_join(names, limit)}"


def _word(key: str) -> Callable[[Any, ConfigurationUse, int | None], str]:
    return lambda value, _use, _limit: key if value is True else f"{key} {clean(str(value))}"


def _pairs(key: str) -> Callable[[Any, ConfigurationUse, int | None], str]:
    return lambda pairs, _use, limit: f"{key} {_join([f'{name} {value}' for name, value in pairs.items()], limit)}"


def _format_ignores(globs: Mapping[str, Any], use: ConfigurationUse, _limit: int | None) -> str:
    return f"per-file-ignores of {plural(len(globs), 'glob')} ({_count(use, 'per-file-ignore')})"


def _format_baseline(path: str, use: ConfigurationUse, _limit: int | None) -> str:
    return f"baseline {clean(path)} ({_count(use, 'baseline')})"


def _format_allows(number: int, use: ConfigurationUse, _limit: int | None) -> str:
    entries = "entry" if number == 1 else "entries"
    return f"{number:,} allow {entries} ({_count(use, 'allow')})"


def _count(use: ConfigurationUse, kind: str) -> str:
    return f"{plural(use.n_suppressed.get(kind, 0), 'finding')} suppressed"


#: How each setting is shown, in the order of `Config.changes`.
_FORMATS: Mapping[str, Callable[[Any, ConfigurationUse, int | None], str]] = {
    "targets": _list("targets"),
    "ruleset": _word("ruleset"),
    "select": _list("select"),
    "ignore": _list("ignore"),
    "severity": _pairs("severity"),
    "fail-on": _word("fail-on"),
    "rules": _list("rules"),
    "per-file-ignores": _format_ignores,
    "exclude": _list("exclude"),
    "baseline": _format_baseline,
    "lfs-pointers": _word("lfs-pointers"),
    "allow-empty": _word("allow-empty"),
    "metadata.require": _list("metadata.require"),
    "require-contract": _word("require-contract"),
    "respect-gitignore": _word("respect-gitignore"),
    "contracts": lambda globs, _use, _limit: f"contracts for {plural(len(globs), 'glob')}",
    "allow": _format_allows,
}

"""Targets: the runtimes a model must run on, what each registers, and who refuses what."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tflint.config import Config, TargetOptions
from tflint.config.config_positions import add_config_place
from tflint.contract import Contract
from tflint.errors import UserError
from tflint.resources import table
from tflint.targets.version import Version, parse_version
from tflint.userfiles.nearest_word import nearest
from tflint.userfiles.userfile import error_in
from tflint.values import frozen

RUNTIMES = ("litert", "tflite", "tflm")
_SPEC = re.compile(r"(litert|tflite|tflm)(?: ?(==|>=|<=|<|>) ?(\d+(?:\.\d+)*))?")
_NUMBER = re.compile(r"\d{1,6}(\.\d{1,6}){0,3}")
_COMPARED = re.compile(r"(litert|tflite) ?[<>=!~]")
_SUCH_AS = "such as litert==2.3.0, tflite==2.11 or tflm"


@frozen
class Target:
    """A declared runtime: its name as declared, runtime, version (None: tflm has none), and what an app adds."""

    name: str
    runtime: str
    version: Version | None
    flex: bool = False
    custom_ops: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """What rules read as `target.…`."""
        return {
            "name": self.name,
            "runtime": self.runtime,
            "version": str(self.version) if self.version else None,
            "flex": self.flex,
            "custom_ops": [*_known_custom_ops(self.runtime, self.version), *self.custom_ops],
            "op_versions": op_versions(self.runtime, self.version),
        }


def releases(runtime: str) -> list[Version]:
    """The known releases of a runtime, the newest first; none of tflm, which has no versions."""
    if runtime == "tflm":
        return []
    if runtime == "litert":
        texts = set(table("op_versions")["litert_releases"])
    else:
        texts = {release for versions in table("op_versions")["tflite"].values() for release in versions.values()}
    return sorted({version for text in texts if (version := parse_version(runtime, text))}, reverse=True)


@functools.cache
def newest(runtime: str) -> Version | None:
    """The newest known release of a runtime; None where it has no versions."""
    return next(iter(releases(runtime)), None)


def resolve_targets(names: Sequence[str], named: Mapping[str, TargetOptions]) -> tuple[Target, ...]:
    """The targets that names declare, in order; the newest LiteRT where there are none."""
    if not names:
        version = newest("litert")
        return (Target(f"litert=={version}", "litert", version),)
    return tuple(_resolve(name, named) for name in dict.fromkeys(names))


def declared_targets(config: Config) -> tuple[Target, ...]:
    """The targets that a configuration declares; an error shows the line that declares it."""
    for number, name in enumerate(config.targets):
        options = config.named_targets.get(name)
        try:
            _resolve(name, config.named_targets)
        except UserError as error:
            if options:
                raise add_config_place(error, config, ("targets", name, "runtime"), options.runtime) from None
            raise add_config_place(error, config, ("targets", number), name) from None
    return resolve_targets(config.targets, config.named_targets)


def contract_targets(contract: Contract, named: Mapping[str, TargetOptions]) -> tuple[Target, ...]:
    """The targets that a contract says its model must run on; an error shows the line that does."""
    names = contract.model.get("targets", ())
    for number, name in enumerate(names):
        try:
            _resolve(name, named)
        except UserError as error:
            place = ("model", "targets", number)
            raise error_in(contract.path, contract.text, place, error.message, hint=error.hint) from None
    return tuple(_resolve(name, named) for name in dict.fromkeys(names))


def _resolve(name: str, named: Mapping[str, TargetOptions]) -> Target:
    options = named.get(name)
    runtime, version = _parse(options.runtime if options else name, [*RUNTIMES, *named])
    if options:
        if name in RUNTIMES and name != runtime:
            raise UserError(f"target '{name}' is named like a runtime, but is {options.runtime}", hint="rename it")
        return Target(name, runtime, version, options.flex, options.custom_ops)
    return Target(f"{runtime}=={version}" if version else runtime, runtime, version)


def _parse(text: str, known: Sequence[str]) -> tuple[str, Version | None]:
    runtime, equals, number = (part.strip() for part in text.partition("=="))
    if runtime not in RUNTIMES:
        compared = _COMPARED.match(text)
        hint = f"one version is declared: {compared[1]}==X" if compared else nearest(runtime, known)
        raise UserError(f"unknown target '{text}'", hint=hint or _SUCH_AS)
    if runtime == "tflm" and equals:
        raise UserError(f"target '{text}': tflm has no versions", hint="declare tflm")
    if not equals:
        return runtime, newest(runtime)
    version = parse_version(runtime, number) if _NUMBER.fullmatch(number) else None
    if version is None:
        raise UserError(f"target '{text}': '{number}' is no version", hint=_SUCH_AS)
    return runtime, version


@functools.cache
def op_versions(runtime: str, version: Version | None) -> dict[str, int] | None:
    """Newest version of each built-in operator that a runtime registers; 0 for none, None where that is not known.

    TFLM does not look at operator versions, so there is nothing to know of it.
    """
    data = table("op_versions")
    if runtime == "tflm" or version is None:
        return None
    found = dict.fromkeys(data["not_registered"], 0)
    if runtime == "litert":
        if version < Version("litert", (1, 1, 0)):
            return None  # the table begins there
        for opcode, by_release in data["litert"].items():
            found[opcode] = _newest_at(by_release, version)
        return found
    for opcode, by_version in data["tflite"].items():
        runs = [int(number) for number, release in by_version.items() if _is_at(release, "tflite", version)]
        found[opcode] = max(runs, default=0)
    return found


@functools.cache
def _known_custom_ops(runtime: str, version: Version | None) -> list[str]:
    """Custom operators that a runtime knows by itself."""
    known = table("op_versions")["custom_ops"][runtime]
    return [name for name, since in known.items() if not since or version is None or _is_at(since, runtime, version)]


def _newest_at(by_release: Mapping[str, int], version: Version) -> int:
    return max((number for release, number in by_release.items() if _is_at(release, "litert", version)), default=0)


def _is_at(release: str, line: str, version: Version) -> bool:
    first = parse_version(line, release)
    return first is not None and first <= version


def is_refusing(target: Target, specs: Sequence[str]) -> bool:
    """Whether one of the specs (`litert>=1.1.0`, `tflm`) means a target."""
    return any(_means(target, spec) for spec in specs)


def _means(target: Target, spec: str) -> bool:
    match = _SPEC.fullmatch(spec)
    assert match, f"'{spec}' passed the rule schema"
    runtime, operator, number = match.groups()
    if runtime != target.runtime:
        return False
    bound = parse_version(runtime, number) if number else None
    if bound is None or target.version is None:
        return True
    return {
        "==": target.version.equals(bound),
        ">=": target.version >= bound,
        "<=": target.version <= bound,
        ">": target.version > bound,
        "<": target.version < bound,
    }[operator]

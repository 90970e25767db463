"""Targets: the runtimes that must run a model, declared on the command line, in a configuration or in a contract."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tflint.config import Config, TargetOptions
from tflint.config.config_positions import add_config_place
from tflint.contract import Contract
from tflint.errors import UserError
from tflint.targets.runtime import DEFAULT, Runtime, load_runtime, runtime_names
from tflint.targets.version import Version, parse_version
from tflint.userfiles.nearest_word import nearest
from tflint.userfiles.userfile import error_in
from tflint.values import frozen

#: Largest number of releases that the error about an unknown release lists.
MAX_LISTED = 6

_BOUND = r" ?(==|>=|<=|<|>) ?(\d+(?:\.\d+)*)"
_SPEC = rf"([a-z][a-z0-9_-]*)((?:{_BOUND})(?:,{_BOUND})?)?"
_NUMBER = r"\d{1,6}(\.\d{1,6}){0,3}"
_COMPARED = r"([a-z][a-z0-9_-]*) ?[<>=!~]"


@frozen
class Target:
    """A declared target.

    `name` is the name as declared, and `runtime` the name of the runtime. `version` is None if the runtime has no
    versions. `flex` and `custom_ops` are what the application adds: the Flex delegate and custom operators.
    """

    name: str
    runtime: str
    version: Version | None
    flex: bool = False
    custom_ops: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """Return the fields that rules read as `target.…`. A field is None if it is not known for the release."""
        runtime = load_runtime(self.runtime)
        known = runtime.known_custom_operators(self.version)
        return {
            "name": self.name,
            "runtime": self.runtime,
            "version": str(self.version) if self.version else None,
            "flex": self.flex,
            "custom_ops": None if known is None else [*known, *self.custom_ops],
            "delegate_ops": runtime.known_delegate_operators(self.version),
            "exact_activations": runtime.has_exact_activations(self.version),
            "op_versions": operator_versions(self.runtime, self.version),
        }

    @property
    def unknown_reason(self) -> str:
        """The reason why tflint claims nothing about operators on this target; empty if their support is known."""
        return load_runtime(self.runtime).missing_facts(self.version)


def resolve_targets(names: Sequence[str], named: Mapping[str, TargetOptions]) -> tuple[Target, ...]:
    """Return the targets with the given names, in order.

    If there are no names, return the newest LiteRT release with known operator support.
    """
    if not names:
        version = load_runtime(DEFAULT).newest
        return (Target(f"{DEFAULT}=={version}", DEFAULT, version),)
    return _resolve_all(names, named)


def declared_targets(config: Config) -> tuple[Target, ...]:
    """Return the targets of a configuration. Raises `UserError` with the line that declares an invalid target."""
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
    """Return the targets of a contract. Raises `UserError` with the line that declares an invalid target."""
    names = contract.model.get("targets", ())
    for number, name in enumerate(names):
        try:
            _resolve(name, named)
        except UserError as error:
            place = ("model", "targets", number)
            raise error_in(contract.path, contract.text, place, error.message, hint=error.hint) from None
    return _resolve_all(names, named)


def _resolve_all(names: Sequence[str], named: Mapping[str, TargetOptions]) -> tuple[Target, ...]:
    """Return the targets with the given names. A target that has several names, such as 2.3 and 2.3.0, counts once."""
    return tuple(dict.fromkeys(_resolve(name, named) for name in dict.fromkeys(names)))


def _resolve(name: str, named: Mapping[str, TargetOptions]) -> Target:
    options = named.get(name)
    runtime, version = _parse(options.runtime if options else name, named)
    if options:
        if name in runtime_names() and name != runtime:
            raise UserError(f"target '{name}' has the name of a runtime, but is {options.runtime}", hint="rename it")
        return Target(name, runtime, version, options.flex, options.custom_ops)
    return Target(f"{runtime}=={version}" if version else runtime, runtime, version)


def _parse(text: str, named: Mapping[str, TargetOptions]) -> tuple[str, Version | None]:
    name, equals, number = (part.strip() for part in text.partition("=="))
    if name not in runtime_names():
        compared = re.match(_COMPARED, text)
        if compared and compared[1] in runtime_names():
            raise UserError(f"unknown target '{text}'", hint=f"a target is one release: {compared[1]}==X")
        raise UserError(f"unknown target '{text}'", hint=nearest(name, [*runtime_names(), *named]) or _examples())
    runtime = load_runtime(name)
    if not equals:
        return name, runtime.newest
    if runtime.version_line is None:
        raise UserError(f"target '{text}': {name} has no versions", hint=f"declare {name}")
    version = parse_version(runtime.version_line, number) if re.fullmatch(_NUMBER, number) else None
    if version is None:
        raise UserError(f"target '{text}': '{number}' is not a version", hint=_examples())
    return name, _find_release(runtime, version, text)


def _find_release(runtime: Runtime, version: Version, text: str) -> Version:
    """Return the release that a version means. Raises `UserError` if this release was never published.

    2.11 means 2.11.0, or the oldest patch release of 2.11 if there is no 2.11.0. A version that is later than all
    releases with known operator support is accepted, because it may have been published after this version of tflint.
    """
    if runtime.is_later_than_facts(version):
        return version
    published = next((release.version for release in runtime.releases if release.version.equals(version)), None)
    if published is not None:
        return published
    patches = runtime.patch_releases(version)
    if patches and len(version.numbers) == 2:
        return patches[0]
    near = runtime.patch_releases(Version(version.line, version.numbers[:2])) or [
        release.version for release in runtime.releases
    ]
    listed = ", ".join(map(str, near[-MAX_LISTED:]))
    raise UserError(f"target '{text}': {runtime.label} {version} was never released", hint=f"releases: {listed}")


def _examples() -> str:
    runtimes = [load_runtime(name) for name in runtime_names()]
    return "targets are " + ", ".join(
        f"{runtime.name}=={runtime.newest}" if runtime.newest else runtime.name for runtime in runtimes
    )


@functools.cache
def operator_versions(runtime: str, version: Version | None) -> dict[str, int] | None:
    """Return `Runtime.operator_versions` of the runtime with a name. It is computed once per release."""
    return load_runtime(runtime).operator_versions(version)


def includes_target(specs: Sequence[str], target: Target) -> bool | None:
    """Return whether one of the specs (such as `litert>=1.1.0`, `tflite>=2.7,<2.19` or `tflm`) includes a target.

    Returns None if that is unknown: a spec without an upper bound claims nothing about releases that are later than
    the releases with known operator support, and a spec without a lower bound nothing about earlier ones.
    """
    found = {_includes(spec, target) for spec in specs}
    return True if True in found else None if None in found else False


def severity_on(target: Target | None, severities: Mapping[str, str], default: str) -> str:
    """Return the severity of the first spec that includes a target; the default if none does or target is None."""
    if target is None:
        return default
    return next((severity for spec, severity in severities.items() if includes_target([spec], target)), default)


def is_runtime_spec(spec: str) -> bool:
    """Return whether a text is the name of a runtime, alone or with one or two comparisons: `tflite>=2.7,<2.19`."""
    match = re.fullmatch(_SPEC, spec)
    return match is not None and match[1] in runtime_names()


def _includes(spec: str, target: Target) -> bool | None:
    match = re.fullmatch(_SPEC, spec)
    assert match, f"'{spec}' passed the rule compiler"
    if match[1] != target.runtime:
        return False
    if target.version is None:
        return True
    bounds = re.findall(_BOUND, match[2] or "")
    if not all(_is_within(target.version, operator, number) for operator, number in bounds):
        return False
    runtime = load_runtime(target.runtime)
    closing = ("==", "<", "<=") if runtime.is_later_than_facts(target.version) else ("==", ">", ">=")
    is_bounded = any(operator in closing for operator, _ in bounds)
    return True if is_bounded or runtime.has_facts(target.version) else None


def _is_within(version: Version, operator: str, number: str) -> bool:
    bound = parse_version(version.line, number)
    assert bound is not None, f"'{number}' passed the rule compiler"
    return {
        "==": version.equals(bound),
        ">=": version >= bound,
        "<=": version <= bound,
        ">": version > bound,
        "<": version < bound,
    }[operator]

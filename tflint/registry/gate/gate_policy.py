"""The policy of the gate: which rules, targets and configurations a seal must have been made under."""

from __future__ import annotations

import os

from tflint.errors import UserError
from tflint.registry.lint_record import KEY_VARIABLE, Conditions, read_key
from tflint.resources import json_schema
from tflint.userfiles.schema_errors import check
from tflint.userfiles.userfile import load_json, read_text
from tflint.values import frozen
from tflint.wildcards import text_matches

#: Environment variable with the path of the policy file, which `tflint registry policy` prints.
POLICY_VARIABLE = "TFLITE_LINT_GATE_POLICY"


@frozen
class GatePolicy:
    """What the gate requires.

    `rules`, `targets` and `configs` are the accepted values of a seal's conditions. `models` are globs of the names of
    models that need a seal. `max_bytes` and `max_seconds` bound the hashing of the artifacts of a version.
    """

    key: bytes
    rules: tuple[str, ...]
    targets: tuple[tuple[str, ...], ...]
    configs: tuple[str, ...]
    models: tuple[str, ...] = ("*",)
    max_bytes: int = 4 << 30
    max_seconds: float = 300.0

    def covers(self, name: str) -> bool:
        """Return whether a model needs a seal. Case does not count: some databases compare names without it."""
        return any(text_matches(name.casefold(), pattern.casefold()) for pattern in self.models)

    def find_objection(self, conditions: Conditions) -> str:
        """Return why a seal under these conditions is not accepted, or an empty text."""
        if conditions.rules not in self.rules:
            return "it was made under different rules"
        if conditions.targets not in self.targets:
            return f"it was made for different targets ({', '.join(conditions.targets)})"
        return "" if conditions.config in self.configs else "it was made under a different configuration"


def load_policy() -> GatePolicy:
    """Read the key and the policy that the environment names.

    Raises `UserError` if one of them is missing or invalid, so that the server does not start without a gate.
    """
    key = read_key()
    if key is None:
        raise UserError(f"the gate needs {KEY_VARIABLE}", hint="the key with which 'tflint registry' writes seals")
    path = os.environ.get(POLICY_VARIABLE, "")
    if not path:
        raise UserError(f"the gate needs {POLICY_VARIABLE}", hint="the path of what 'tflint registry policy' prints")
    text = read_text(path)
    data = load_json(path, text, refuse_repeated=True)
    check(data, json_schema("gate-policy"), path=path, what="gate policy")
    defaults = GatePolicy(b"", (), (), ())
    return GatePolicy(
        key,
        tuple(data["rules"]),
        tuple(tuple(targets) for targets in data["targets"]),
        tuple(data["config"]),
        tuple(data.get("models", defaults.models)),
        data.get("max_bytes", defaults.max_bytes),
        data.get("max_seconds", defaults.max_seconds),
    )

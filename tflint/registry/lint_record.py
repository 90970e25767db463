"""What is stored at a version: a status tag, a tag with digests and counts as JSON, and a seal.

The seal proves to the gate in a server that a holder of the key linted exactly this content under exactly these rules,
targets, configuration and contract, and that it passed. Without the key, tags are only information: anyone who may
set tags can set them, and tflint never decides by them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from typing import Any

from tflint.errors import UserError
from tflint.findings.finding import SEVERITIES
from tflint.registry.model_registry import ModelVersion
from tflint.values import frozen, replace

STATUS_TAG, RECORD_TAG, SEAL_TAG = "tflint.status", "tflint.lint", "tflint.seal"
#: The statuses of a version. `stale` is the status of a stored result for different content or different rules.
PASS, FAIL, NOT_APPLICABLE, UNREACHABLE, STALE = "pass", "fail", "not-applicable", "unreachable", "stale"
#: Environment variable with the key of seals.
KEY_VARIABLE = "TFLITE_LINT_SEAL_KEY"
MIN_KEY_BYTES = 16
#: Value of the seal tag of a version without a seal. Tags are overwritten, never deleted.
NO_SEAL = "none"

_SEAL_VERSION = "v1"
_MAX_TAG_CHARACTERS = 100_000


@frozen
class Conditions:
    """Under which conditions a version was linted.

    `tool` is the version of tflint. `rules`, `config` and `contract` are digests; `contract` covers the contracts of
    all models of the version, and is empty if there are none. `targets` are the declared targets.
    """

    tool: str
    rules: str
    targets: tuple[str, ...]
    config: str
    contract: str = ""


@frozen
class LintRecord:
    """The result of linting a version: status, content hash, conditions, and the number of findings per severity.

    `accepted` are the differences that a promotion accepted: rule and reason.
    """

    status: str
    content: str
    conditions: Conditions
    counts: tuple[tuple[str, int], ...]
    accepted: tuple[tuple[str, str], ...] = ()

    def dump(self) -> str:
        """Return the record as JSON for the tag."""
        conditions = self.conditions
        data: dict[str, Any] = {
            "status": self.status,
            "tool": conditions.tool,
            "rules": conditions.rules,
            "targets": list(conditions.targets),
            "config": conditions.config,
            "contract": conditions.contract,
            "content": self.content,
            **dict(self.counts),
        }
        if self.accepted:
            data["accepted"] = [{"rule": rule, "reason": reason} for rule, reason in self.accepted]
        return json.dumps(data, sort_keys=True)


def parse_record(text: str | None) -> LintRecord | None:
    """Return the record in a tag, or None if the tag is missing or not a record: anyone may have written it."""
    if text is None or len(text) > _MAX_TAG_CHARACTERS:
        return None
    try:
        data = json.loads(text)
        texts = [data[name] for name in ("status", "content", "tool", "rules", "config", "contract")]
        targets = data["targets"]
        counts = tuple((name, data[name]) for name in count_names())
        accepted = tuple((entry["rule"], entry["reason"]) for entry in data.get("accepted", ()))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not all(isinstance(one, str) for one in (*texts, *targets)) or not isinstance(targets, list):
        return None
    if not all(type(count) is int for _, count in counts):
        return None
    status, content, tool, rules, config, contract = texts
    return LintRecord(status, content, Conditions(tool, rules, tuple(targets), config, contract), counts, accepted)


def count_names() -> list[str]:
    """Return the names of the counts: severities, most severe first, and suppressed findings."""
    return [*reversed(SEVERITIES), "suppressed"]


def read_key() -> bytes | None:
    """Return the key of seals, or None if there is none. Raises `UserError` if it is too short to be secret."""
    text = os.environ.get(KEY_VARIABLE, "")
    if not text:
        return None
    if len(text.encode()) < MIN_KEY_BYTES:
        raise UserError(
            f"{KEY_VARIABLE} has less than {MIN_KEY_BYTES} bytes", hint="use 32 random bytes, such as in hexadecimal"
        )
    return text.encode()


def make_seal(key: bytes, name: str, number: str, record: LintRecord) -> str:
    """Return the seal of a passing version."""
    conditions = record.conditions
    values = [_SEAL_VERSION, PASS, name, number, record.content, conditions.rules, list(conditions.targets)]
    text = json.dumps([*values, conditions.config, conditions.contract])
    return f"{_SEAL_VERSION}:{hmac.new(key, text.encode(), hashlib.sha256).hexdigest()}"


def is_sealed(key: bytes, name: str, number: str, record: LintRecord, seal: str | None) -> bool:
    """Return whether a seal is that of this version, content and conditions."""
    expected = make_seal(key, name, number, record)
    return seal is not None and hmac.compare_digest(seal.encode("utf-8", "replace"), expected.encode())


def build_tags(version: ModelVersion, record: LintRecord, key: bytes | None) -> dict[str, str]:
    """Return the tags of a version that have to change."""
    is_passing = record.status == PASS
    seal = make_seal(key, version.name, version.number, record) if key is not None and is_passing else NO_SEAL
    tags = {STATUS_TAG: record.status, RECORD_TAG: record.dump(), SEAL_TAG: seal}
    if key is None and version.tags.get(SEAL_TAG, NO_SEAL) == NO_SEAL:
        del tags[SEAL_TAG]
    return {name: value for name, value in tags.items() if version.tags.get(name) != value}


def keep_accepted(version: ModelVersion, record: LintRecord) -> LintRecord:
    """Return a record with the acceptances in the tags of a version, if these are for the same content."""
    stored = parse_record(version.tags.get(RECORD_TAG))
    if record.accepted or stored is None or _subject(stored) != _subject(record):
        return record
    return replace(record, accepted=stored.accepted)


def _subject(record: LintRecord) -> tuple[str, Conditions]:
    return record.content, record.conditions


def find_stored_status(version: ModelVersion, record: LintRecord) -> str:
    """Return the status in the tags of a version: `stale` if it does not apply to `record`, empty if there is none."""
    stored = parse_record(version.tags.get(RECORD_TAG))
    if stored is None:
        return ""
    return stored.status if _subject(stored) == _subject(record) else STALE

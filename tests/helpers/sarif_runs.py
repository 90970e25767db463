"""SARIF runs made by hand, and the validator of the standard."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema

from tests.helpers.models.named import NAMED
from tests.helpers.paths import TESTS
from tests.helpers.reports import finding
from tflint.catalog import builtin_catalog
from tflint.findings import Finding, Report
from tflint.report import sarif_report
from tflint.writer.model_edits import edit_model

SCHEMA = json.loads((TESTS / "report" / "sarif" / "sarif-2.1.0.json").read_bytes())


VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


AXIS = {"tensors.bias.quantization.quantized_dimension": 3}
#: What RFC 3986 lets stand in a relative reference or in an absolute URI.
URI_TEXT = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:)?([A-Za-z0-9\-._~!$&'()*+,;=:@/?#\[\]]|%[0-9A-F]{2})*")


def run_of(made: Report, profile: str = "github", rules: Any = None, max_level: str = "error") -> dict[str, Any]:
    """The one run of a report's SARIF, read again from its text and checked against the schema."""
    text = sarif_report.render(made, builtin_catalog().rules if rules is None else rules, profile, max_level=max_level)
    log = json.loads(text.encode("utf-8"))
    problems = [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(log)]
    assert problems == []
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    return run


def broken(name: str = "conv_int8", **more: Any) -> bytes:
    return edit_model(NAMED[name](), AXIS | more)


def many() -> tuple[Finding, ...]:
    """More findings than GitHub keeps, every second one an error."""
    n = sarif_report.GITHUB_RESULTS + 11
    return tuple(finding(severity=("note", "error")[k % 2], identity=(f"tensor {k}",)) for k in range(n))


URIS = {
    "models/a.tflite": "models/a.tflite",
    "models/a b.tflite": "models/a%20b.tflite",
    "models/100%.tflite": "models/100%25.tflite",
    "models/caf\u00e9 \u2603.tflite": "models/caf%C3%A9%20%E2%98%83.tflite",
    b"caf\xe9.tflite".decode("utf-8", "surrogateescape"): "caf%E9.tflite",
    "half \ud83d.tflite": "half%20%ED%A0%BD.tflite",
    "a#b?c.tflite": "a%23b%3Fc.tflite",
    "a:b.tflite": "a%3Ab.tflite",
    "line\nbreak.tflite": "line%0Abreak.tflite",
    "../up.tflite": "../up.tflite",
    "/srv/models/a b.tflite": "file:///srv/models/a%20b.tflite",
    r"C:\models\a b.tflite": "file:///C:/models/a%20b.tflite",
    "C:/models/a.tflite": "file:///C:/models/a.tflite",
    r"\\server\share\a.tflite": "file://server/share/a.tflite",
    "<bytes>": "%3Cbytes%3E",
    "s3://bucket/a%20b.tflite": "s3://bucket/a%20b.tflite",
}

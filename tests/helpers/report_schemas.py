"""Schemas of report formats that other projects define."""

from __future__ import annotations

import json

import jsonschema
import xmlschema

from tests.helpers.paths import TESTS

#: GitLab's Code Quality, from its documented fields.
GITLAB_SCHEMA = json.loads((TESTS / "report" / "gitlab" / "code_quality.schema.json").read_text(encoding="utf-8"))
GITLAB_VALIDATOR = jsonschema.Draft202012Validator(GITLAB_SCHEMA)
#: JUnit, as Jenkins reads it.
JUNIT_SCHEMA = xmlschema.XMLSchema(TESTS / "report" / "junit" / "junit-10.xsd")

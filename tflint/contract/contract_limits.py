"""Limits that the schema sets for contracts: dtypes, number of dimensions, size of images."""

from __future__ import annotations

from tflint.resources import json_schema

DTYPES = frozenset(json_schema("contract")["$defs"]["dtype"]["enum"])
MAX_RANK: int = json_schema("contract")["$defs"]["shape"]["maxItems"]
MAX_SIDE: int = json_schema("contract")["$defs"]["side"]["maximum"]

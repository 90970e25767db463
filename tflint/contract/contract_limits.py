"""Limits that the schema sets for contracts: dtypes, dimensions, image sides, sample rate (Hz) and duration (s)."""

from __future__ import annotations

from tflint.resources import json_schema

DTYPES = frozenset(json_schema("contract")["$defs"]["dtype"]["enum"])
MAX_RANK: int = json_schema("contract")["$defs"]["shape"]["maxItems"]
MAX_SIDE: int = json_schema("contract")["$defs"]["side"]["maximum"]
MAX_SAMPLE_RATE: int = json_schema("contract")["$defs"]["audio"]["properties"]["sample-rate"]["maximum"]
MAX_DURATION: int = json_schema("contract")["$defs"]["audio"]["properties"]["duration"]["maximum"]

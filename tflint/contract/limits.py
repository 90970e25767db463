"""What a contract can hold, by its schema: types, and how many axes."""

from __future__ import annotations

from tflint.resources import json_schema

DTYPES = frozenset(json_schema("contract")["$defs"]["dtype"]["enum"])
MAX_RANK: int = json_schema("contract")["$defs"]["shape"]["maxItems"]

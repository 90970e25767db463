"""A configuration with every key."""

from __future__ import annotations

FULL = """\
targets = ["litert==2.3.0", "tflm"]
ruleset = "0.1"
select = ["Q", "operator"]
ignore = ["Q004"]
severity = { Q001 = "warning" }
fail-on = "note"
exclude = ["old/**"]
baseline = "known.json"
lfs-pointers = "note"
per-file-ignores = { "a/*.tflite" = ["Q001"] }

[[allow]]
rule = "Q001"
path = "b.tflite"
at = "bias"
reason = "measured on the device"
until = "2030-01-31"
"""

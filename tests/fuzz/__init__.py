"""Coverage-guided fuzzing: properties that hold for any bytes, format-aware mutations, kept inputs and crashers.

`python -m tests.fuzz.run` fuzzes (extra `fuzz`); `test_fuzz.py` replays `corpus/` and `crashers/` without it.
"""

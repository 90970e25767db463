"""Coverage-guided fuzzing: properties that hold for any bytes, mutations that know the format, and what they found.

`python -m tests.fuzz.run` fuzzes (extra `fuzz`); `test_fuzz.py` replays `corpus/` and `crashers/` without it.
"""

"""Tries rules on their own examples: what `tflint rules test` does, and what the tests of the built-in rules do."""

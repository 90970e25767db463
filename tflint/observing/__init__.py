"""Looks at the data that a model is fed: its smallest and largest values, and how much the model's input cannot hold.

`arrays` reads files of numbers and pictures, `ranges` looks at them.
"""

from tflint.observing.ranges import Observed, observe

__all__ = ["Observed", "observe"]

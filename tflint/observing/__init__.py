"""Looks at the data that a model is fed: its smallest and largest values, and how much the model's input cannot hold.

`files` finds data, `npy` and `images` read it within named limits, `arrays` finds its inputs, `ranges` looks at it.
"""

from tflint.observing.ranges import Observed, observe

__all__ = ["Observed", "observe"]

"""Measures sample data: minimum and maximum per channel, and the number of values that the model's input clips.

`sample_files` finds data files, `npy_files` and `sample_images` read them within limits, `sample_arrays` matches them
with inputs, and `observed_range` measures them.
"""

from tflint.preprocessing.observe.observed_range import Observation, Observed, observe

__all__ = ["Observation", "Observed", "observe"]

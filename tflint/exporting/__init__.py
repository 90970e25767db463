"""Writes a contract into a copy of its model, as TFLite metadata: what that schema can hold, and a list of the rest.

`metadata` makes the metadata, `embed` puts it into a model and proves that nothing else changed.
"""

from tflint.exporting.embed import Exported, exported

__all__ = ["Exported", "exported"]

"""Exports a contract into a copy of its model as TFLite metadata, and lists the keys that the metadata cannot hold.

`contract_metadata` builds the metadata; `metadata_embedding` writes it and verifies that nothing else changed.
"""

from tflint.preprocessing.export.metadata_embedding import Exported, exported

__all__ = ["Exported", "exported"]

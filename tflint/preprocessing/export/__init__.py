"""Exports a contract as TFLite metadata into a copy of its model, and lists the keys that metadata cannot express.

`contract_metadata` builds the metadata; `metadata_embedding` writes it and verifies that nothing else changed.
"""

from tflint.preprocessing.export.metadata_embedding import ExportedModel, export_metadata

__all__ = ["ExportedModel", "export_metadata"]

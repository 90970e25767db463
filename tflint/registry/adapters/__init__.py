"""The adapters of registries that ship with tflint: a folder, and an MLflow server over its REST API.

An adapter implements `tflint.registry.model_registry.Registry` and must not know rules or reports.
"""

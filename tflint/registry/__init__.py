"""The lint stage of a model registry: lints versions, annotates them, and moves an alias only to a version that passes.

`model_registry` defines what a registry is; `adapters` and other distributions implement it. `version_lint` lints one
version, `promotion` moves an alias. `gate` runs inside an MLflow server and must not be imported by anything else.
Names, tags and artifacts from a registry are hostile input.
"""

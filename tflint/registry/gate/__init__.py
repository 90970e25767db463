"""The gate: refuses, inside an MLflow server, to deploy a version without a valid seal.

`gate_policy` reads what the gate requires, `seal_check` decides about a version, `mlflow_gate` hooks this into the
server. Only the server imports this package; it needs the extra `gate`.
"""

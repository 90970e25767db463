"""Facts: columns and tables that tflint derives from the tables of a model.

Each fact is declared with its meaning and computed on first use. The functions of facts read the `Tables` of a batch of
models and return further columns. Facts must not know rules. `fact_registry.py` lists all declarations.
"""

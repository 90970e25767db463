"""Facts: columns and tables that tflint derives from the tables of a model.

Each fact is declared with its meaning and computed on first use. Input are the `Tables` of a batch, output are further
columns of the same kinds. Facts must not know rules. `fact_registry.py` lists all declarations.
"""

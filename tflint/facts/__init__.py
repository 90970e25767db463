"""Facts: columns and tables derived from what the file holds, each declared with its meaning and computed when asked.

Takes `Tables`, gives more columns of the same shape; refuses to know rules. `declared.py` is the registry.
"""

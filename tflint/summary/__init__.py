"""Summary of one model: interface, quantization scheme, required runtime, memory, sizes and metadata.

`summarize` takes the facts of one model and returns a `Summary`. The renderers print it as text or JSON. This package
does not read weights, and must not import rules.
"""

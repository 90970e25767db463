"""Summary of one model: interface, quantization scheme, required runtime, memory, sizes and metadata.

Takes the facts of one model and returns a `Summary`, which text and JSON renderers print. Reads no weights; must not
know rules.
"""

"""Summaries of one model: interface, quantization scheme, required runtime, memory, sizes and metadata.

Takes the facts of one model and gives a `Portrait` with text and JSON renderers. Reads no weights; must not know rules.
"""

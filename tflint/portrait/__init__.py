"""What one model is: its border, scheme, runtime, memory, sizes, metadata, as plain values that text and JSON render.

Takes the facts of one model, gives a `Portrait`; reads no weights, judges nothing, and refuses to print.
"""

"""Reads any FlatBuffers file as columns of positions, scalars and vectors, with every offset and size checked.

Takes bytes and a layout, gives `Node`s (one per kind of table) of columns; refuses to know that TFLite exists.
A malformed file raises `FlatbufferError`.
"""

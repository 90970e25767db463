"""Reads any FlatBuffers file into columns of positions, scalars and vectors, and checks every offset and size.

Input: bytes and the layouts of a schema. Output: one `Node` per schema path, with the fields of its tables as columns.
Must not know TFLite. A malformed file raises `FlatbufferError`.
"""

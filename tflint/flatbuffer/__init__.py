"""Reads any FlatBuffers file into columns of positions, scalars and vectors, and checks every offset and size.

Input: bytes and a schema layout. Output: one `Node` of columns per schema path. Must not know TFLite. A malformed file
raises `FlatbufferError`.
"""

"""Decodes FlexBuffers, the schemaless format of custom operators' options, and checks every offset and width.

Input: bytes. Output: plain Python values. Must not know the meaning of the values. Invalid data raises
`FlexbufferError`. The official Python reader is not used: it has no checks and fails with arbitrary exceptions.
"""

from tflint.flexbuffer.flexbuffer_decoder import Budget, FlexbufferError, Value, decode

__all__ = ["Budget", "FlexbufferError", "Value", "decode"]

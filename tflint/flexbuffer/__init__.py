"""Decodes FlexBuffers, the schemaless format of custom operators' options, and checks every offset and width.

Input: bytes. Output: plain Python values; must not know their meaning. Invalid data raises `FlexbufferError`. The
official Python reader has no checks: it fails with arbitrary exceptions.
"""

from tflint.flexbuffer.flexbuffer_decoder import Budget, FlexbufferError, Value, decode

__all__ = ["Budget", "FlexbufferError", "Value", "decode"]

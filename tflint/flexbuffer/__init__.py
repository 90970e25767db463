"""Decodes FlexBuffers, the schemaless format of custom operators' options, with every offset and width checked.

Takes bytes, gives plain Python values; refuses to know what they mean. What is no whole FlexBuffer raises
`FlexbufferError`. The official reader for Python checks nothing: it fails with whatever its slices give.
"""

from tflint.flexbuffer.flexbuffer_decoder import Budget, FlexbufferError, Value, decode

__all__ = ["Budget", "FlexbufferError", "Value", "decode"]

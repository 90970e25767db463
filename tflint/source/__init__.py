"""Sources of a model's bytes: a file, bytes in memory, or a member of a container (later, a remote object).

A source has a `size`, an `identity()` that changes with its content, and `read(ranges)`. Must not know the meaning of
the bytes.
"""

from tflint.source.byte_source import BytesSource, FileSource, Source, SourceError, reader

__all__ = ["BytesSource", "FileSource", "Source", "SourceError", "reader"]

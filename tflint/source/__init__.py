"""Where a model's bytes come from: a file, bytes in memory, a member of a container (later a remote object).

A source gives its `size`, an `identity()` that changes when its content does, and `read(ranges)`; it refuses to know
what the bytes mean.
"""

from tflint.source.byte_source import BytesSource, FileSource, Source, SourceError, reader

__all__ = ["BytesSource", "FileSource", "Source", "SourceError", "reader"]

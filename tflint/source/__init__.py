"""Where a model's bytes come from: a file, bytes in memory (later a member of a container, a remote object).

A source gives its `size`, an `identity()` that changes when its content does, and `read(ranges)`; it refuses to know
what the bytes mean.
"""

from tflint.source.source import BytesSource, FileSource, Source, SourceError

__all__ = ["BytesSource", "FileSource", "Source", "SourceError"]

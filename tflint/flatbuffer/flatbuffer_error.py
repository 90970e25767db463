"""The one error of a malformed flatbuffer: what is broken, at which byte, at which place of the schema."""

from __future__ import annotations

from tflint.errors import TflintError


class FlatbufferError(TflintError):
    """A file breaks an invariant of the format or a budget.

    `reason` is a short sentence, `offset` the byte of the file where it shows (-1: none), `path` the place in the
    schema such as `subgraphs.tensors.shape`, `root` which file of a batch it is, and `is_truncation` says that
    an offset or a size points past the end of the file. `n_tables` is how many tables had been read by then.
    """

    def __init__(
        self, reason: str, *, offset: int = -1, path: str = "", root: int = 0, is_truncation: bool = False
    ) -> None:
        super().__init__(f"{path or 'file'}: {reason}" + (f" (at byte {offset})" if offset >= 0 else ""))
        self.reason = reason
        self.offset = offset
        self.path = path
        self.root = root
        self.is_truncation = is_truncation
        self.n_tables = 0

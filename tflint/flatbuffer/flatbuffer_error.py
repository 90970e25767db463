"""The error for a malformed flatbuffer."""

from __future__ import annotations

from tflint.errors import TflintError


class FlatbufferError(TflintError):
    """A file violates the format or exceeds a budget.

    `reason` is a short clause for messages. `offset` is the byte offset in the file, or -1 if unknown. `path` is the
    schema path, such as `subgraphs.tensors.shape`. `root` is the index of the file in its batch. `is_truncation` is
    true if something reaches past the end of the file. `n_tables` is the number of tables read before the error.
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

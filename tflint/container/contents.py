"""Containers as values: members with sizes and problems, and the budgets that bound what opening one can cost."""

from __future__ import annotations

from tflint.source.kind import CONTAINER, MODEL
from tflint.values import frozen, holder

#: Containers within containers, the outermost included. Bundles of MediaPipe nest two deep (a hand landmarker within a
#: gesture recognizer).
MAX_DEPTH = 4
#: Members of a file, those of its nested containers included: as many as one zip may list.
MAX_MEMBERS = 10_000
#: Bytes that the compressed members of one file may unpack to, nested ones included. Bundles store their models
#: uncompressed; who zips one by hand packs some ten megabytes. A large one lies in memory while it is checked.
MAX_UNPACKED_BYTES = 256 * 1024 * 1024
#: A member beyond this many bytes that shrank by more than this factor is made to cost memory: weights shrink by less
#: than ten, and only constants by more than a hundred.
RATIO_ALLOWANCE = 16 * 1024 * 1024
MAX_RATIO = 100
#: A stored member up to this size is read whole, to compare its checksum; weights of larger ones are not read.
CHECKSUM_BYTES = 256 * 1024

#: What a member is that is neither a model nor a container of models.
OTHER = "other"

# Why a member was not looked at.
ENCRYPTED = "encrypted"
UNSUPPORTED_COMPRESSION = "unsupported-compression"
BROKEN_OFFSETS = "broken-offsets"
BROKEN_DATA = "broken-data"
OVERLAP = "overlap"
BOMB = "bomb"
OVER_BUDGET = "over-budget"
TOO_DEEP = "too-deep"
UNSAFE_NAME = "unsafe-name"

#: All problems, for whoever declares what a column can hold.
PROBLEMS = (
    ENCRYPTED, UNSUPPORTED_COMPRESSION, BROKEN_OFFSETS, BROKEN_DATA, OVERLAP, BOMB, OVER_BUDGET, TOO_DEEP, UNSAFE_NAME,
)  # fmt: skip


@frozen
class Member:
    """A member of a container.

    `name` is as stored, `label` what paths call it: unique within the container. `size` and `packed_size` are bytes,
    `offset` and `packed_size` say where the packed bytes lie in the container (None: nobody knows). `kind` is what it
    is, or should be by its name: model, container or other. `problem` says why it was not looked at, `detail` the same
    in words. `is_checksum_right` is None where the checksum was not compared.
    """

    index: int
    name: str
    label: str
    size: int
    packed_size: int
    kind: str = OTHER
    offset: int | None = None
    compression: str = "stored"
    data_type: str | None = None
    problem: str | None = None
    detail: str | None = None
    is_checksum_right: bool | None = None
    is_duplicate: bool = False

    @property
    def is_checked(self) -> bool:
        """Whether it gets a report of its own: it is a model, or a container of models."""
        return self.problem is None and self.kind in (MODEL, CONTAINER)


class Budget:
    """What is left for one file and all that is nested in it."""

    def __init__(self) -> None:
        self.members = MAX_MEMBERS
        self.unpacked_bytes = MAX_UNPACKED_BYTES


@holder
class Contents:
    """What a container holds: its format (zip or litertlm) and its members, or the reason why they cannot be listed.

    `depth` is 1 for a file of its own, 2 for a container in it; `budget` is what is left for both together.
    """

    format: str
    members: tuple[Member, ...] = ()
    depth: int = 1
    reason: str | None = None
    reason_offset: int | None = None
    reason_path: str | None = None
    budget: Budget | None = None

    @property
    def n_models(self) -> int:
        """How many members are, or by their names should be, models or containers of models."""
        return sum(member.kind in (MODEL, CONTAINER) for member in self.members)

    @property
    def n_unread(self) -> int:
        """How many members were not looked at."""
        return sum(member.problem is not None for member in self.members)

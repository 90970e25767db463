"""Containers as values: members with sizes and problems, and the budgets that bound what opening one can cost."""

from __future__ import annotations

from tflint.source.file_kind import CONTAINER, MODEL
from tflint.values import frozen, replace

#: Containers within containers, the outermost included. Bundles of MediaPipe nest two deep (a hand landmarker within a
#: gesture recognizer).
MAX_DEPTH = 4
#: Members of a file, those of its nested containers included: as many as one zip may list.
MAX_MEMBERS = 10_000
#: Models and nested containers of a file that get a report of their own. Bundles have a few dozen at most.
MAX_REPORTS = 256
#: Bytes that the compressed members of one file may unpack to, nested ones included. Bundles store their models
#: uncompressed; who zips one by hand packs some ten megabytes. A large one lies in memory while it is checked.
MAX_UNPACKED_BYTES = 256 * 1024 * 1024
#: A member, or all members of a file together, that unpack to more than this many bytes and shrank by more than this
#: factor are made to cost memory: weights shrink by less than ten, and only constants by more than a hundred.
RATIO_ALLOWANCE = 16 * 1024 * 1024
MAX_RATIO = 100
#: Bytes of zip directories and `.litertlm` headers that are read below the outermost container. One of 10,000 empty
#: members shrinks to a few kilobytes. Nested bundles have some ten members.
MAX_NESTED_DIRECTORY_BYTES = 2 * 1024 * 1024
#: Characters in the name of a model or container. Each finding repeats the names around it; Linux allows 255 bytes.
MAX_NAME_LENGTH = 1024
#: Tables and vector elements that the models of a file may name before the next one is read, beyond one for every four
#: bytes of the file: an element takes four bytes unless it is shared or compressed, so this bounds only what is.
ELEMENT_ALLOWANCE = 100_000
BYTES_PER_ELEMENT = 4
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
    in words. `is_checksum_right` is None where the checksum was not compared. `digest` is the SHA-256 of the bytes, of
    a small or compressed model or container only: those of large stored ones are not read.
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
    digest: bytes | None = None

    @property
    def is_checked(self) -> bool:
        """Whether it gets a report of its own: it is a model, or a container of models."""
        return self.problem is None and self.kind in (MODEL, CONTAINER)


class Budget:
    """What is left for one file of `n_bytes` and all that is nested in it.

    `has_refused` is set when something is refused for lack of it: the same bytes may then read differently elsewhere.
    `is_for_one` tells that a single member is asked for: the members on the way to it take no reports.
    """

    def __init__(self, n_bytes: int, *, is_for_one: bool = False) -> None:
        self.members = MAX_MEMBERS
        self.reports = MAX_REPORTS
        self.max_unpacked_bytes = min(MAX_UNPACKED_BYTES, RATIO_ALLOWANCE + MAX_RATIO * n_bytes)
        self.unpacked_bytes = self.max_unpacked_bytes
        self.directory_bytes = MAX_NESTED_DIRECTORY_BYTES
        self.max_elements = ELEMENT_ALLOWANCE + n_bytes // BYTES_PER_ELEMENT
        self.is_for_one = is_for_one
        self.has_refused = False

    def take_members(self, n_members: int) -> bool:
        """Whether so many more members can be listed; once they cannot, no others can."""
        self.members -= n_members
        self.has_refused |= self.members < 0
        return self.members >= 0

    def directory_refusal(self, n_bytes: int) -> str | None:
        """Why a nested directory or header of so many bytes is not read; None if it may be, and is paid for."""
        if n_bytes <= self.directory_bytes:
            self.directory_bytes -= n_bytes
            return None
        self.has_refused = True
        return (
            f"with its directory of {n_bytes:,} bytes, the directories of the nested containers in the file have more"
            f" than {MAX_NESTED_DIRECTORY_BYTES:,}"
        )

    def take_unpacked(self, n_bytes: int) -> bool:
        """Whether a member that unpacks to so many bytes can be unpacked."""
        if n_bytes > self.unpacked_bytes:
            self.has_refused = True
            return False
        self.unpacked_bytes -= n_bytes
        return True

    def admit(self, member: Member) -> Member:
        """The member; with a problem if it needs a report and there is none left for it."""
        if not member.is_checked or self.is_for_one:
            return member
        if len(member.name) > MAX_NAME_LENGTH:
            detail = f"its name has {len(member.name):,} characters, more than {MAX_NAME_LENGTH:,}"
        elif self.reports <= 0:
            limit = f"{MAX_REPORTS:,}"
            detail = f"the file contains more than {limit} models and containers; tflint checks only the first {limit}"
        else:
            self.reports -= 1
            return member
        self.has_refused = True
        return refused(member, detail)

    def afford(self, contents: Contents) -> bool:
        """Pay for a container whose bytes were listed before; False (and nothing is paid) if that is too much."""
        n_members, n_reports = len(contents.members), sum(member.is_checked for member in contents.members)
        if n_members > self.members or n_reports > self.reports:
            return False
        self.members -= n_members
        self.reports -= n_reports
        return True


def refused(member: Member, detail: str) -> Member:
    """A member that is not looked at for lack of budget."""
    return replace(member, problem=OVER_BUDGET, detail=detail)


@frozen(eq=False)
class Contents:
    """What a container holds: its format (zip or litertlm) and its members, or the reason why they cannot be listed.

    `depth` is 1 for a file of its own, 2 for a container in it; `budget` is what is left for both together, and
    `is_complete` tells that none of it lacked.
    """

    format: str
    members: tuple[Member, ...] = ()
    depth: int = 1
    reason: str | None = None
    reason_offset: int | None = None
    reason_path: str | None = None
    budget: Budget | None = None
    is_complete: bool = True

    @property
    def n_models(self) -> int:
        """How many members are, or by their names should be, models or containers of models."""
        return sum(member.kind in (MODEL, CONTAINER) for member in self.members)

    @property
    def n_unread(self) -> int:
        """How many members were not looked at."""
        return sum(member.problem is not None for member in self.members)

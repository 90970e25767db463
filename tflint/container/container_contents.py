"""Members of containers with their sizes and problems, and the budgets that limit the cost of opening a container."""

from __future__ import annotations

from tflint.source.file_kind import CONTAINER, MODEL
from tflint.values import frozen, replace

#: Maximum number of nested containers, including the outermost. MediaPipe bundles have two levels (a hand landmarker in
#: a gesture recognizer).
MAX_DEPTH = 4
#: Maximum number of members of a file, including those of nested containers; also the limit of one zip.
MAX_MEMBERS = 10_000
#: Maximum number of models and nested containers in a file that get their own report. Bundles have a few dozen at most.
MAX_REPORTS = 256
#: Maximum total size in bytes of the unpacked members of a file, including nested ones; only compressed members count.
#: Bundles store models uncompressed; a zip made by hand unpacks to some ten megabytes. An unpacked member stays in
#: memory while it is checked.
MAX_UNPACKED_BYTES = 256 * 1024 * 1024
#: A member, or all members of a file together, that unpack to more than this many bytes and by more than this ratio
#: count as a zip bomb: weights compress by less than 10 times; only constant data compresses by more than 100 times.
RATIO_ALLOWANCE = 16 * 1024 * 1024
MAX_RATIO = 100
#: Maximum total size in bytes of the zip directories and `.litertlm` headers of nested containers. A zip of 10,000
#: empty members compresses to a few kilobytes; nested bundles have about ten members.
MAX_NESTED_DIRECTORY_BYTES = 2 * 1024 * 1024
#: Maximum number of characters in the name of a model or container. Each finding repeats the names of its containers.
#: Linux allows 255 bytes.
MAX_NAME_LENGTH = 1024
#: Number of tables and vector elements that the models of a file may reference before the next model is read, in
#: addition to one per four bytes of the file. An unshared, uncompressed element takes at least four bytes, so this
#: limits only shared and compressed elements.
ELEMENT_ALLOWANCE = 100_000
BYTES_PER_ELEMENT = 4
#: A stored member up to this size is read whole to compare its checksum; larger members are not, to avoid reading
#: weights.
CHECKSUM_BYTES = 256 * 1024

#: Kind of a member that is neither a model nor a container.
OTHER = "other"

# Problems: the reasons why a member was not checked.
ENCRYPTED = "encrypted"
UNSUPPORTED_COMPRESSION = "unsupported-compression"
BROKEN_OFFSETS = "broken-offsets"
BROKEN_DATA = "broken-data"
OVERLAP = "overlap"
BOMB = "bomb"
OVER_BUDGET = "over-budget"
TOO_DEEP = "too-deep"
UNSAFE_NAME = "unsafe-name"

#: All problems: the domain of the `problem` column.
PROBLEMS = (
    ENCRYPTED, UNSUPPORTED_COMPRESSION, BROKEN_OFFSETS, BROKEN_DATA, OVERLAP, BOMB, OVER_BUDGET, TOO_DEEP, UNSAFE_NAME,
)  # fmt: skip


@frozen
class Member:
    """A member of a container.

    `name` is the stored name. `label` is unique within the container and used in paths. `size` and `packed_size` are in
    bytes. `offset` is the position of the packed bytes in the container, or None if it is unknown. `kind` (model,
    container or other) follows from the content or the name. `problem` is the reason why the member was not checked,
    and `detail` describes that problem. `is_checksum_right` is None if the checksum was not compared. `digest` is the
    SHA-256 of the bytes of a model or container that is small or compressed. Large members that are stored uncompressed
    are not read and have no digest.
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
        """Whether the member gets its own report: a model or container without a problem."""
        return self.problem is None and self.kind in (MODEL, CONTAINER)


class Budget:
    """The remaining budget of one file of `n_bytes` bytes and all containers nested in it.

    `has_refused` is true if something exceeded the budget. In that case, equal bytes in another place may give a
    different result. If `is_for_one` is true, a single member was requested, and the containers around it do not count
    as reports.
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
        """Take a number of members from the budget; return whether they fit. After a failure, all later calls fail."""
        self.members -= n_members
        self.has_refused |= self.members < 0
        return self.members >= 0

    def directory_refusal(self, n_bytes: int) -> str | None:
        """Take a nested directory or header from the budget. Return None if it fits, else why it is not read."""
        if n_bytes <= self.directory_bytes:
            self.directory_bytes -= n_bytes
            return None
        self.has_refused = True
        return (
            f"with the directory of {n_bytes:,} bytes, the directories of the nested containers in the file have more"
            f" than {MAX_NESTED_DIRECTORY_BYTES:,}"
        )

    def take_unpacked(self, n_bytes: int) -> bool:
        """Take the unpacked size of a member from the budget and return whether it fits."""
        if n_bytes > self.unpacked_bytes:
            self.has_refused = True
            return False
        self.unpacked_bytes -= n_bytes
        return True

    def admit(self, member: Member) -> Member:
        """Take a report from the budget and return the member. If no report is left, the member gets a problem."""
        if not member.is_checked or self.is_for_one:
            return member
        if len(member.name) > MAX_NAME_LENGTH:
            detail = f"the name has {len(member.name):,} characters, more than {MAX_NAME_LENGTH:,}"
        elif self.reports <= 0:
            limit = f"{MAX_REPORTS:,}"
            detail = f"the file contains more than {limit} models and containers; tflint checks only the first {limit}"
        else:
            self.reports -= 1
            return member
        self.has_refused = True
        return refuse_member(member, detail)

    def try_charge(self, contents: Contents) -> bool:
        """Take the members and reports of a listed container from the budget if both fit; return whether they fit."""
        n_members, n_reports = len(contents.members), sum(member.is_checked for member in contents.members)
        if n_members > self.members or n_reports > self.reports:
            return False
        self.members -= n_members
        self.reports -= n_reports
        return True


def refuse_member(member: Member, detail: str) -> Member:
    """Return the member with the problem that it is over budget."""
    return replace(member, problem=OVER_BUDGET, detail=detail)


@frozen(eq=False)
class Contents:
    """Format (zip or litertlm) and members of a container, or the reason why they cannot be listed.

    `depth` is 1 for a file and 2 for a container in it; both share `budget`. `is_complete` is false if something
    exceeded the budget.
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
        """Number of members that are models or containers, by content or by name."""
        return sum(member.kind in (MODEL, CONTAINER) for member in self.members)

    @property
    def n_unread(self) -> int:
        """Number of members that were not checked."""
        return sum(member.problem is not None for member in self.members)

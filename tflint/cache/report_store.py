"""Stores the reports of files by the content of the file, so that a fresh checkout does not need to be checked again.

The key of an entry has the content and the path of the file, and everything that affects its reports: tflint itself,
rules and settings. The contract is compared when an entry is found. The entries are lines in shards: files to which
processes append. A line that is damaged, because a process was killed or the disk was full, is ignored.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence

from tflint.cache.cache_folder import REPORTS, CacheFolder, open_cache, remove_temporary, remove_versions
from tflint.cache.report_codec import ShapeError, dump_reports, load_reports
from tflint.contract import Contract
from tflint.contract.contract_files import hash_contract
from tflint.findings import CRASH_RULE, FileReport
from tflint.source import FileSource, SourceError

#: Number of shards, and the maximum size of one in bytes. Of a larger shard, the newer half is kept.
N_SHARDS = 256
MAX_SHARD_BYTES = 512 << 10
#: Maximum size of an entry in bytes. A report with thousands of findings is made again.
MAX_ENTRY_BYTES = 64 << 10
#: Larger files are not hashed.
MAX_FILE_BYTES = 64 << 20

_CHUNK_BYTES = 1 << 20


class ReportStore:
    """The stored reports that apply to a run. `digest` identifies the rules and settings of the run."""

    def __init__(self, digest: str) -> None:
        self._digest = digest
        self._folder: CacheFolder | None = open_cache(REPORTS, is_created=True)
        self._shards: dict[str, bytes] = {}
        self._new: dict[str, list[bytes]] = {}

    def find(self, path: str, sha256: str) -> tuple[list[FileReport], list[str]] | None:
        """Return the stored reports of a file and, per report, the digest of its contract. None if there are none."""
        line = self._find_line(self._key(path, sha256))
        if line is None:
            return None
        try:
            digests, _, text = line.partition(b" ")
            reports = load_reports(text)
        except ShapeError:
            return None
        contracts = digests.decode("ascii", "replace").split(",")
        return (reports, contracts) if len(contracts) == len(reports) else None

    def add(self, path: str, sha256: str, reports: Sequence[FileReport], contracts: Sequence[Contract | None]) -> None:
        """Add the reports of a file, with the contract of each report. They are stored by `write`."""
        if not all(map(_can_be_stored, reports)):
            return
        try:
            text = dump_reports(reports)
        except ShapeError:
            return
        digests = ",".join(map(hash_contract, contracts))
        content = f"{digests} {text}".encode("ascii")
        if len(content) <= MAX_ENTRY_BYTES:
            key = self._key(path, sha256)
            line = b"\n%s %08x %s\n" % (key.encode(), zlib.crc32(content), content)
            self._new.setdefault(key[:2], []).append(line)

    def write(self, now: float) -> None:
        """Write the added reports to the shards. `now` is the time in seconds since 1970."""
        if self._folder is None:
            return
        for shard, lines in self._new.items():
            known = self._shards.get(shard, b"")
            added = b"".join(lines)
            if len(known) + len(added) > MAX_SHARD_BYTES or not self._folder.append(shard, added, MAX_SHARD_BYTES):
                self._folder.replace(shard, _newest(known + added))
        if self._new:
            remove_temporary(self._folder, now)
            remove_versions(now)
        self._folder.close()

    def _key(self, path: str, sha256: str) -> str:
        text = f"{self._digest}\n{sha256}\n{path}"
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()

    def _find_line(self, key: str) -> bytes | None:
        """Return the content of the newest entry with a key, if it is not damaged."""
        if self._folder is None:
            return None
        shard = key[:2]
        if shard not in self._shards:
            self._shards[shard] = self._folder.read(shard, 2 * MAX_SHARD_BYTES) or b""
        content = self._shards[shard]
        begin = content.rfind(b"\n%s " % key.encode())
        if begin < 0:
            return None
        line = content[begin + 1 : content.find(b"\n", begin + 1)]
        _, checksum, entry = (*line.split(b" ", 2), b"", b"")[:3]
        return entry if checksum == b"%08x" % zlib.crc32(entry) else None


def hash_file(path: str) -> str:
    """Return the SHA-256 of a file, or an empty text if it is large or cannot be read."""
    try:
        with FileSource(path) as source:
            if source.size >= MAX_FILE_BYTES:
                return ""
            digest = hashlib.sha256()
            for begin in range(0, source.size, _CHUNK_BYTES):
                digest.update(source.read([(begin, min(begin + _CHUNK_BYTES, source.size))])[0])
            return digest.hexdigest()
    except SourceError:
        return ""


def _can_be_stored(report: FileReport) -> bool:
    """Return whether a report depends only on the key: not if a rule crashed or the file could not be read."""
    return report.status == "checked" and all(finding.rule != CRASH_RULE for finding in report.findings)


def _newest(content: bytes) -> bytes:
    """Return the newest entries, in half of the size of a shard."""
    half = content[-MAX_SHARD_BYTES // 2 :]
    return half[half.find(b"\n") :] if b"\n" in half else b""

"""The contents of the cache folder as numbers, and the operations on the whole cache."""

from __future__ import annotations

import time

from tflint._version import __version__
from tflint.cache.cache_folder import REPORTS, RUNS, find_path, open_root, remove_versions
from tflint.cache.report_store import MAX_SHARD_BYTES, N_SHARDS
from tflint.cache.run_record import MAX_BYTES, N_SLOTS
from tflint.values import frozen

#: Largest size that the cache of one version can reach, in bytes.
MAX_TOTAL_BYTES = N_SHARDS * MAX_SHARD_BYTES + N_SLOTS * MAX_BYTES


@frozen
class VersionSummary:
    """The cache of one version of tflint: number of recorded runs, and bytes of all files."""

    version: str
    n_runs: int
    n_bytes: int


def summarize() -> list[VersionSummary]:
    """Return a summary per version of tflint, this version first."""
    root = open_root()
    if root is None:
        return []
    summaries = []
    for version, _ in root.entries():
        folder = root.enter(version)
        if folder is None:
            continue
        sizes: dict[str, list[int]] = {}
        for name in (RUNS, REPORTS):
            inner = folder.enter(name)
            if inner is not None:
                sizes[name] = [status.st_size for _, status in inner.entries()]
                inner.close()
        folder.close()
        if sizes:
            summaries.append(VersionSummary(version, len(sizes.get(RUNS, ())), sum(map(sum, sizes.values()))))
    root.close()
    return sorted(summaries, key=lambda one: (one.version != __version__, one.version))


def clear() -> str:
    """Remove everything that tflint stored. Return the path of the cache folder."""
    remove_versions(time.time(), 0, is_own_kept=False)
    return find_path()


def prune() -> str:
    """Remove what other versions of tflint stored. Return the path of the cache folder."""
    remove_versions(time.time(), 0)
    return find_path()

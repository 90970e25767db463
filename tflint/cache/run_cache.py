"""The cache during a run: finds the stored reports of files, and stores new reports and the record of the run."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence

from tflint.cache.file_state import EXISTS, MISSING, is_settled, read_state
from tflint.cache.report_store import ReportStore, hash_file
from tflint.cache.run_record import Record, can_be_stored, read_environment, store_record
from tflint.cache.tool_state import hash_tool
from tflint.contract import Contract
from tflint.contract.contract_files import label_names, label_paths
from tflint.findings import FileReport


class RunCache:
    """The cache of one run.

    `arguments` are those of the command line. `previous` is the record of an earlier run with the same environment, of
    which an input has changed. `begin_ns` is a time before the run read any file, in nanoseconds since 1970.
    """

    def __init__(self, arguments: Sequence[str], previous: Record | None, begin_ns: int) -> None:
        self._arguments = arguments
        self._environment = _read_environment(arguments)
        self._begin_ns = begin_ns
        self._hashes = {path: (state, sha256) for path, state, sha256 in previous.inputs} if previous else {}
        self._store: ReportStore | None = None
        self._stores: dict[str, ReportStore] = {}
        self._states: dict[str, str] = {}
        self._sha256: dict[str, str] = {}
        self._contracts: dict[str, Contract] = {}

    def open_store(self, digest: str) -> None:
        """Open the stored reports of the files that are checked next. `digest` identifies their rules and settings."""
        if digest not in self._stores:
            self._stores[digest] = ReportStore(f"{hash_tool()} {digest}")
        self._store = self._stores[digest]

    def watch(self, paths: Iterable[str]) -> None:
        """Read the states of inputs of the run, before the run reads them."""
        for path in paths:
            self._states[path] = _read_known_state(path)

    def watch_existence(self, paths: Iterable[str]) -> None:
        """Note which of these paths exist. Their contents do not affect the run."""
        for path in paths:
            self._states[path] = EXISTS if os.path.lexists(path) else MISSING

    def find(self, path: str) -> tuple[list[FileReport], list[str]] | None:
        """Return the stored reports of a file, and the digest of the contract of each, or None if there are none."""
        if self._store is None:
            return None
        state = self._states.get(path) or _read_known_state(path)
        known_state, known_sha256 = self._hashes.get(path, ("", ""))
        sha256 = known_sha256 if state and state == known_state else hash_file(path)
        self._states[path] = state
        self._sha256[path] = sha256
        return self._store.find(path, sha256) if sha256 else None

    def add(self, path: str, reports: Sequence[FileReport], contracts: Sequence[Contract | None]) -> None:
        """Add the reports of a file that was checked, unless the file may have changed since the run began."""
        sha256 = self._sha256.get(path)
        if self._store is None or not sha256 or not self._is_trusted(path):
            return
        if all(map(self._has_trusted_files, filter(None, contracts))):
            self._store.add(path, sha256, reports, contracts)

    def note_contracts(self, contracts: Iterable[Contract | None]) -> None:
        """Note the contracts of checked files: they and their label files are inputs of the run."""
        self._contracts.update((contract.path, contract) for contract in contracts if contract is not None)

    def write_reports(self) -> None:
        """Write the added reports."""
        for store in self._stores.values():
            store.write(time.time())

    def write_record(self, output: bytes, exit_code: int) -> None:
        """Write the record of the run, unless one of its inputs may have changed since the run began."""
        environment = _read_environment(self._arguments)
        if environment is None or environment != self._environment:
            return  # such as after midnight: suppressions may expire
        if not all(map(self._has_trusted_files, self._contracts.values())):
            return
        texts = [*environment, *self._states]
        if not can_be_stored(texts) or not all(map(self._is_trusted, self._states)) or _any_link(self._states):
            return
        inputs = [(path, state, self._sha256.get(path, "")) for path, state in self._states.items()]
        store_record(Record(environment, inputs, output, exit_code))

    def _has_trusted_files(self, contract: Contract) -> bool:
        """Return whether a contract and its label files exist in its folder, and did not change during the run.

        Whether a label file elsewhere is in the checkout depends on folders that are not inputs of the run.
        """
        labels = label_paths(contract)
        if any(".." in path.split("/") for path in labels) or any(map(os.path.isabs, label_names(contract))):
            return False
        self.watch(path for path in (contract.path, *labels) if path not in self._states)
        return self._states[contract.path] != MISSING and all(map(self._is_trusted, (contract.path, *labels)))

    def _is_trusted(self, path: str) -> bool:
        """Return whether an input still has its state, and did not change shortly before the run or during it."""
        state = self._states[path]
        if not state:
            return False
        return is_settled(state, self._begin_ns) and (state == EXISTS or _read_known_state(path) == state)


def _read_environment(arguments: Sequence[str]) -> list[str] | None:
    """Return the environment of the run, or None if the current folder no longer exists."""
    try:
        return read_environment(arguments)
    except OSError:
        return None


def _read_known_state(path: str) -> str:
    """Return the state of a path, or an empty text if it cannot be read."""
    try:
        return read_state(path)
    except (OSError, ValueError):
        return ""


def _any_link(paths: Iterable[str]) -> bool:
    """Return whether a path is a link or leads through one.

    Where links lead affects which files a run may read, and the states of paths do not show it.
    """
    folders = set()
    for path in paths:
        if os.path.islink(path):
            return True
        folders.add(os.path.dirname(os.path.abspath(path)))
    return any(os.path.realpath(folder) != folder for folder in folders)

"""Restricts a run of `tflint check` to the models that differ from a Git revision, and to findings that are new.

A model differs if its file, its contract or a label file of the contract differs. The old version of each such model is
linted with the same configuration, in a temporary copy of its files, and the findings that it has are suppressed.
"""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from tflint.config import Config, Configurations
from tflint.contract import SUFFIX, load_contract
from tflint.contract.contract_files import label_names
from tflint.contract.contract_search import adjacent_path, find_models
from tflint.errors import UserError
from tflint.findings import FileReport, Finding, Notice, Report, Suppression
from tflint.findings.baseline import can_be_in_baseline
from tflint.findings.path_globs import MEMBER, covers, relative_to_folder
from tflint.findings.suppressions import mark_suppressed
from tflint.source.file_kind import CONTAINER_SUFFIXES, suffix_of
from tflint.source.git_tree import GitTree, GitTrees, is_target
from tflint.source.model_search import Selected, Selection, UnopenedPath, find_container
from tflint.values import frozen, replace

#: Maximum number of models that a notice names.
_MAX_NAMED = 3

#: Checks the files at some paths with a configuration.
CheckFiles = Callable[[Sequence[str], Config], Report]


@frozen
class Changes:
    """The items of a selection that differ from a revision. `paths` are the files of their models."""

    revision: str
    trees: GitTrees
    items: tuple[Selected, ...]
    paths: tuple[str, ...]
    n_models: int

    def describe(self) -> Notice:
        """Return the notice with the number of models that differ."""
        head = f"models that differ from '{self.revision}'"
        if not self.paths:
            return Notice("since", f"{head}: none of {self.n_models:,}")
        count = f"{len(self.paths):,} of {self.n_models:,}"
        return Notice("since", f"{head}: {count}; findings that '{self.revision}' has, too, are suppressed")


def find_changes(revision: str, selection: Selection, configurations: Configurations) -> Changes:
    """Return what differs from a revision. Raises `UserError` if there is no repository or no such revision."""
    trees = GitTrees(revision)
    items: list[Selected] = []
    paths: dict[str, None] = {}
    n_models = 0
    for item in selection.items:
        if isinstance(item, UnopenedPath):
            items.append(item)  # tflint cannot compare it; the report has the reason
            continue
        models = find_models(item) if item.endswith(SUFFIX) else [find_container(item) or item]
        n_models += len(models)
        changed = [path for path in models if _is_changed(path, trees, configurations.of(path))]
        paths |= dict.fromkeys(changed)
        items += [item] if changed else []
    return Changes(revision, trees, tuple(items), tuple(paths), n_models)


def mark_known(report: Report, changes: Changes, configurations: Configurations, check_files: CheckFiles) -> Report:
    """Return the report with the findings suppressed that the old versions have, and with notices about them."""
    known: dict[str, Counter[str]] = {}
    pointers: list[str] = []
    notices = [changes.describe()]
    for path in changes.paths:
        try:
            found = _find_known(path, changes, configurations.of(path), check_files)
        except (UserError, OSError) as error:
            reason = error.message if isinstance(error, UserError) else str(error)
            message = f"'{path}' of '{changes.revision}' cannot be linted ({reason}): all its findings count as new"
            notices.append(Notice("since", message, "warning"))
            continue
        if found is None:
            pointers.append(path)
        else:
            known |= found
    if pointers:
        notices.append(_describe_pointers(pointers, changes.revision))
    files = [_suppress_known(file, known.get(file.path, Counter()), changes.revision) for file in report.files]
    return replace(report, files=tuple(files), notices=(*report.notices, *notices))


def _describe_pointers(paths: Sequence[str], revision: str) -> Notice:
    names = ", ".join(f"'{path}'" for path in paths[:_MAX_NAMED])
    more = f" and {len(paths) - _MAX_NAMED:,} more" if len(paths) > _MAX_NAMED else ""
    kind = "is a Git LFS pointer" if len(paths) == 1 else "are Git LFS pointers"
    return Notice("since", f"{names}{more} {kind} in '{revision}': all findings there count as new", "warning")


def _suppress_known(file: FileReport, known: Counter[str], revision: str) -> FileReport:
    def suppress(finding: Finding) -> Suppression | None:
        if not can_be_in_baseline(finding) or known[finding.fingerprint] <= 0:
            return None
        known[finding.fingerprint] -= 1
        return Suppression("since", f"'{revision}' has the finding, too")

    return mark_suppressed(file, suppress)


def _is_changed(path: str, trees: GitTrees, config: Config) -> bool:
    tree, inner = trees.locate(path)
    if not tree.is_unchanged(inner):
        return True
    files = (tree.locate(file) for file in _contract_files(path, config))
    return any(not tree.is_unchanged(file) for file in files if file is not None)


def _contract_files(path: str, config: Config) -> Iterator[str]:
    """Yield the paths of the contracts that a model may have, and of their label files."""
    for contract in _contract_paths(path, config):
        yield contract
        yield from _label_files(contract)


def _contract_paths(path: str, config: Config) -> Iterator[str]:
    """Yield the path of the contract next to a model, and those of the configuration that may apply to it."""
    adjacent = adjacent_path(path)
    if adjacent is not None:
        yield adjacent
    is_container = suffix_of(path) in CONTAINER_SUFFIXES
    relative = relative_to_folder(config.folder, path)
    for glob, contract in config.contracts.items():
        if is_container or covers(relative, glob, is_member=False):
            yield contract


def _label_files(contract: str) -> Iterator[str]:
    try:
        names = label_names(load_contract(contract))
    except UserError:  # there is none, or it is reported when the model is checked
        return
    folder = os.path.dirname(contract)  # noqa: PTH120
    yield from (os.path.normpath(os.path.join(folder, name)) for name in names)  # noqa: PTH118


def _find_known(path: str, changes: Changes, config: Config, check_files: CheckFiles) -> dict[str, Counter[str]] | None:
    """Return the findings of the old version of a model by file, or None if that version is a Git LFS pointer.

    A model that the revision does not have has no known findings.
    """
    tree, inner = changes.trees.locate(path)
    old = tree.find_old_path(inner)
    if old is None:
        return {}
    content = _read_old(tree, old, tree.top / inner)
    if content is None:
        return None
    with tempfile.TemporaryDirectory(prefix="tflint-since-") as folder:
        copy = _Copy(Path(folder), tree)
        moved = {copy.write(inner, content): path}
        for contract in _contract_paths(path, config):
            contract_inner = tree.locate(contract)
            if contract_inner is not None:
                moved[copy.write_contract(contract_inner, _old_contract(contract_inner, inner, old))] = contract
        report = check_files([copy.path_of(inner)], copy.configure(config))
    return {_move(file.path, moved): Counter(one.fingerprint for one in file.findings) for file in report.files}


def _read_old(tree: GitTree, old: str, present: Path) -> bytes | None:
    """Return the old content of a model, or None if it is a Git LFS pointer to different content."""
    pointer = tree.pointer(old)
    if pointer is None:
        return tree.read(old)
    return present.read_bytes() if is_target(pointer, present) else None


def _old_contract(contract: str, model: str, old_model: str) -> str:
    """Return the old path of a contract: if the model was renamed, its contract was next to the old path."""
    return adjacent_path(old_model) or contract if contract == adjacent_path(model) else contract


def _move(path: str, moved: dict[str, str]) -> str:
    """Return the path in the working tree for a path in the copy."""
    file, mark, member = path.partition(MEMBER)
    return f"{moved[file]}{mark}{member}" if file in moved else path


class _Copy:
    """A temporary copy of files of a revision, at the same paths below its top level."""

    def __init__(self, folder: Path, tree: GitTree) -> None:
        self._tree = tree
        self._top = folder / (tree.top.name or "top")
        (self._top / ".git").mkdir(parents=True)  # a contract may name label files in the whole repository

    def path_of(self, inner: str) -> str:
        """Return the path of a file in the copy."""
        return (self._top / inner).as_posix()

    def write(self, inner: str, content: bytes) -> str:
        """Write a file; return its path."""
        path = Path(os.path.normpath(self._top / inner))
        if not path.is_relative_to(self._top) or ".git" in path.relative_to(self._top).parts:
            raise UserError(f"'{inner}' is outside of the repository")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path.as_posix()

    def write_contract(self, inner: str, old: str) -> str:
        """Write the contract with the path `old` to the path `inner`, and its label files; return its path."""
        if not self._tree.has(old):
            return self.path_of(inner)
        path = self.write(inner, self._tree.read(old))
        for name in label_names(load_contract(path)):
            source, target = (posixpath.normpath(str(PurePosixPath(place).parent / name)) for place in (old, inner))
            if self._tree.has(source):
                self.write(target, self._tree.read(source))
        return path

    def configure(self, config: Config) -> Config:
        """Return the configuration for the copy, without contracts that the revision does not have.

        Suppressions are left out: a known finding may be suppressed.
        """
        located = {glob: self._locate(path) for glob, path in config.contracts.items()}
        contracts = {glob: path for glob, path in located.items() if Path(path).exists()}
        return replace(config, folder=self._locate(config.folder), contracts=contracts, allow=(), baseline="")

    def _locate(self, path: str) -> str:
        """Return the path in the copy for a path in the repository, or the path itself if it is elsewhere."""
        real = Path(os.path.realpath(path))
        return (
            self.path_of(real.relative_to(self._tree.top).as_posix()) if real.is_relative_to(self._tree.top) else path
        )

"""Pairs the models of two versions: files, folders, bundles, or paths and their versions in a Git revision."""

from __future__ import annotations

import itertools
import os
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from tflint.errors import UserError
from tflint.findings.path_globs import MEMBER
from tflint.model.batch_reader import FoundFile, expand
from tflint.runner.model_loader import Checkable, Item, Model, begin, require_existing
from tflint.source import BytesSource, Source
from tflint.source.file_kind import OUTSIDE_LINK, FileKind
from tflint.source.model_search import (
    UnopenedPath,
    Walker,
    find_container,
    is_model_path,
    may_exist,
    missing_path_error,
)
from tflint.values import frozen
from tflint.wildcards import has_wildcard

if TYPE_CHECKING:
    from tflint.source.git_revision import RevisionEntry

#: Paths in reports of the two versions of a model if they are passed as bytes.
OLD_BYTES, NEW_BYTES = "<old bytes>", "<new bytes>"


@frozen(eq=False)
class Version:
    """One version of a model: the item to open and its path in reports.

    If `member` is not empty, the item is a container, and the model is its member with this name.
    """

    item: Item
    path: str
    member: str = ""

    def open(self) -> tuple[Iterator[FoundFile], Source | None]:
        """Open the version. Returns the same as `begin`."""
        if not self.member:
            return begin(self.item, self.path)
        if isinstance(self.item, str | PurePath):
            return begin(f"{Path(self.item).as_posix()}{MEMBER}{self.member}")
        assert not isinstance(self.item, Model | UnopenedPath)
        return expand(BytesSource(self.item), "", self.path, wanted=f"{self.path}{MEMBER}{self.member}"), None

    def of_member(self, name: str) -> Version:
        """Return the version of a member of this container."""
        return Version(self.item, self.path, f"{self.member}{MEMBER}{name}" if self.member else name)

    @property
    def model_path(self) -> str:
        """Path of the model in reports."""
        return f"{self.path}{MEMBER}{self.member}" if self.member else self.path


@frozen(eq=False)
class VersionPair:
    """Two versions of a model. `new` is None if the model was removed, `old` is None if it was added.

    `path` is the path of the new version in reports, also if there is none.
    """

    path: str
    new: Version | None
    old: Version | None


def pair_sources(old: Checkable, new: Checkable, walker: Walker) -> Iterator[VersionPair]:
    """Yield the pairs of two sources: two folders, or two models or bundles."""
    are_folders = [isinstance(one, str | PurePath) and os.path.isdir(one) for one in (old, new)]  # noqa: PTH112
    if all(are_folders):
        assert isinstance(old, str | PurePath) and isinstance(new, str | PurePath)
        yield from _pair_folders(str(old), str(new), walker)
        return
    if any(are_folders):
        folder: object = old if are_folders[0] else new
        raise UserError(f"'{folder!s}' is a folder", hint="compare two folders, or name a model in the folder")
    for one in (old, new):
        if isinstance(one, str | PurePath):
            require_existing(one)
    versions = [Version(one, _path_of(one, label)) for one, label in ((old, OLD_BYTES), (new, NEW_BYTES))]
    yield VersionPair(versions[1].path, versions[1], versions[0])


def _path_of(source: Checkable, label: str) -> str:
    if isinstance(source, Model):
        return source.name
    return Path(source).as_posix() if isinstance(source, str | PurePath) else label


def _pair_folders(old: str, new: str, walker: Walker) -> Iterator[VersionPair]:
    old_models, new_models = (_models_in(folder, walker) for folder in (old, new))
    if not old_models and not new_models:
        raise UserError(f"no models found in '{old}' and '{new}'")
    prefix = "" if Path(new) == Path() else f"{Path(new).as_posix().rstrip('/')}/"
    names = _without_unlisted(new_models, old_models), _without_unlisted(old_models, new_models)
    for new_name, old_name in pair_names(*names):
        versions = [
            None if name is None else Version(models[name], _path_of_item(models[name]))
            for name, models in ((new_name, new_models), (old_name, old_models))
        ]
        yield VersionPair(versions[0].path if versions[0] else f"{prefix}{old_name}", *versions)


def _models_in(folder: str, walker: Walker) -> dict[str, Item]:
    """Return the models below a folder by their path in the folder."""
    items = {_path_of_item(item): item for item in walker.walk(folder)}
    return {Path(path).relative_to(folder).as_posix(): item for path, item in items.items()}


def _without_unlisted(models: Mapping[str, Item], others: Mapping[str, Item]) -> list[str]:
    """Return the models, without those in folders that the other side has but that cannot be listed there."""
    unlisted = {name for name, item in others.items() if isinstance(item, UnopenedPath)}
    return [name for name in models if unlisted.isdisjoint(one.as_posix() for one in Path(name).parents)]


def _path_of_item(item: Item) -> str:
    return item.path if isinstance(item, UnopenedPath) else str(item)


def pair_names(new: Sequence[str], old: Sequence[str]) -> list[tuple[str | None, str | None]]:
    """Return the pairs of models with equal names, in the order of the new ones, then the removed ones.

    If each side has exactly one model, these two are a pair.
    """
    if len(new) == len(old) == 1:
        return [(new[0], old[0])]
    known, present = set(old), set(new)
    pairs: list[tuple[str | None, str | None]] = [(name, name if name in known else None) for name in new]
    return [*pairs, *((None, name) for name in old if name not in present)]


# -- bundles -----------------------------------------------------------------------------------------------------------


def pair_members(new: Version, old: Version) -> Iterator[VersionPair]:
    """Yield the pairs of the models in two bundles, by their names in the bundles.

    A model that cannot be opened on one side is left out: the report of that bundle has the reason.
    """
    (new_names, new_unread), (old_names, old_unread) = _members_of(new), _members_of(old)
    new_names = [name for name in new_names if not _is_below(name, old_unread)]
    old_names = [name for name in old_names if not _is_below(name, new_unread)]
    for new_name, old_name in pair_names(new_names, old_names):
        versions = (
            None if new_name is None else new.of_member(new_name),
            None if old_name is None else old.of_member(old_name),
        )
        path = versions[0].model_path if versions[0] else f"{new.model_path}{MEMBER}{old_name}"
        yield VersionPair(path, *versions)


def _members_of(version: Version) -> tuple[list[str], set[str]]:
    """Return the names of the models in a bundle, at any depth, and the names of members that cannot be opened."""
    founds, file = version.open()
    names: list[str] = []
    unread: set[str] = set()
    prefix = f"{version.model_path}{MEMBER}"
    try:
        for found in founds:
            name = found.path.removeprefix(prefix) if found.path.startswith(prefix) else ""
            if found.opened.contents is None:
                names.append(name)
            else:
                unread |= {f"{name}{MEMBER}{label}" if name else label for label in _unread_labels(found)}
    finally:
        if file is not None:
            file.close()
    return names, unread


def _unread_labels(container: FoundFile) -> list[str]:
    contents = container.opened.contents
    return [] if contents is None else [member.label for member in contents.members if member.problem is not None]


def has_unread_members(container: FoundFile) -> bool:
    """Return whether a container has members that cannot be opened."""
    return bool(_unread_labels(container))


def _is_below(name: str, members: Container[str]) -> bool:
    """Return whether the path of a member is that of one of the members, or in one of them."""
    parts = name.split(MEMBER)
    return any(MEMBER.join(parts[: n + 1]) in members for n in range(len(parts)))


# -- Git ---------------------------------------------------------------------------------------------------------------


def pair_with_revision(revision: str, paths: Sequence[str], walker: Walker) -> Iterator[VersionPair]:
    """Yield the pairs of models in the working tree and their versions in a Git revision.

    A path is a model, a bundle, a member of a bundle, a folder or a glob, and need not exist in both. Old versions are
    read one by one. Raises `UserError` if the only path is a file that is not in the revision or a Git LFS pointer.
    """
    from tflint.source.git_revision import read_revision  # few runs start git

    expanded = list(dict.fromkeys(one for path in paths for one in _expand(path, walker)))
    if len(expanded) == 1 and os.path.isfile(expanded[0]):  # noqa: PTH113 (Path.is_file raises for long paths)
        (path,) = expanded
        yield VersionPair(path, Version(path, path), _old_version(revision, path, read_revision(revision, path)))
        return
    is_empty = True
    for path in expanded:
        for pair in _pair_path(revision, path, walker):
            is_empty = False
            yield pair
    if is_empty:
        listed = ", ".join(f"'{path}'" for path in expanded)
        raise UserError(f"no models found in {listed}, neither now nor in '{revision}'")


def _old_version(revision: str, path: str, content: bytes) -> Version:
    """Return the old version of a file. Its path is `revision:path`, as in Git."""
    return Version(content, f"{revision}:{path}")


def _expand(path: str, walker: Walker) -> Iterator[str]:
    if not path:
        raise UserError("the path is empty")
    if has_wildcard(path) and not may_exist(path) and not find_container(path):
        yield from map(_path_of_item, walker.walk_glob(path))
    else:
        yield Path(path).as_posix()


def _pair_path(revision: str, path: str, walker: Walker) -> Iterator[VersionPair]:
    from tflint.source.git_revision import list_revision

    if not may_exist(path) and find_container(path):
        yield _pair_member(revision, path)
        return
    new: dict[str, Item] = {path: path} if may_exist(path) else {}
    if os.path.isdir(path):  # noqa: PTH112
        new = {_path_of_item(item): item for item in walker.walk(path)}
    entries = list_revision(revision, path)
    if not new and not entries and not may_exist(path):
        raise missing_path_error(path)
    old = {one.path: one for one in entries if one.path == path or _is_wanted(one.path, path, walker, new)}
    listed = _without_unlisted(dict.fromkeys(old, path), new)
    for name in dict.fromkeys([*new, *listed]):
        version = Version(new[name], name) if name in new else None
        yield VersionPair(name, version, _version_of(old[name]) if name in old else None)


def _is_wanted(path: str, folder: str, walker: Walker, new: Container[str]) -> bool:
    """Return whether a walk of a folder finds a file of a revision. A `.bin` file counts if it is a model now."""
    if not is_model_path(path, folder):
        return path in new
    above = itertools.takewhile(lambda one: one != Path(folder), Path(path).parents)
    return not any(walker.reason_to_skip(one) for one in (path, *(one.as_posix() for one in above)))


def _version_of(entry: RevisionEntry) -> Version:
    label = f"{entry.revision}:{entry.path}"
    if entry.is_link:
        return Version(UnopenedPath(label, FileKind(OUTSIDE_LINK, f"a link in '{entry.revision}'")), label)
    return Version(entry.read(), label)


def _pair_member(revision: str, path: str) -> VersionPair:
    """Return the pair of a member of a bundle."""
    from tflint.source.git_revision import read_revision

    require_existing(path)
    container = find_container(path)
    old = _old_version(revision, container, read_revision(revision, container))
    member = path.removeprefix(f"{container}{MEMBER}")
    has_member = member in _members_of(old)[0]
    return VersionPair(path, Version(path, path), old.of_member(member) if has_member else None)

"""Opens models: paths, bytes and members of containers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import TypeAlias

from tflint.errors import UserError
from tflint.findings.path_globs import MEMBER
from tflint.model.batch_reader import FoundFile, OpenedFile, SkipMember, expand, read_one, unreadable_file
from tflint.model.element_count import count_elements
from tflint.model.tables import Tables
from tflint.source import BytesSource, FileSource, Source, SourceError
from tflint.source.model_search import UnopenedPath, find_container, may_exist, missing_path_error
from tflint.userfiles.nearest_word import nearest
from tflint.values import frozen

#: Path that reports use for a model that was passed as bytes.
BYTES = "<bytes>"
#: Maximum number of members of a container that an error lists.
MAX_NAMED = 6


@frozen(eq=False)
class Model:
    """A loaded model, which can be checked repeatedly.

    `name` is the model's path in reports. `tables` returns its columns, such as `tables.column("tensor", "dtype")`.
    """

    name: str
    tables: Tables
    opened: OpenedFile

    def __repr__(self) -> str:
        return f"Model({self.name!r})"

    @property
    def is_readable(self) -> bool:
        """Whether the file is a readable model. If it is not, a check of the model reports the reason."""
        return self.tables.is_readable


Checkable: TypeAlias = str | PurePath | bytes | bytearray | memoryview | Model
#: An input of a run. An `UnopenedPath` is reported without being opened.
Item: TypeAlias = Checkable | UnopenedPath


def require_checkable(source: object) -> None:
    """Raise `TypeError`, with what to pass instead, if a source is neither a path nor bytes nor a loaded model."""
    if isinstance(source, Checkable):
        return
    what = "a path, bytes, or a model that tflint.load returned"
    hint = "; pass its path, or the bytes of a file opened with 'rb'" if hasattr(source, "read") else ""
    raise TypeError(f"a model must be {what}, not {type(source).__name__}{hint}")


def load(source: str | PurePath | bytes | bytearray | memoryview, *, name: str | None = None) -> Model:
    """Read a model from a path or from bytes. The path of a member of a container is `bundle.task!/model.tflite`.

    Raises `UserError` if the path does not exist, or if it is a container and does not name a member. A file that is
    broken or not a model is also loaded: a check of it reports what is wrong.
    """
    require_checkable(source)
    found, _ = single(source, name or BYTES)
    return Model(name or found.path, read_one(found.opened), found.opened)


def load_with_members(path: str) -> Iterator[Model]:
    """Yield the model at a path. For a container, yield the container itself and then the models in it.

    Each is readable only until the next one is requested. Raises `UserError` if the path does not exist, or if the
    models in a container have more tables and elements than tflint reads in one file.
    """
    require_existing(path)
    founds, file = begin(path)
    n_elements = 0
    try:
        for found in founds:
            is_repeated = found.reopen is not None and found.opened.contents is None
            opened = found.reopen() if is_repeated and found.reopen is not None else found.opened
            tables = read_one(opened)
            if found.budget is not None and n_elements > found.budget.max_elements:
                raise UserError(
                    f"the models in '{path}' before '{found.path}' contain {n_elements:,} tables and vector elements",
                    hint=f"name single models, such as '{found.path}'",
                )
            yield Model(found.path, tables, opened)
            if found.within is not None:
                n_elements += sum(count_elements(tables))
    finally:
        if file is not None:
            file.close()


def load_readable(path: str) -> Model:
    """Read a model from a path. Unlike `load`, raises `UserError` if the file is broken or not a model."""
    model = load(path)
    if not model.is_readable:
        raise UserError(
            f"'{model.name}' is not a readable model", hint=f"'tflint check {model.name}' reports the reason"
        )
    return model


def single(source: Checkable, label: str) -> tuple[FoundFile, Source | None]:
    """Open a single file, or a single member of a container.

    Returns it, and the source that the caller must close afterwards (None: nothing to close). Raises `UserError` if the
    path does not exist, or if it is a container and does not name a member.
    """
    if isinstance(source, str | PurePath):
        require_existing(source)
    founds, file = begin(source, label)
    found = next(founds)
    contents = found.opened.contents
    if contents is None or contents.reason is not None:
        return found, file
    members = list(_list_models(founds))
    if file is not None:
        file.close()
    raise _no_single_model(found.path, members)


def list_models(path: str) -> list[str]:
    """Return the paths of the models in a container, at any depth, or an empty list if the file is not a container.

    Raises `UserError` if the path does not exist.
    """
    require_existing(path)
    founds, file = begin(path)
    try:
        return list(_list_models(founds))
    finally:
        if file is not None:
            file.close()


def _list_models(founds: Iterator[FoundFile]) -> Iterator[str]:
    for found in founds:
        if found.within is not None and found.opened.contents is None:
            yield found.path


def begin(
    item: Item, label: str = BYTES, leaves_out: SkipMember | None = None
) -> tuple[Iterator[FoundFile], Source | None]:
    """Open an item.

    Returns an iterator over the item's file and the members of that file, and the source that the caller must close
    afterwards (None: nothing to close).
    """
    if isinstance(item, Model):
        return iter([FoundFile(item.name, item.opened)]), None
    if isinstance(item, UnopenedPath):
        return iter([FoundFile(item.path, OpenedFile(None, item.kind, 0, name=PurePath(item.path).name))]), None
    if not isinstance(item, str | PurePath):
        return expand(BytesSource(item), "", label, leaves_out=leaves_out), None
    path = Path(item).as_posix()
    file = path if os.path.lexists(path) else find_container(path) or path
    name = PurePath(file).name
    try:
        source = FileSource(file)
    except SourceError as error:
        return iter([FoundFile(path, unreadable_file(error, name=name))]), None
    wanted = path if file != path else ""
    return expand(source, name, file, wanted=wanted, leaves_out=None if wanted else leaves_out), source


def require_existing(source: str | PurePath) -> None:
    """Raise `UserError` if a path does not exist.

    Broken links and inaccessible paths do not raise it: a check reports them as findings.
    """
    path = Path(source)
    if not str(source):
        raise UserError("an empty path")
    if may_exist(str(source)):
        return
    if not find_container(path.as_posix()):
        raise missing_path_error(str(source))
    founds, file = begin(source)
    try:
        if next(founds, None) is None:
            raise _no_member(path.as_posix())
    finally:
        if file is not None:
            file.close()


def _no_member(path: str) -> UserError:
    """Return the error for the path of a member that does not exist or is not a model. It suggests the nearest name."""
    container = find_container(path)
    founds, file = begin(container)
    members = [found.path for found in founds if found.within is not None]
    if file is not None:
        file.close()
    hint = nearest(path, members) or f"'tflint check {container}' lists its models"
    return UserError(f"'{container}' has no model '{path.removeprefix(container + MEMBER)}'", hint=hint)


def _no_single_model(path: str, members: Sequence[str]) -> UserError:
    listed = ", ".join([*members[:MAX_NAMED], *(["…"] if len(members) > MAX_NAMED else [])])
    hint = f"name one of its models: {listed}" if members else "none of its members is a model"
    return UserError(f"'{path}' is a container of models, not a model", hint=hint)

"""Finds models behind paths, bytes and members of containers, and opens them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import TypeAlias

from tflint.errors import UserError
from tflint.findings.path_globs import MEMBER
from tflint.model.batch_reader import Found, LeavesOut, Opened, expand, read_one, unreadable
from tflint.model.tables import Tables
from tflint.source import BytesSource, FileSource, Source, SourceError
from tflint.source.model_search import Unopened, container_of, may_exist, missing
from tflint.userfiles.nearest_word import nearest
from tflint.values import frozen

#: What reports call bytes.
BYTES = "<bytes>"
#: An error names this many members of a container.
MAX_NAMED = 6


@frozen(eq=False)
class Model:
    """A model that was loaded to be checked, perhaps more than once.

    `name` is what reports call it; `tables` gives its columns, such as `tables.column("tensor", "dtype")`.
    """

    name: str
    tables: Tables
    opened: Opened

    def __repr__(self) -> str:
        return f"Model({self.name!r})"

    @property
    def is_readable(self) -> bool:
        """Whether it is a model; what it is instead, a check says."""
        return self.tables.is_readable


Checkable: TypeAlias = str | PurePath | bytes | bytearray | memoryview | Model
#: What a run takes: also paths that are reported without being opened.
Item: TypeAlias = Checkable | Unopened


def load(source: str | PurePath | bytes | bytearray | memoryview, *, name: str | None = None) -> Model:
    """Read a model from a path or from bytes; a member of a container by a path such as `bundle.task!/model.tflite`.

    Raises `UserError` where a path does not exist, and for a container, which is no model but holds some. A file that
    is no model, or a broken one, loads: checking it says what is wrong with it.
    """
    found, _ = single(source, name or BYTES)
    return Model(name or found.path, read_one(found.opened), found.opened)


def load_readable(path: str) -> Model:
    """Read a model from a path; `UserError` also for a file that is none, or a broken one."""
    model = load(path)
    if not model.is_readable:
        raise UserError(f"'{model.name}' is no model that can be read", hint=f"'tflint check {model.name}' says why")
    return model


def single(source: Checkable, label: str) -> tuple[Found, Source | None]:
    """The one file, or member of a container, that is meant, and the file to be closed afterwards, if there is one.

    `UserError` where a path does not exist, and for a container.
    """
    if isinstance(source, str | PurePath):
        require_existing(source)
    founds, file = begin(source, label)
    found = next(founds)
    contents = found.opened.contents
    if contents is None or contents.reason is not None:
        return found, file
    if file is not None:
        file.close()
    raise _no_single_model(found.path, [f"{found.path}{MEMBER}{m.label}" for m in contents.members if m.is_checked])


def begin(item: Item, label: str = BYTES, leaves_out: LeavesOut | None = None) -> tuple[Iterator[Found], Source | None]:
    """What an item holds, to be opened piece by piece, and the file to be closed afterwards, if there is one."""
    if isinstance(item, Model):
        return iter([Found(item.name, item.opened)]), None
    if isinstance(item, Unopened):
        return iter([Found(item.path, Opened(None, item.kind, 0, name=PurePath(item.path).name))]), None
    if not isinstance(item, str | PurePath):
        return expand(BytesSource(item), "", label, leaves_out=leaves_out), None
    path = Path(item).as_posix()
    file = path if os.path.lexists(path) else container_of(path) or path
    name = PurePath(file).name
    try:
        source = FileSource(file)
    except SourceError as error:
        return iter([Found(path, unreadable(error, name=name))]), None
    wanted = path if file != path else ""
    return expand(source, name, file, wanted=wanted, leaves_out=None if wanted else leaves_out), source


def require_existing(source: str | PurePath) -> None:
    """`UserError` for a path that does not exist; a link that leads nowhere does, and is a finding, as is a path that
    cannot be looked at.
    """
    path = Path(source)
    if not str(source):
        raise UserError("an empty path")
    if may_exist(str(source)):
        return
    if not container_of(path.as_posix()):
        raise missing(str(source))
    founds, file = begin(source)
    try:
        if next(founds, None) is None:
            raise _no_member(path.as_posix())
    finally:
        if file is not None:
            file.close()


def _no_member(path: str) -> UserError:
    """The error for a member that a container does not have, or that is no model, with the name most like it."""
    container = container_of(path)
    founds, file = begin(container)
    members = [found.path for found in founds if found.within is not None]
    if file is not None:
        file.close()
    hint = nearest(path, members) or f"'tflint check {container}' says what is in it"
    return UserError(f"'{path}' is no model in '{container}'", hint=hint)


def _no_single_model(path: str, members: Sequence[str]) -> UserError:
    listed = ", ".join([*members[:MAX_NAMED], *(["…"] if len(members) > MAX_NAMED else [])])
    hint = f"name one of its models: {listed}" if members else "no member of it is a model"
    return UserError(f"'{path}' is a container of models, not a model", hint=hint)

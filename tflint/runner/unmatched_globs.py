"""Finds globs of a configuration that match nothing. Only a search through the whole folder can tell."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from tflint.config import Config, Configurations
from tflint.findings import FileReport, Notice
from tflint.findings.path_globs import covers, relative_to_folder


def find_unmatched(
    config: Config, files: Sequence[FileReport], configurations: Configurations, walked: Iterable[str]
) -> Iterator[Notice]:
    """Yield a notice per glob of a configuration that matches no file.

    Nothing is reported unless one of the folders in `walked`, which were searched completely, contains the folder of
    the configuration.
    """
    if not config.origin or not any(_contains(folder, config.folder) for folder in walked):
        return
    origin = relative_to_folder(".", config.origin)
    paths = [(relative_to_folder(config.folder, file.path), file.within is not None) for file in files]
    has_members = any(file.kind == "container" for file in files)  # excluded members are not in the report
    for glob in () if has_members else config.exclude:
        if not configurations.has_matched(config, glob):
            yield _notice(origin, "exclude", glob)
    for key, globs in (("per-file-ignores", config.per_file_ignores), ("contracts", config.contracts)):
        for glob in globs:
            if not _matches_any(paths, glob):
                yield _notice(origin, key, glob)
    for allow in config.allow:
        if allow.path != "**" and not _matches_any(paths, allow.path):
            yield _notice(origin, f"allow of {allow.rule}", allow.path)


def _notice(origin: str, key: str, glob: str) -> Notice:
    return Notice("unmatched-glob", f"{origin}: '{glob}' in '{key}' matches no file; remove or correct it")


def _matches_any(paths: Iterable[tuple[str, bool]], glob: str) -> bool:
    return any(covers(path, glob, is_member=is_member) for path, is_member in paths)


def _contains(folder: str, inner: str) -> bool:
    outer = os.path.abspath(folder)  # noqa: PTH100
    return os.path.join(os.path.abspath(inner), "").startswith(os.path.join(outer, ""))  # noqa: PTH100, PTH118

"""Tells the cache what a run of `tflint check` reads, and decides whether the whole run can be recorded."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tflint.cache.run_cache import RunCache
from tflint.config import Config, Configurations
from tflint.contract.contract_search import adjacent_path
from tflint.findings import Report
from tflint.source.model_search import Selection, are_whole_files


def begin(cache: RunCache, options: argparse.Namespace, configurations: Configurations, selection: Selection) -> None:
    """Note the files and folders that a run reads."""
    configs = {id(config): config for config in map(configurations.of, selection.paths)}
    cache.watch(_configuration_files(options, configurations, list(configs.values())))
    cache.watch(selection.examined)
    cache.watch(_model_files(selection))
    cache.watch_existence(_git_folders(configs.values(), selection))


def can_record(
    options: argparse.Namespace, report: Report, selection: Selection, configurations: Configurations
) -> bool:
    """Return whether a run printed only its report, and read only the files that `begin` notes."""
    if options.since is not None or options.config_from is not None:
        return False  # the run depends on the repository, too
    if any(configurations.of(path).respect_gitignore for path in selection.paths):
        return False
    if options.output or options.report or options.write_baseline or options.max_seconds or options.max_memory:
        return False
    # Neither globs nor members of bundles, nor a list of paths on standard input.
    has_plain_paths = all(path != "-" and os.path.lexists(path) for path in options.paths)
    has_plain_items = are_whole_files(selection.items) and all(isinstance(item, str) for item in selection.items)
    if not has_plain_paths or not has_plain_items or selection.has_links:
        return False
    # The places at which tflint looks for the contracts of members are not among the inputs.
    return all(file.status == "checked" and file.kind != "container" for file in report.files)


def _configuration_files(
    options: argparse.Namespace, configurations: Configurations, configs: Sequence[Config]
) -> Iterator[str]:
    """Yield the paths of configurations and of the files that they name, and the paths at which they were searched."""
    yield from configurations.searched
    if options.config is not None:
        yield options.config
    for config in configs:
        for path in config.rules:
            yield path
            if os.path.isdir(path):  # noqa: PTH112
                yield from map(str, Path(path).glob("*.toml"))
        yield from config.contracts.values()
        if config.baseline:
            yield config.baseline


def _model_files(selection: Selection) -> Iterator[str]:
    """Yield the models, and the paths of their contracts unless the folder was listed and shows new files."""
    listed = set(selection.examined)
    for item in selection.items:
        path = str(item)
        yield path
        if (os.path.dirname(path) or ".") not in listed:  # noqa: PTH120
            contract = adjacent_path(path)
            if contract is not None:
                yield contract


def _git_folders(configs: Iterable[Config], selection: Selection) -> set[str]:
    """Return the paths of `.git` in and above the folders of the run: they limit which files a file may name."""
    current = Path.cwd()
    folders = {current}
    for config in configs:
        folders |= {current / config.folder, *(current / Path(path).parent for path in config.contracts.values())}
    folders |= {(current / str(item)).parent for item in selection.items}
    above = {parent for folder in folders for parent in (folder, *folder.parents)}
    return {str(folder / ".git") for folder in above}

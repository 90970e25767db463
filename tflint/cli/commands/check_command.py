"""`tflint check`: lints models and writes reports."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tflint.cli import console, plugin_option, report_outputs
from tflint.cli.config_options import (
    add_rule_options,
    add_search_options,
    add_verdict_options,
    limits_contracts,
    read_configurations,
)
from tflint.cli.exit_codes import OK, exit_code_of
from tflint.config import Config, Configurations
from tflint.errors import UserError
from tflint.findings import MAX_PLACES, SkippedPaths
from tflint.runner.run_limits import Limits
from tflint.values import replace

if TYPE_CHECKING:
    from tflint.cache.run_cache import RunCache
    from tflint.catalog.rule_loader import Catalogs
    from tflint.cli.output_file import OutputFile
    from tflint.cli.since import Changes
    from tflint.confirm import ConfirmOptions
    from tflint.findings import FileReport, Report
    from tflint.source.model_search import Selection


#: Maximum value of --max-seconds and --max-memory.
_MAX_LIMIT = 1_000_000_000


def add_parser(commands: Any) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser("check", help="lint models", description="Lint models.")
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files, folders, globs, or - to read a list from standard input (default: .)",
    )
    add_rule_options(parser)
    add_search_options(parser)
    report_outputs.add_options(parser)
    _add_run_options(parser)
    _add_confirm_options(parser)
    parser.set_defaults(run=run)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("run options")
    add_verdict_options(group)
    group.add_argument(
        "--since",
        metavar="REV",
        help="check only models that differ from a Git revision, and suppress the findings that it has, too",
    )
    group.add_argument("--write-baseline", metavar="FILE", help="write all open findings to a baseline and exit with 0")
    group.add_argument(
        "--jobs", type=int, metavar="N", help="number of processes (default: 1, or all processors for many files)"
    )
    group.add_argument("--no-cache", action="store_true", help="neither read nor write the cache")
    group.add_argument(
        "--strict",
        action="store_true",
        help="exit with 1 also for rows that were not checked, drafts, and suppressions that are expired or unused",
    )
    group.add_argument("--allow-empty", action="store_true", help="exit with 0 if there is nothing to check")
    group.add_argument(
        "--max-seconds",
        type=_parse_positive,
        metavar="N",
        help="start no further files after N seconds; each unchecked file is an error",
    )
    group.add_argument(
        "--max-memory",
        type=_parse_positive,
        metavar="MB",
        help="start no further files once a process has used MB megabytes (no effect on Windows)",
    )


def _add_confirm_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "confirmation", "Only the command line can request it, never a configuration file."
    )
    group.add_argument("--confirm", action="store_true", help="run the models in a child process to confirm findings")
    group.add_argument(
        "--runtime",
        metavar="NAME",
        help="runtime to use with --confirm: ai-edge-litert, tensorflow, tflite-runtime or tflite-micro "
        "(default: those of the targets)",
    )
    group.add_argument(
        "--confirm-seconds",
        type=_parse_positive,
        metavar="N",
        help="limit of wall-clock seconds per model with --confirm (default: 20)",
    )


def _parse_positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number <= _MAX_LIMIT:
        raise argparse.ArgumentTypeError(f"must be a number greater than 0 and at most {_MAX_LIMIT:,}, not '{text}'")
    return number


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    if options.jobs is not None and options.jobs < 1:
        raise UserError(
            f"--jobs must be at least 1, not {options.jobs}", hint="without the option, tflint chooses the number"
        )
    reports = report_outputs.plan_reports(options)
    new_baseline = None if options.write_baseline is None else _prepare_baseline(options.write_baseline)
    cache = _open_cache(options)
    configurations = read_configurations(options)
    paths = list(_expand_paths(options.paths))
    selection = _select_models(paths, options, configurations)
    changes = _find_changes(options, selection, configurations)
    if changes is not None:
        selection = replace(selection, items=changes.items)
    if options.show_files or options.show_settings:
        from tflint.cli.selection_output import print_selection

        return print_selection(selection, options, configurations)
    # In a run over changes, most models are missing, so globs that match nothing say nothing.
    walked = [] if changes is not None else [path for path in paths if os.path.isdir(path)]  # noqa: PTH112
    catalogs = _load_catalogs(options, configurations, selection, cache)
    report = _check(options, configurations, selection, walked, catalogs, cache)
    if changes is not None:
        report = _mark_known(report, changes, options, configurations, catalogs)
    if options.strict:
        from tflint.findings.strictness import list_strict_problems

        report = replace(report, strict_problems=tuple(list_strict_problems(report)))
    is_unchanged = changes is not None and changes.n_models > 0 and not changes.items
    is_empty = not is_unchanged and _is_empty(report, options, configurations)
    if new_baseline is not None:
        if not is_empty:  # an empty baseline must not replace an existing one
            _write_baseline(report, new_baseline, configurations)
        reports = [(form, file) for form, file in reports if file is not None]
    report_outputs.write(report, reports, options, catalogs.rules())
    if is_empty:
        raise _build_empty_error(options.paths, report)
    code = OK if new_baseline is not None else exit_code_of(report, options)
    if cache is not None:
        _fill_cache(cache, report, code, options, configurations, selection, catalogs)
    return code


def _load_catalogs(
    options: argparse.Namespace, configurations: Configurations, selection: Selection, cache: RunCache | None
) -> Catalogs:
    """Load the rules of all configurations, and note the inputs of the run in the cache."""
    # A garbage collection during the imports and the loading of rules would find nothing. Later collections skip frozen
    # objects.
    gc.disable()
    import tflint.api  # noqa: F401 (its objects are frozen, too)
    from tflint.catalog.rule_loader import Catalogs

    catalogs = Catalogs(plugin_option.load_allowed(options))
    for config in {id(config): config for config in map(configurations.of, selection.paths)}.values():
        catalogs.of(config.rules)
    if cache is not None:
        from tflint.cli import cache_inputs

        cache_inputs.begin(cache, options, configurations, selection)
    gc.freeze()
    gc.enable()
    return catalogs


def _check(
    options: argparse.Namespace,
    configurations: Configurations,
    selection: Selection,
    walked: Sequence[str],
    catalogs: Catalogs,
    cache: RunCache | None,
) -> Report:
    from tflint.api import check_items
    from tflint.cli.progress import Progress

    with Progress() as progress:
        return check_items(
            selection.items,
            selection.left_out,
            configurations=configurations,
            has_baselines=options.write_baseline is None,
            progress=progress,
            jobs=options.jobs,
            plugins=options.allow_plugin,
            limits=_read_limits(options),
            catalogs=catalogs,
            confirm=_confirm_options(options),
            cache=cache,
            limits_contracts=limits_contracts(options),
            walked=walked,
        )


def _mark_known(
    report: Report, changes: Changes, options: argparse.Namespace, configurations: Configurations, catalogs: Catalogs
) -> Report:
    """Return the report with the findings suppressed that the revision of --since has, too."""
    from tflint.api import check_items
    from tflint.cli.since import mark_known

    def check_old(paths: Sequence[str], settings: Config) -> Report:
        return check_items(
            paths,
            SkippedPaths(),
            configurations=Configurations(settings),
            plugins=options.allow_plugin,
            catalogs=catalogs,
            limits_contracts=limits_contracts(options),
        )

    return mark_known(report, changes, configurations, check_old)


def _fill_cache(
    cache: RunCache,
    report: Report,
    code: int,
    options: argparse.Namespace,
    configurations: Configurations,
    selection: Selection,
    catalogs: Catalogs,
) -> None:
    """Store the reports of files and, if nothing else affects the run, the run itself."""
    from tflint.cli import cache_inputs

    cache.write_reports()
    if cache_inputs.can_record(options, report, selection, configurations):
        cache.write_record(report_outputs.encode_cached(report, options, catalogs.rules()), code)


def _find_changes(options: argparse.Namespace, selection: Selection, configurations: Configurations) -> Changes | None:
    """Return what differs from the revision of --since, or None without the option."""
    if options.since is None:
        return None
    if options.write_baseline is not None:
        raise UserError("--since and --write-baseline exclude each other", hint="a baseline covers all models")
    from tflint.cli.since import find_changes

    return find_changes(options.since, selection, configurations)


def _read_limits(options: argparse.Namespace) -> Limits:
    """Return the limits of the run, which begins now."""
    max_bytes = None if options.max_memory is None else int(options.max_memory * 1_000_000)
    return Limits(time.monotonic(), options.max_seconds, max_bytes)


def _open_cache(options: argparse.Namespace) -> RunCache | None:
    """Return the cache of the run, or None if the run cannot use it: it runs models or code of plugins."""
    if options.no_cache or options.confirm or options.allow_plugin:
        return None
    from tflint.cache.run_cache import RunCache

    return RunCache(options.arguments, options.record, time.time_ns())


def _confirm_options(options: argparse.Namespace) -> ConfirmOptions | None:
    """Return the options of a confirmation, None if none is requested."""
    if not options.confirm:
        for name, value in (("--runtime", options.runtime), ("--confirm-seconds", options.confirm_seconds)):
            if value is not None:
                raise UserError(f"{name} needs --confirm", hint="without it, no model is run")
        return None
    from tflint.confirm.confirm_options import MAX_SECONDS, ConfirmOptions

    jobs = options.jobs or os.cpu_count() or 1
    return ConfirmOptions(options.runtime, options.confirm_seconds or MAX_SECONDS, jobs)


def _is_empty(report: Report, options: argparse.Namespace, configurations: Configurations) -> bool:
    """Return whether a run checked nothing, which is an error unless the user permits it."""
    if report.has_checked or options.allow_empty or configurations.of_folder(".").allow_empty:
        return False
    # A hook names the changed models, and all of them may be excluded.
    return not (options.force_exclude and report.left_out.n_skipped_models)


def _build_empty_error(paths: Sequence[str], report: Report) -> UserError:
    """Build the error for a run that checked nothing, so that it does not look like a run without findings."""
    from tflint.report.display_names import plural

    places = ", ".join("the list on standard input" if path == "-" else f"'{path}'" for path in paths or ["."])
    accept = "--allow-empty permits runs without models"
    left_out = report.left_out
    if left_out.n_skipped_models:
        n_models = left_out.n_skipped_models
        which = "the only model is" if n_models == 1 else f"all {n_models:,} models are"
        what = "excluded" if left_out.excluded_models else "ignored by Git"
        key = "exclude" if left_out.excluded_models else "respect-gitignore"
        origins = [use.path for use in report.configurations if use.path and key in use.settings]
        hint = f"see '{key}' in {origins[0] if origins else 'the configuration'}; {accept}"
        return UserError(f"nothing to check in {places}: {which} {what}", hint=hint)
    if report.files:
        if any(file.status == "unreadable" and not file.findings for file in report.files):
            hint = "select the rules that report the reason, such as G003"
            return UserError(f"nothing was checked in {places}: no file is readable", hint=hint)
        hint = f"name a model by its real path to check it; {accept}"
        return UserError(f"nothing to check in {places}: only links to files outside of the checkout", hint=hint)
    if left_out.models:
        hint = f"name a hidden or linked folder to check it ({plural(left_out.models, 'model')} found there); {accept}"
        return UserError(f"nothing to check: no models found in {places}", hint=hint)
    return UserError(
        f"nothing to check: no models found in {places}",
        hint=f"tflint looks for .tflite, .lite, .tfl, .task, .litertlm and .bin files; {accept}",
    )


def _prepare_baseline(path: str) -> OutputFile:
    from tflint.cli.output_file import BASELINE, prepare_named  # most runs write no file

    return prepare_named(path, BASELINE)


def _write_baseline(report: Report, file: OutputFile, configurations: Configurations) -> None:
    from tflint.findings.baseline import ABOUT_THE_RUN, can_be_in_baseline, dump_baseline
    from tflint.report.display_names import plural

    covered, folder = _baseline_scope(report, file.path, configurations)
    file.write(dump_baseline(covered, folder))
    findings = [finding for known in covered for finding in known.open_findings]
    count = sum(map(can_be_in_baseline, findings))
    console.print_notice(f"wrote {plural(count, 'finding')} to {console.escape_newlines(file.path)}")
    n_more = sum(finding.n_more for finding in findings)
    if n_more:
        console.print_notice(
            f"the baseline does not cover {plural(n_more, 'place')} beyond the first {MAX_PLACES:,} per rule and file"
        )
    n_unreadable = sum(finding.rule in ABOUT_THE_RUN for finding in findings)
    if n_unreadable:
        console.print_notice(f"the baseline does not cover {plural(n_unreadable, 'unreadable file')}")


def _baseline_scope(report: Report, path: str, configurations: Configurations) -> tuple[list[FileReport], str]:
    """Return the files that a new baseline covers, and the folder to which its paths are relative.

    The baseline that a configuration names covers the files of this configuration, any other baseline all files.
    """
    for file in report.files:
        config = configurations.of(file.path)
        if config.baseline and os.path.abspath(config.baseline) == os.path.abspath(path):  # noqa: PTH100
            own = [one for one in report.files if configurations.of(one.path) is config]
            return own, configurations.baseline_folder(config)
    return list(report.files), configurations.of_folder(".").folder


def _expand_paths(paths: Sequence[str]) -> Iterator[str]:
    """Yield the paths of the command line, with the list on standard input in place of `-`."""
    for path in paths or ["."]:
        yield from _read_path_list() if path == "-" else [path]


def _select_models(paths: Sequence[str], options: argparse.Namespace, configurations: Configurations) -> Selection:
    from tflint.source.model_search import select

    if not options.force_exclude:
        return select(paths, configurations.reason_to_skip)
    return select(paths, configurations.reason_to_skip, configurations.reason_to_skip_named)


def _read_path_list() -> list[str]:
    """Read paths from standard input, one per line. They are read as bytes, because file names may be invalid text."""
    if sys.stdin is None:
        raise UserError("cannot read a list of paths: standard input is closed")
    lines = sys.stdin.buffer.read().split(b"\n")
    return [os.fsdecode(line.removesuffix(b"\r")) for line in lines if line.strip()]

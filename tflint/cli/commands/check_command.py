"""`tflint check`: lints models and prints or writes a report."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tflint.cli import console, output_file, report_outputs
from tflint.cli.config_options import add_rule_options, add_verdict_options, exit_code, read_config
from tflint.config import Config
from tflint.errors import UserError
from tflint.findings import MAX_PLACES
from tflint.runner.run_limits import Limits

if TYPE_CHECKING:
    from tflint.findings import Report
    from tflint.source.model_search import Selection


#: Most seconds, and megabytes, that a run can be limited to: more than any machine has.
_MAX_LIMIT = 1_000_000_000


def add_parser(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("check", help="lint models", description="Lint models.")
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files, folders, globs; - reads a list from standard input (default: .)",
    )
    add_rule_options(parser)
    report_outputs.add_options(parser)
    _add_run_options(parser)
    parser.set_defaults(run=run)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the run")
    add_verdict_options(group)
    group.add_argument(
        "--write-baseline", metavar="FILE", help="write all open findings as the baseline, and exit with 0"
    )
    group.add_argument(
        "--jobs", type=int, metavar="N", help="processes (default: one, or all processors for many files)"
    )
    group.add_argument("--allow-empty", action="store_true", help="exit with 0 if there is nothing to check")
    group.add_argument(
        "--max-seconds",
        type=_positive,
        metavar="N",
        help="stop starting groups of files after N seconds; each unchecked file is an error",
    )
    group.add_argument(
        "--max-memory",
        type=_positive,
        metavar="MB",
        help="the same once a process has used MB megabytes (no effect on Windows)",
    )


def _positive(text: str) -> float:
    """A number above 0, as argparse wants types."""
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number <= _MAX_LIMIT:
        raise argparse.ArgumentTypeError(f"must be a number above 0 and at most {_MAX_LIMIT:,}, not '{text}'")
    return number


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    if options.jobs is not None and options.jobs < 1:
        raise UserError(f"--jobs must be at least 1, not {options.jobs}", hint="without it tflint chooses the number")
    wanted = report_outputs.plan_reports(options)
    new_baseline = (
        None
        if options.write_baseline is None
        else output_file.prepare_named(options.write_baseline, output_file.BASELINE)
    )
    config = read_config(options)
    selection = _selection(options.paths, config)
    limits = Limits(time.monotonic(), options.max_seconds, _bytes(options.max_memory))
    # Collecting garbage looks through all that is imported, several times in vain; what is frozen it leaves out later.
    gc.disable()
    from tflint.api import check_items
    from tflint.cli.progress import Progress
    from tflint.findings.baseline import read_baseline

    gc.freeze()
    gc.enable()
    known = read_baseline(config.baseline) if config.baseline and new_baseline is None else None
    with Progress() as progress:
        report = check_items(
            selection.items,
            selection.left_out,
            config=config,
            baseline=known,
            progress=progress,
            jobs=options.jobs,
            plugins=options.allow_plugin,
            limits=limits,
        )
    is_empty = not (report.has_checked or options.allow_empty or config.allow_empty)
    if new_baseline is not None:
        if not is_empty:  # a baseline of nothing would replace one that is needed
            _write_baseline(report, new_baseline, config)
        wanted = [(form, file) for form, file in wanted if file is not None]
    report_outputs.write(report, wanted, options, config)
    if is_empty:
        raise _nothing_to_check(options.paths, report, config)
    return 0 if new_baseline is not None else exit_code(report, options, config)


def _bytes(megabytes: float | None) -> int | None:
    return None if megabytes is None else int(megabytes * 1_000_000)


def _nothing_to_check(given: Sequence[str], report: Report, config: Config) -> UserError:
    """The error of a run that checked nothing, which must not look like one that found nothing."""
    from tflint.report.display_names import plural

    places = ", ".join("the list on standard input" if path == "-" else f"'{path}'" for path in given or ["."])
    accept = "--allow-empty accepts that there is nothing to check"
    left_out = report.left_out
    if left_out.excluded_models:
        n_models = left_out.excluded_models
        which = "its only model is" if n_models == 1 else f"all {n_models:,} models are"
        hint = f"'exclude' in {config.origin or 'the configuration'} leaves them out; {accept}"
        return UserError(f"nothing to check in {places}: {which} excluded", hint=hint)
    if report.files:
        if any(file.status == "unreadable" and not file.findings for file in report.files):
            hint = "the rules that say why, such as G003, are not selected"
            return UserError(f"nothing was checked in {places}: no file can be read", hint=hint)
        hint = f"name a model by its real path to check it; {accept}"
        return UserError(f"nothing to check in {places}: only links that lead out of the checkout", hint=hint)
    if left_out.models:
        hint = (
            f"{plural(left_out.models, 'model')} in hidden or linked folders: name such a folder to check it; {accept}"
        )
        return UserError(f"nothing to check: no models found in {places}", hint=hint)
    return UserError(
        f"nothing to check: no models found in {places}",
        hint=f"tflint looks for .tflite, .lite, .tfl, .task, .litertlm and .bin files; {accept}",
    )


def _write_baseline(report: Report, file: output_file.OutputFile, config: Config) -> None:
    from tflint.findings.baseline import ABOUT_THE_RUN, can_be_in_baseline, dump_baseline
    from tflint.report.display_names import plural

    file.write(dump_baseline(report.files, config.folder))
    findings = [finding for known in report.files for finding in known.open_findings]
    count = sum(map(can_be_in_baseline, findings))
    console.warn(f"tflint: wrote {plural(count, 'finding')} to {console.escape_newlines(file.path)}")
    more = sum(finding.n_more for finding in findings)
    if more:
        console.warn(
            f"tflint: it does not cover {plural(more, 'place')} beyond the first {MAX_PLACES:,} per rule and file"
        )
    unread = sum(finding.rule in ABOUT_THE_RUN for finding in findings)
    if unread:
        console.warn(f"tflint: it does not cover {plural(unread, 'file')} that could not be read")


def _selection(given: Sequence[str], config: Config) -> Selection:
    from tflint.source.model_search import select

    paths: list[str] = []
    for path in given or ["."]:
        paths += _listed() if path == "-" else [path]
    return select(paths, config.exclude, config.folder)


def _listed() -> list[str]:
    """The paths on standard input, one a line, as the file system has them: a name need not be text."""
    if sys.stdin is None:
        raise UserError("there is no standard input to read a list of paths from")
    lines = sys.stdin.buffer.read().split(b"\n")
    return [os.fsdecode(line.removesuffix(b"\r")) for line in lines if line.strip()]

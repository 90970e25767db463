"""`tflint registry lint` and `tflint registry audit`: lint versions; the first can also annotate them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tflint.cli import console, registry_options
from tflint.cli.exit_codes import FINDINGS, NOT_FETCHED
from tflint.errors import UserError

if TYPE_CHECKING:
    from tflint.registry.version_lint import VersionResult

_TARGET_HELP = "models:/NAME/VERSION, models:/NAME@ALIAS or models:/NAME (default: all models)"


def add_parser(actions: Any) -> None:
    """Add the parsers of both subcommands."""
    lint = actions.add_parser("lint", help="lint versions; with --write, annotate them")
    lint.add_argument("model", nargs="?", metavar="MODEL", help=_TARGET_HELP)
    _add_scope(lint)
    lint.add_argument("--write", action="store_true", help="set tags and attach reports (default: only read)")
    registry_options.add_lint_options(lint)
    lint.set_defaults(run=run)
    audit = actions.add_parser("audit", help="list deployed versions that would fail today")
    audit.add_argument("model", nargs="?", metavar="MODEL", help=_TARGET_HELP)
    _add_scope(audit)
    registry_options.add_lint_options(audit)
    audit.set_defaults(run=run, write=False)


def _add_scope(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scope",
        choices=("aliased", "latest", "all"),
        default="aliased",
        help="versions of a model: those with an alias, the latest, or all (default: aliased)",
    )


def run(options: argparse.Namespace) -> int:
    """Lint the versions; return the exit code."""
    return registry_options.run_guarded(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    from tflint.registry.locations import find_versions, open_registry, parse_target
    from tflint.registry.version_lint import has_changed_content, lint_version
    from tflint.registry.version_table import exit_code

    plan = registry_options.make_plan(options)
    target = parse_target(options.model)
    registry = open_registry(options.registry)
    versions, problems = registry_options.find(lambda: find_versions(registry, target, options.scope))
    for problem in problems:
        console.print_notice(console.escape_newlines(problem))
    if not versions and problems:
        return NOT_FETCHED
    if not versions:
        which = f"no version of {target.name}" if target.name else "no version"
        hint = "--scope latest or --scope all" if options.scope == "aliased" else ""
        raise UserError(f"nothing to lint: {which} is in the scope '{options.scope}'", hint=hint)
    results = [lint_version(registry, version, plan) for version in versions]
    registry_options.print_results(options, registry.label, results)
    code = exit_code(results) or (NOT_FETCHED if problems else 0)
    if options.action == "audit":
        if options.format == "text":
            console.print_lines(_list_failing(results))
        code = FINDINGS if any(map(has_changed_content, results)) else code
    return _write(registry, results, code) if options.write else code


def _write(registry: Any, results: list[VersionResult], code: int) -> int:
    """Annotate the versions that were read; return the exit code: 4 if this fails and no version fails."""
    from tflint.registry.lint_record import UNREACHABLE
    from tflint.registry.model_registry import RegistryError
    from tflint.registry.promotion import annotate

    for result in results:
        if result.status == UNREACHABLE:
            continue
        try:
            annotate(registry, result)
        except RegistryError as error:
            console.print_notice(f"{result.version.label} is not annotated: {console.escape_newlines(error.reason)}")
            code = code or NOT_FETCHED
    return code


def _list_failing(results: list[VersionResult]) -> Iterator[str]:
    """Yield a line per deployed version that fails today, changed after its lint, or could not be checked."""
    from tflint.registry.lint_record import FAIL, STATUS_TAG, UNREACHABLE
    from tflint.registry.version_lint import has_changed_content

    n_failing = 0
    for result in results:
        label = f"{result.version.label} ({', '.join(result.version.aliases) or 'no alias'}"
        before = result.version.tags.get(STATUS_TAG)
        since = f", its tag is '{before[:40]}')" if before else ", never annotated)"
        n_failing += result.status == FAIL
        if result.status == FAIL:
            yield f"would fail today: {label}{since}"
        if result.status == UNREACHABLE:
            yield f"could not be checked: {label}{since}"
        elif has_changed_content(result):
            yield f"changed after its lint: {label}{since}"
        elif before is None:
            yield f"deployed without a lint: {label})"
    if not n_failing:
        yield "no version that was checked would fail today"

"""The exit codes of the command line. They do not depend on the format of a report."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflint.findings import Report

#: No finding at or above --fail-on.
OK = 0
#: Findings at or above --fail-on.
FINDINGS = 1
#: A usage or configuration error, or nothing to check.
USAGE = 2
#: An internal error. A crashed rule counts as one if no finding fails the run.
INTERNAL = 3
#: Something could not be fetched from a registry, and nothing that was fetched failed.
NOT_FETCHED = 4
#: Ended by SIGINT. The exit code of any signal is 128 plus the number of the signal.
INTERRUPTED = 130


def exit_code_of(report: Report, options: argparse.Namespace) -> int:
    """Return the exit code of a run that produced this report."""
    if options.exit_zero:
        return OK
    if report.fails() or report.strict_problems:
        return FINDINGS
    return INTERNAL if report.crashes else OK

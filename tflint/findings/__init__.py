"""Findings with locations and fingerprints, reports, suppressions and the baseline.

Must not import numpy, nor modules that produce or print findings.
"""

from tflint.findings.finding import (
    CRASH_RULE,
    MAX_PLACES,
    SEVERITIES,
    VERDICTS,
    ByteSpan,
    Confirmation,
    ContainerOverview,
    FileReport,
    Finding,
    Location,
    MemberOrigin,
    NotChecked,
    Notice,
    Overview,
    Related,
    Report,
    RunSummary,
    SkippedPaths,
    Suppression,
    TextSpan,
    severity_rank,
)

__all__ = [
    "CRASH_RULE",
    "MAX_PLACES",
    "SEVERITIES",
    "VERDICTS",
    "ByteSpan",
    "Confirmation",
    "ContainerOverview",
    "FileReport",
    "Finding",
    "Location",
    "MemberOrigin",
    "NotChecked",
    "Notice",
    "Overview",
    "Related",
    "Report",
    "RunSummary",
    "SkippedPaths",
    "Suppression",
    "TextSpan",
    "severity_rank",
]

"""What a run found: findings with locations and fingerprints, reports, suppressions, the baseline. No numpy.

Refuses to know who makes findings and how they are printed.
"""

from tflint.findings.finding import (
    CRASH_RULE,
    MAX_PLACES,
    SEVERITIES,
    ByteSpan,
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
    SkippedPaths,
    Suppression,
    TextSpan,
    severity_rank,
)

__all__ = [
    "CRASH_RULE",
    "MAX_PLACES",
    "SEVERITIES",
    "ByteSpan",
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
    "SkippedPaths",
    "Suppression",
    "TextSpan",
    "severity_rank",
]

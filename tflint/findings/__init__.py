"""What a run found: findings with locations and fingerprints, reports, suppressions, the baseline. No numpy.

Refuses to know who makes findings and how they are printed.
"""

from tflint.findings.finding import (
    CRASH_RULE,
    MAX_PLACES,
    SEVERITIES,
    ByteSpan,
    Contained,
    FileReport,
    Finding,
    LeftOut,
    Location,
    NotChecked,
    Notice,
    Overview,
    Related,
    Report,
    Suppression,
    TextSpan,
    Within,
    severity_rank,
)

__all__ = [
    "CRASH_RULE",
    "MAX_PLACES",
    "SEVERITIES",
    "ByteSpan",
    "Contained",
    "FileReport",
    "Finding",
    "LeftOut",
    "Location",
    "NotChecked",
    "Notice",
    "Overview",
    "Related",
    "Report",
    "Suppression",
    "TextSpan",
    "Within",
    "severity_rank",
]

"""Formats a finding as sentences on one line, for formats with a single message field."""

from __future__ import annotations

from tflint.catalog.rule_pages import full_stop
from tflint.findings import Finding, Location, MemberOrigin
from tflint.report.display_names import clean, location_noun
from tflint.report.text_layout import join_lines, shorten


def describe_finding(finding: Finding, within: MemberOrigin | None = None) -> str:
    """Return the fault, its location, the runtimes that refuse the model, and the fix, as printable text.

    Pass the `within` of the file to add the name of a container's member if the report only shows the container.
    """
    member = f"{clean(shorten(within.member))}: " if within is not None else ""
    return member + " ".join((describe_fault(finding), *describe_remedy(finding)))


def describe_fault(finding: Finding) -> str:
    """Return the message with the location."""
    message = shorten(join_lines(finding.message)).removesuffix(".")
    location = place_name(finding.location)
    return clean(f"{message} ({location})." if location else f"{message}.")


def describe_remedy(finding: Finding) -> list[str]:
    """Return the runtimes that refuse and run the model, if they differ, and the fix."""
    sentences = []
    if finding.refused_by:
        runs = f"; runs on {', '.join(finding.runs_on)}" if finding.runs_on else ""
        sentences.append(clean(f"Refused by {', '.join(finding.refused_by)}{runs}."))
    return [*sentences, clean(f"Fix: {full_stop(finding.fix)}")]


def place_name(location: Location) -> str:
    """Return the kind and name of a location, such as tensor 'stem/bias', or its path if it has no name.

    Return an empty string if the location is the whole file.
    """
    name = location.names[-1] if location.names else ""
    if not name and not location.path:
        return ""
    return (
        f"{location_noun(location)} '{clean(shorten(name))}'" if name else f"{location_noun(location)} {location.path}"
    )

"""A finding in full sentences on one line, for reports that have one field for all of it."""

from __future__ import annotations

from tflint.catalog.rule_pages import full_stop
from tflint.findings import Finding, Location, MemberOrigin
from tflint.report.display_names import clean, location_noun
from tflint.report.text_layout import join_lines, shorten


def describe_finding(finding: Finding, within: MemberOrigin | None = None) -> str:
    """What is wrong and where, who refuses the model, and what to do about it; printable, whatever names hold.

    `within` is that of the file, where that is a member of a container and only the container is named beside it.
    """
    member = f"{clean(shorten(within.member))}: " if within is not None else ""
    return member + " ".join((describe_fault(finding), *describe_remedy(finding)))


def describe_fault(finding: Finding) -> str:
    """What is wrong, and where."""
    message = shorten(join_lines(finding.message)).removesuffix(".")
    where = place_name(finding.location)
    return clean(f"{message} ({where})." if where else f"{message}.")


def describe_remedy(finding: Finding) -> list[str]:
    """Who refuses the model, where only some do, and what to do about it."""
    sentences = []
    if finding.refused_by:
        runs = f"; runs on {', '.join(finding.runs_on)}" if finding.runs_on else ""
        sentences.append(clean(f"Refused by {', '.join(finding.refused_by)}{runs}."))
    return [*sentences, clean(f"Fix: {full_stop(finding.fix)}")]


def place_name(location: Location) -> str:
    """What a place is and its name, such as tensor 'stem/bias'; its route where it has no name. Empty: the file."""
    name = location.names[-1] if location.names else ""
    if not name and not location.path:
        return ""
    return (
        f"{location_noun(location)} '{clean(shorten(name))}'" if name else f"{location_noun(location)} {location.path}"
    )

"""A finding in full sentences on one line, for reports that have one field for all of it."""

from __future__ import annotations

from tflint.catalog.rule_pages import full_stop
from tflint.findings import Finding, Location, Within
from tflint.report.display_names import clean, noun
from tflint.report.text_layout import cut, on_one_line


def told(finding: Finding, within: Within | None = None) -> str:
    """What is wrong and where, who refuses the model, and what to do about it; printable, whatever names hold.

    `within` is that of the file, where that is a member of a container and only the container is named beside it.
    """
    member = f"{clean(cut(within.member))}: " if within is not None else ""
    return member + " ".join((said(finding), *advice(finding)))


def said(finding: Finding) -> str:
    """What is wrong, and where."""
    message = cut(on_one_line(finding.message)).removesuffix(".")
    where = place_name(finding.location)
    return clean(f"{message} ({where})." if where else f"{message}.")


def advice(finding: Finding) -> list[str]:
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
    return f"{noun(location)} '{clean(cut(name))}'" if name else f"{noun(location)} {location.path}"

"""Formats a finding as sentences on one line, for formats with a single message field."""

from __future__ import annotations

from tflint.catalog.rule_pages import full_stop
from tflint.findings import Finding, Location, MemberOrigin, RunSummary
from tflint.report.display_names import clean, location_noun
from tflint.report.text_layout import join_lines, shorten

#: Number of normalizations that the description of a run lists.
_SHOWN_NORMALIZATIONS = 4


def describe_finding(finding: Finding, within: MemberOrigin | None = None) -> str:
    """Return the fault, its location, the runtimes that refuse the model, and the fix, as printable text.

    If the report shows only the container of a member, pass the `within` of the member: its name is then added.
    """
    member = f"{clean(shorten(within.member))}: " if within is not None else ""
    return member + " ".join((describe_fault(finding), *describe_remedy(finding)))


def describe_fault(finding: Finding) -> str:
    """Return the message of a finding with its location."""
    message = shorten(join_lines(finding.message)).removesuffix(".")
    location = place_name(finding.location)
    return clean(f"{message} ({location})." if location else f"{message}.")


def describe_remedy(finding: Finding) -> list[str]:
    """Return the fix of a finding, preceded by the runtimes that refuse the model, if any, and those that run it."""
    sentences = []
    if finding.refused_by:
        runs = f"; runs on {', '.join(finding.runs_on)}" if finding.runs_on else ""
        sentences.append(clean(f"Refused by {', '.join(finding.refused_by)}{runs}."))
    if finding.verdict:
        verdict = format_verdict(finding)
        sentences.append(full_stop(verdict[:1].upper() + verdict[1:]))
    return [*sentences, clean(f"Fix: {full_stop(finding.fix)}")]


def format_verdict(finding: Finding) -> str:
    """Return the verdict with the runtime, the step and what was measured; empty if there is none.

    For example: `confirmed: litert 2.3.0, allocate: “Node number 0 failed to prepare.”`.
    """
    if finding.verdict is None:
        return ""
    probe = finding.probe or {}
    measured = [str(probe[key]) for key in ("runtime", "step") if probe.get(key)]
    message = shorten(join_lines(str(probe.get("message") or "")))
    return clean(f"{finding.verdict}: {': '.join(filter(None, [', '.join(measured), message]))}")


def describe_run(run: RunSummary) -> str:
    """Return how the steps of a run ended, and what was measured."""
    pieces = []
    for kernels, steps in run.steps.items():
        failed = [f"{step} {outcome.replace('-', ' ')}" for step, outcome in steps.items() if outcome != "ok"]
        pieces.append(f"{kernels} kernels {', '.join(failed) if failed else 'ok'}")
    if run.seconds is not None:
        pieces.append(f"{run.seconds * 1000:.3g} ms per invocation")
    if run.arena_bytes is not None:
        pieces.append(f"arena {run.arena_bytes:,} bytes")
    if run.n_compared:
        pieces.append(f"{run.n_unchanged:,} of {run.n_compared:,} tensors never change")
    if run.normalizations:
        ranked = sorted(run.normalizations, key=lambda one: -one[1])[:_SHOWN_NORMALIZATIONS]
        spreads = ", ".join(f"{name} {spread:.3g}" for name, spread, _ in ranked)
        pieces.append(f"spread of the outputs by normalization: {spreads}")
    return clean("; ".join([f"{run.runtime}: {', '.join(pieces)}" if pieces else run.runtime, *run.problems]))


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

"""Lists what a strict run does not accept: what was not checked, drafts, and suppressions without effect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tflint.findings.finding import Report

#: What a strict run does not accept, by kind of notice: singular and plural.
_NOTICES = {
    "expired-allow": ("expired suppression", "expired suppressions"),
    "unused-allow": ("unused suppression", "unused suppressions"),
    "unmatched-glob": ("glob that matches no file", "globs that match no file"),
}


def list_strict_problems(report: Report) -> Iterator[str]:
    """Yield the reasons why a strict run fails, in words."""
    rules = {entry.rule for file in report.files for entry in file.not_checked}
    if rules:
        n_places = sum(entry.rows for file in report.files for entry in file.not_checked)
        yield f"{n_places:,} {'place was' if n_places == 1 else 'places were'} not checked ({', '.join(sorted(rules))})"
    drafts = [use.path for one in report.configurations for use in one.contracts if use.is_draft]
    if drafts:
        yield f"{len(drafts):,} {'contract is a draft' if len(drafts) == 1 else 'contracts are drafts'}"
    counts = Counter(notice.kind for notice in report.notices)
    for kind, (singular, plural) in _NOTICES.items():
        if counts[kind]:
            yield f"{counts[kind]:,} {singular if counts[kind] == 1 else plural}"

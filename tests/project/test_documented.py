"""A new report format, ecosystem or runtime fails here until it has documentation, and a format a reader."""

from __future__ import annotations

import re

import pytest

from tests.helpers import report_readers
from tests.helpers.paths import ROOT
from tflint.preprocessing.importers import ECOSYSTEMS
from tflint.report.report_formats import FORMATS
from tflint.targets.runtime import runtimes_by_age


def sections(page: str) -> set[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return set(re.findall(r"^## (.+)$", text, re.MULTILINE))


@pytest.mark.parametrize("form", FORMATS)
def test_a_report_format_has_a_section_and_a_reader(form):
    assert form in sections("reports.md")
    assert callable(getattr(report_readers, f"read_{form}", None))


@pytest.mark.parametrize("ecosystem", ECOSYSTEMS)
def test_an_ecosystem_has_a_section(ecosystem):
    assert ecosystem in sections("importing.md")


@pytest.mark.parametrize("runtime", runtimes_by_age(), ids=lambda runtime: runtime.name)
def test_a_runtime_has_a_row_in_the_readme(runtime):
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Runtimes\n", 1)[1].split("\n## ", 1)[0]
    assert f"| `{runtime.name}` | " in section

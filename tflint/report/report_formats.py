"""The formats of a report: a table from a format's name to what renders it. A format's module is imported on use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from tflint.values import frozen

if TYPE_CHECKING:
    from tflint.facts.plugin_loader import Plugins
    from tflint.findings import Report
    from tflint.report.text_layout import Style


@frozen
class Options:
    """What somebody who asks for a report decides of it; each format takes what concerns it.

    `style` and `statistics` are for people. `fail_on` is the severity from which a finding fails the run. `rules` are
    the user's own rule files, whose rules SARIF describes, `plugins` further facts that these read. `sarif_profile` is
    one of `sarif.PROFILES`, and `sarif_max_level` the most severe level that SARIF says.
    """

    style: Style
    statistics: bool = False
    fail_on: str = "error"
    rules: tuple[str, ...] = ()
    plugins: Plugins | None = None
    sarif_profile: str = "github"
    sarif_max_level: str = "error"


def _text(report: Report, options: Options) -> str:
    from tflint.report import text_report

    return text_report.render(report, options.style, statistics=options.statistics)


def _json(report: Report, _: Options) -> str:
    from tflint.report import json_report

    return json_report.render(report)


def _sarif(report: Report, options: Options) -> str:
    from tflint.catalog import load_catalog
    from tflint.report import sarif_report

    rules = load_catalog(options.rules, options.plugins).rules
    return sarif_report.render(report, rules, options.sarif_profile, max_level=options.sarif_max_level)


def _junit(report: Report, options: Options) -> str:
    from tflint.report import junit_report

    return junit_report.render(report, options.fail_on)


def _github(report: Report, _: Options) -> str:
    from tflint.report import github_report

    return github_report.render(report)


def _gitlab(report: Report, _: Options) -> str:
    from tflint.report import gitlab_report

    return gitlab_report.render(report)


def _markdown(report: Report, options: Options) -> str:
    from tflint.report import markdown_report

    return markdown_report.render(report, verbose=options.style.verbose)


Renderer: TypeAlias = Callable[["Report", Options], str]

FORMATS: Mapping[str, Renderer] = {
    "text": _text,
    "json": _json,
    "sarif": _sarif,
    "junit": _junit,
    "github": _github,
    "gitlab": _gitlab,
    "markdown": _markdown,
}

"""The formats of a report: maps format names to renderers. The module of a format is imported when it is used."""

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
    """Options of a report; each format uses those that apply to it.

    `style` and `statistics` apply to the text format. `fail_on` is the lowest severity that fails the run. `rules` are
    the user's rule files, which SARIF describes; `plugins` are the facts that these rules need. `sarif_profile` is one
    of `sarif_report.PROFILES`, and `sarif_max_level` the highest level of a SARIF result.
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

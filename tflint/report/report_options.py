"""The options of a report, of which each format uses the ones that apply to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflint.values import frozen

if TYPE_CHECKING:
    from tflint.catalog.rule import Rule
    from tflint.report.text_layout import Style


@frozen
class Options:
    """Options of a report.

    `style` and `statistics` are for the text format. `fail_on` is the severity from which on findings fail the run.
    `rules` are the rules of the run, which SARIF describes; without them it describes the built-in rules.
    `sarif_profile` is one of `sarif_report.PROFILES`, and `sarif_max_level` the most severe level in SARIF.
    """

    style: Style
    statistics: bool = False
    fail_on: str = "error"
    rules: tuple[Rule, ...] = ()
    sarif_profile: str = "github"
    sarif_max_level: str = "error"

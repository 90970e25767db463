"""The options of a report. Each format uses only the options that apply to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflint.values import frozen

if TYPE_CHECKING:
    from tflint.catalog.rule import Rule
    from tflint.report.text_layout import Style


@frozen
class Options:
    """Options of a report.

    `style` and `statistics` are for the text format.
    `rules` are the rules that a SARIF report describes: those of the run, or the built-in rules if this is empty.
    `sarif_profile` is one of `sarif_report.PROFILES`, and `sarif_max_level` the most severe level in a SARIF report.
    """

    style: Style
    statistics: bool = False
    rules: tuple[Rule, ...] = ()
    sarif_profile: str = "github"
    sarif_max_level: str = "error"

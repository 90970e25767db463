"""An assertion that a model is clean, for tests of conversion scripts. Works with every test runner.

The assertion takes the inputs of `tflint.check`. The message of the `AssertionError` is the text report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from tflint.config import Config, load_config
from tflint.errors import UserError
from tflint.findings import SEVERITIES, Report
from tflint.findings.suppressions import Allow
from tflint.values import replace

if TYPE_CHECKING:
    from tflint.api import Checkable

#: The shortest reason that a configuration accepts.
MIN_REASON = 3


def assert_clean(
    model: Checkable,
    *,
    targets: str | Sequence[str] = (),
    select: str | Sequence[str] = (),
    ignore: str | Sequence[str] = (),
    fail_on: str = "",
    config: Config | str | PurePath | None = None,
    allow: Mapping[str, str] | Sequence[Allow] = (),
    plugins: str | Sequence[str] = (),
) -> Report:
    """Check a model; raise `AssertionError` with the text report if it is not clean, otherwise return the report.

    `model` is a path (a folder stands for the models in it), bytes, or a model that `tflint.load` returned. `targets`
    are runtimes such as `litert==2.3.0` or `tflm`. `select` and `ignore` name rules by id, prefix, name or category.
    `config` is a `Config` or the path of a configuration; without it, tflint does not search for a configuration. The
    other arguments take precedence over the configuration. `allow` adds suppressions: a mapping from rules to reasons,
    or `Allow` entries. `plugins` names installed distributions whose facts the rules of the configuration may read.

    A model is clean if no rule crashed and no unsuppressed finding has the severity `fail_on` or a higher one.
    `fail_on` is `error`, `warning` or `note`. If it is empty, the severity in the configuration applies (by default
    `error`). A run that found no model, or that could not read any model, is not clean.

    Raises `tflint.UserError` for a path that does not exist, and for invalid rules, targets or configurations.
    """
    __tracebackhide__ = True  # pytest then shows the line of the test, not a line of this function
    from tflint.api import check
    from tflint.findings.baseline import read_baseline
    from tflint.findings.finding_limits import limit_findings
    from tflint.report.text_report import Style, render

    chosen = _build_config(config, targets, select, ignore, allow)
    threshold = _threshold(fail_on or chosen.fail_on)
    known = read_baseline(chosen.baseline) if chosen.baseline else None
    report = check(model, config=chosen, baseline=known, plugins=plugins)
    if not report.has_checked or report.crashes or report.fails(threshold):
        raise AssertionError(render(limit_findings(report), Style()).rstrip("\n"))
    return report


def _build_config(
    config: Config | str | PurePath | None,
    targets: str | Sequence[str],
    select: str | Sequence[str],
    ignore: str | Sequence[str],
    allow: Mapping[str, str] | Sequence[Allow],
) -> Config:
    base = config if isinstance(config, Config) else load_config(str(config)) if config is not None else Config()
    return replace(
        base,
        targets=_names(targets) or base.targets,
        select=_names(select) or base.select,
        ignore=_names(ignore) or base.ignore,
        allow=(*base.allow, *_allows(allow)),
    )


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    """Return one name or several names as a tuple."""
    return (given,) if isinstance(given, str) and given else tuple(given)


def _allows(given: Mapping[str, str] | Sequence[Allow]) -> Sequence[Allow]:
    if not isinstance(given, Mapping):
        return given
    for rule, reason in given.items():
        if not isinstance(reason, str) or len(reason.strip()) < MIN_REASON:
            hint = f'allow={{"{rule}": "runs on TFLM only"}}'
            raise UserError(f"to allow '{rule}' needs a reason of at least {MIN_REASON} characters", hint=hint)
    return [Allow(rule, reason, origin="allow=") for rule, reason in given.items()]


def _threshold(fail_on: str) -> str:
    if fail_on not in SEVERITIES:
        raise UserError(f"fail_on must be error, warning or note, not '{fail_on}'")
    return fail_on

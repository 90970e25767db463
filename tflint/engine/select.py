"""Which rules run, and how severe their findings are: selection, severity overrides, the frozen ruleset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tflint._version import __version__
from tflint.catalog.rule import Rule
from tflint.config import Config
from tflint.documents.wording import nearest
from tflint.errors import UserError

#: The ruleset of this version: its first two numbers.
RULESET = ".".join(__version__.split(".")[:2])
LFS_POINTER_RULE = "G001"


@dataclass(frozen=True, slots=True)
class Selected:
    """A rule that runs: the severity of its findings, and whether the configured ruleset does not know it yet."""

    rule: Rule
    severity: str
    is_newer: bool = False


def select_rules(rules: Sequence[Rule], config: Config) -> tuple[Selected, ...]:
    """The rules that run, by the configuration; `UserError` for a token that means no rule."""
    for token in (*config.select, *config.ignore, *config.severity, *_ignored_per_file(config)):
        require_known(token, rules)
    require_ruleset(config.ruleset)
    return tuple(_selected(rule, config) for rule in rules if _runs(rule, config))


def require_known(token: str, rules: Iterable[Rule]) -> None:
    """`UserError` where a token means no rule, with the nearest that does."""
    if any(specificity(token, rule) for rule in rules):
        return
    known = [name for rule in rules for name in (rule.id, rule.name, rule.category)]
    raise UserError(
        f"'{token}' is no rule, prefix or category", hint=nearest(token, known) or "'tflint rules' lists them"
    )


def require_ruleset(ruleset: str) -> None:
    """`UserError` where a ruleset is newer than this version."""
    if ruleset and _numbers(ruleset) > _numbers(RULESET):
        raise UserError(
            f"ruleset '{ruleset}' is newer than this version, which knows rulesets up to {RULESET}",
            hint="upgrade tflite-lint, or name an older ruleset",
        )


def specificity(token: str, rule: Rule) -> int:
    """How exactly a token means a rule: 0 not at all, then all, category, prefix of the id, the rule itself."""
    if token in (rule.id, rule.name):
        return 100
    if token.isupper() and rule.id.startswith(token):
        return 3 + len(token)
    return 2 if token == rule.category else 1 if token == "all" else 0


def _runs(rule: Rule, config: Config) -> bool:
    wanted = max((specificity(token, rule) for token in config.select), default=0)
    if not config.select:
        wanted = 1 if rule.status == "stable" else 0
    elif wanted < 100 and rule.status != "stable":
        return False  # a preview or deprecated rule runs only where it is named itself
    unwanted = max((specificity(token, rule) for token in config.ignore), default=0)
    return wanted > unwanted or (wanted > 0 and unwanted == 0)


def _selected(rule: Rule, config: Config) -> Selected:
    severity = config.severity.get(rule.id) or config.severity.get(rule.name) or rule.severity
    if rule.id == LFS_POINTER_RULE and config.lfs_pointers == "note":
        severity = "note"
    if config.ruleset and rule.is_builtin and _numbers(rule.since) > _numbers(config.ruleset):
        return Selected(rule, "note", is_newer=True)
    return Selected(rule, severity)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2]) if version else ()


def _ignored_per_file(config: Config) -> list[str]:
    return [token for tokens in config.per_file_ignores.values() for token in tokens]

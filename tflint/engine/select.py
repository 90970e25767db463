"""Selects the rules that run and their severities: selection, severity overrides, the frozen ruleset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tflint._version import __version__
from tflint.catalog.rule import Rule
from tflint.config import Config
from tflint.config.config_positions import Keys, add_config_place
from tflint.errors import UserError
from tflint.targets.target import Target, severity_on
from tflint.userfiles.nearest_word import nearest
from tflint.values import EMPTY, frozen

#: The ruleset of this version of tflint: the first two numbers of the version.
RULESET = ".".join(__version__.split(".")[:2])
LFS_POINTER_RULE = "G001"
#: The rules that `[metadata] require` turns into errors, by the metadata field that `require` names.
METADATA_RULES = {
    "metadata": "M002",
    "normalization": "M001",
    "labels": "M103",
    "description": "M104",
    "version": "M105",
    "author": "M106",
    "license": "M107",
    "min-runtime-version": "M102",
}
#: The rule that `require-contract` turns on.
CONTRACT_RULE = "P117"
#: The specificity of a token that is the rule's own id or name.
EXACT = 100


@frozen
class Selected:
    """A rule that runs, with the severity of its findings.

    `is_newer` is true if the rule is newer than the configured ruleset.
    """

    rule: Rule
    severity: str
    is_newer: bool = False
    severity_by_runtime: Mapping[str, str] = EMPTY

    def severity_for(self, target: Target | None) -> str:
        """Return the severity of findings on a target, or of findings about every runtime (None)."""
        return severity_on(target, self.severity_by_runtime, self.severity)


def select_rules(rules: Sequence[Rule], config: Config) -> tuple[Selected, ...]:
    """Return the rules that a configuration selects. Raises `UserError` for a token that matches no rule."""
    known: set[tuple[str, bool]] = set()  # a configuration of 1 MB can name one rule 200,000 times in per-file-ignores
    for token, keys, is_single in _tokens(config):
        if (token, is_single) in known:
            continue
        known.add((token, is_single))
        try:
            require_known(token, rules, is_single=is_single)
        except UserError as error:
            raise add_config_place(error, config, keys, token) from None
    try:
        require_ruleset(config.ruleset)
    except UserError as error:
        raise add_config_place(error, config, ("ruleset",), config.ruleset) from None
    _require_metadata_names(config.metadata_require)
    required_rules = {METADATA_RULES[name] for name in config.metadata_require}
    if config.require_contract:
        required_rules.add(CONTRACT_RULE)
    selected = tuple([_select(rule, config, required_rules) for rule in rules if _runs(rule, config)])
    if not selected:
        hint = "--ignore and 'ignore' win over equally specific selections; preview rules need their own id or name"
        raise UserError("no rule is left to run", hint=hint)
    return selected


def _require_metadata_names(names: Iterable[str]) -> None:
    for name in names:
        if name not in METADATA_RULES:
            hint = nearest(name, METADATA_RULES) or "fields: " + ", ".join(METADATA_RULES)
            raise UserError(f"'{name}' is not a metadata field that can be required", hint=hint)


def _tokens(config: Config) -> Iterator[tuple[str, Keys, bool]]:
    """Yield the tokens that select rules in a configuration: token, position, and whether it must be a single rule."""
    for key, tokens in (("select", config.select), ("ignore", config.ignore)):
        yield from ((token, (key, number), False) for number, token in enumerate(tokens))
    yield from ((token, ("severity", token), True) for token in config.severity)
    for glob, tokens in config.per_file_ignores.items():
        yield from ((token, ("per-file-ignores", glob, number), False) for number, token in enumerate(tokens))
    yield from ((allow.rule, ("allow", number, "rule"), True) for number, allow in enumerate(config.allow))


def require_known(token: str, rules: Iterable[Rule], *, is_single: bool = False) -> None:
    """Raise `UserError` with the most similar name if a token matches no rule.

    With `is_single`, the token must be the id or name of one rule.
    """
    if any(specificity(token, rule) >= (EXACT if is_single else 1) for rule in rules):
        return
    what = "is not a rule" if is_single else "is not a rule, prefix or category"
    known = [name for rule in rules for name in (rule.id, rule.name, *(() if is_single else (rule.category,)))]
    raise UserError(f"'{token}' {what}", hint=nearest(token, known) or "'tflint rules' lists them")


def require_ruleset(ruleset: str) -> None:
    """Raise `UserError` if a ruleset is newer than this version."""
    if ruleset and _numbers(ruleset) > _numbers(RULESET):
        raise UserError(
            f"ruleset '{ruleset}' is newer than {RULESET}, the newest ruleset of this version",
            hint="upgrade tflite-lint, or name an older ruleset",
        )


def specificity(token: str, rule: Rule) -> int:
    """Return how exactly a token matches a rule: 0 not at all, then all, category, prefix of the id, the rule."""
    if token in (rule.id, rule.name):
        return EXACT
    if token.isupper() and rule.id.startswith(token):
        return 3 + len(token)
    return 2 if token == rule.category else 1 if token == "all" else 0


def _runs(rule: Rule, config: Config) -> bool:
    if rule.id == CONTRACT_RULE and config.require_contract:
        return True
    wanted = _specificity(config.select, rule) if config.select else 1
    if wanted < EXACT and rule.status != "stable":
        return False  # preview and deprecated rules run only if selected by id or name
    return wanted > _specificity(config.ignore, rule)


def _specificity(tokens: Sequence[str], rule: Rule) -> int:
    return max([specificity(token, rule) for token in tokens]) if tokens else 0


def _select(rule: Rule, config: Config, required_rules: set[str]) -> Selected:
    chosen = config.severity and (config.severity.get(rule.id) or config.severity.get(rule.name))
    is_newer = bool(config.ruleset) and rule.is_builtin and _numbers(rule.since) > _numbers(config.ruleset)
    if is_newer and not chosen:  # a configured severity means that the user expects the rule
        return Selected(rule, "note", is_newer=True)
    if rule.id == LFS_POINTER_RULE and config.lfs_pointers == "note":
        return Selected(rule, "note")
    if rule.id in required_rules:
        return Selected(rule, chosen or "error")
    if chosen:
        return Selected(rule, chosen)
    return Selected(rule, rule.severity, severity_by_runtime=rule.severity_by_runtime)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2]) if version else ()

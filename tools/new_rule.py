"""Creates the file of a new rule: `python -m tools.new_rule ID NAME --for-each TABLE`.

Checks the id, the name and the table, and writes a rule with all keys, of which those to fill in are marked with TODO.
An id of two parts (`D128,D129`) creates a family: a rule for inputs and one for outputs.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

from tflint.catalog import builtin_catalog
from tflint.catalog.rule import CATEGORIES
from tflint.catalog.rule_loader import rules_folder
from tflint.engine.select import RULESET
from tflint.facts.fact_registry import all_tables
from tflint.userfiles.nearest_word import nearest

NAMES = Path(__file__).with_name("rule_names.toml")

_RULE = """[[rule]]
id            = "{id}"
name          = "{name}"
severity      = "TODO"         # error: will go wrong on a declared target; warning: probably will; note: worth knowing
confidence    = "high"
failure-class = "{failure_class}"
since         = "{ruleset}"
for-each      = "{table}"
where         = 'TODO'         # the rows in scope; delete it if all rows are
require       = 'TODO'         # what must hold for them
message       = "TODO"         # one sentence with the numbers, such as {{expression:.6g}}
summary       = "TODO"         # what the rule finds, in one sentence
why           = "TODO"         # the effect; quote the runtime's error text if there is one
fix           = "TODO"         # an imperative phrase
limits        = "TODO"         # what the rule does not check, and known false alarms

[[rule.invalid]]
model  = "conv_int8"
edit   = {{ }}
expect = ["TODO"]

[[rule.valid]]
model = "conv_int8"
"""


class MistakeError(Exception):
    """An argument that cannot be used."""


def naming(key: str) -> dict[str, str]:
    """Return a table of `rule_names.toml`: faults, things or retired."""
    names: dict[str, str] = tomllib.loads(NAMES.read_text(encoding="utf-8"))[key]
    return names


def fault_of(name: str) -> str:
    """Return the fault at the end of a rule's name, or an empty string if the name does not end with a known fault."""
    return max((fault for fault in naming("faults") if name.endswith(f"-{fault}")), key=len, default="")


def rule_text(rule_id: str, name: str, table: str) -> tuple[Path, str]:
    """Return the path and the text of the new rule. Raises `MistakeError` if an argument cannot be used."""
    ids = rule_id.split(",")
    rules = builtin_catalog().rules
    for one in ids:
        if not re.fullmatch(r"[A-Z]\d{3}", one) or one[0] not in CATEGORIES:
            raise MistakeError(f"'{one}' is not an id: a letter of {''.join(CATEGORIES)} and three digits")
        used = {rule.id for rule in rules} | naming("retired").keys()
        if one in used:
            free = next(f"{one[0]}{n}" for n in range(100, 1000) if f"{one[0]}{n}" not in used)
            raise MistakeError(f"the id {one} is used or retired; {free} is free")
    if not fault_of(name):
        raise MistakeError(f"'{name}' does not end with a fault: {', '.join(naming('faults'))}")
    if any(rule.name == name for rule in rules):
        raise MistakeError(f"there is already a rule '{name}'")
    if table not in all_tables():
        raise MistakeError(f"there is no table '{table}': {nearest(table, all_tables()) or ', '.join(all_tables())}")
    number = int(ids[0][1:])
    failure_class = f"{ids[0][0]}{number:02d}" if number < 100 else "TODO"
    text = _RULE.format(id=ids[0], name=name, failure_class=failure_class, ruleset=RULESET, table=table)
    if len(ids) == 2:
        text = text.replace("[[rule", "[[family").replace("rule.", "family.")
        text = text.replace(
            f'id            = "{ids[0]}"', f'sides         = {{ input = "{ids[0]}", output = "{ids[1]}" }}'
        )
    path = rules_folder() / CATEGORIES[ids[0][0]] / f"{'-'.join(ids)}-{name.replace('<side>-', '')}.toml"
    return path, text


def main(arguments: list[str] | None = None) -> int:
    """Write the rule and print what to do next."""
    parser = argparse.ArgumentParser(prog="python -m tools.new_rule", description=__doc__)
    parser.add_argument("id", metavar="ID", help="id such as Q122, or two with a comma for a family")
    parser.add_argument("name", metavar="NAME", help="subject and fault, such as bias-scale-mismatch")
    parser.add_argument("--for-each", required=True, metavar="TABLE", help="the table that the rule is about")
    options = parser.parse_args(arguments)
    try:
        path, text = rule_text(options.id, options.name, options.for_each)
    except MistakeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    sys.stdout.write(
        f"{path}: fill in what is marked TODO, then run\n  tflint rules test {path}\n  python -m tools.regenerate\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

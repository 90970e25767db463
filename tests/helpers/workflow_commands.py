"""Reads workflow commands as the runner of GitHub Actions reads them."""

from __future__ import annotations

from dataclasses import dataclass

#: The commands of a workflow that write something somewhere
#: (https://docs.github.com/actions/reference/workflow-commands-for-github-actions).
KNOWN = ("error", "warning", "notice", "debug", "group", "endgroup", "add-mask", "stop-commands", "set-output", "echo")


@dataclass
class Command:
    name: str
    properties: dict[str, str]
    message: str


def unescaped(text: str, *, is_property: bool) -> str:
    pairs = [("%0D", "\r"), ("%0A", "\n"), *([("%3A", ":"), ("%2C", ",")] if is_property else []), ("%25", "%")]
    for escape, character in pairs:
        text = text.replace(escape, character)
    return text


def command_in(line: str) -> Command | None:
    """What the runner finds in a line of a log: `::name key=value,…::text` at its beginning, else `##[name …]text`."""
    head, separator, text = line.lstrip().removeprefix("::").partition("::")
    name, _, written = head.partition(" ")
    if line.lstrip().startswith("::") and separator and name in KNOWN:
        pairs = [part.split("=", 1) for part in written.split(",") if part]
        properties = {key: unescaped(value, is_property=True) for key, value in pairs}
        return Command(name, properties, unescaped(text, is_property=False))
    return Command(line.split("##[")[1].split("]")[0], {}, "") if "##[" in line else None

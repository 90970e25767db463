"""Formats strings as TOML on one line, with escapes for characters that are not printable."""

from __future__ import annotations

_SHORT = {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def quote(value: str) -> str:
    """Return a string in quotes. Characters that are not printable, such as bidi controls, become TOML escapes.

    Raises `UnicodeEncodeError` for unpaired surrogates, which TOML cannot represent.
    """
    value.encode("utf-8")
    if value.isprintable() and '"' not in value and "\\" not in value:
        return f'"{value}"'
    return f'"{"".join(_SHORT.get(char) or _escape(char) for char in value)}"'


def _escape(char: str) -> str:
    if char.isprintable():
        return char
    return f"\\u{ord(char):04X}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08X}"

"""Texts from data, such as class names, made safe to print: a terminal obeys what it does not show."""

import re

_CONTROLS = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but for tab and line feed, and C1: escape sequences begin with these
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # they turn the direction in which text is shown
    "\u2028\u2029\ufeff\ud800-\udfff"  # other line ends, a byte order mark, halves of characters
)
_OBEYED = re.compile(f"[{_CONTROLS}]")
_OBEYED_IN_A_LINE = re.compile(f"[\t\n{_CONTROLS}]")


def visible(text: str) -> str:
    """Return a text with control characters escaped as in Python; tabs and line feeds stay."""
    return _OBEYED.sub(_escaped, text)


def visible_line(text: str) -> str:
    """Return the same in one line, for a cell of a table."""
    return _OBEYED_IN_A_LINE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")

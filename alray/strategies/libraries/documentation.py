"""What another library's class says of itself and of its options, in the form of alray's docstrings."""

import inspect
import re
from collections.abc import Iterable
from typing import Any


def opening(kind: Any) -> str:
    """Return what a class's docstring says before its parameters, without references, in one line per paragraph."""
    before = re.split(
        r"^(?:Parameters|References|Attributes)\n-+$", _text(kind), flags=re.MULTILINE
    )[0]
    before = re.split(r"^\.\. \w+::?", before, flags=re.MULTILINE)[0]
    parts = [_plain(part) for part in before.strip().split("\n\n")]
    return "\n\n".join(part for part in parts if len(part.split()) > 4) or _plain(before)


def meanings(kind: Any, names: Iterable[str]) -> dict[str, str]:
    """Return the first sentence of what the docstrings of a class and its constructor say of each of these options."""
    text = f"{_text(kind)}\n{_text(kind.__init__)}\n"
    found = {}
    for name in names:
        entry = re.search(rf"^{name}\s*:.*(?:\\\n.*)?\n((?:\s+\S.*\n)+)", text, flags=re.MULTILINE)
        if entry:
            sentence = re.match(r".*?[.](?=\s|$)|.*", _plain(entry[1]))
            found[name] = "" if sentence is None else sentence[0]
    return found


def _text(thing: Any) -> str:
    return inspect.cleandoc(thing.__doc__ or "")


def _plain(text: str) -> str:
    without = re.sub(r"\s*\[[^\]]+\]_", "", text)
    return " ".join(without.replace("`", "").split())

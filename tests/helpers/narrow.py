"""Whether a terminal's width cuts what is shown."""

import io
import re
from collections import Counter
from collections.abc import Callable

from rich.console import Console

WIDTHS = (40, 60, 80, 120)
_WIDE = 500


def shown(show: Callable[[Console], object], width: int) -> str:
    """Return what is printed on a console of this width."""
    out = io.StringIO()
    show(Console(file=out, width=width, markup=False, highlight=False))
    return out.getvalue()


def numbers(text: str) -> Counter[str]:
    """Return how often each number stands in a text."""
    return Counter(re.findall(r"[+-]?[\d.,]*\d", text))


def assert_whole(
    show: Callable[[Console], object], width: int, headings: tuple[str, ...] = ()
) -> None:
    """Check that no number is cut or missing at a width, no word, and no line longer, `next:` and paths apart.

    The `headings` of what a block of lines is about are not shown above it.
    """
    wide, narrow = shown(show, _WIDE), shown(show, width)
    expected, found = numbers(wide), numbers(narrow)
    assert set(found) == set(expected)
    assert all(found[number] >= times for number, times in expected.items())
    assert "\u2026" not in narrow
    closed = re.sub(r"\s", "", narrow)
    # A long name may be broken where its parts end.
    parts = set(re.findall(r"[^\s\u2500-\u259f:=_,/]+", wide))
    missing = [part for part in parts if part.strip("-") not in closed]
    assert set(missing) <= set(headings)
    long = [line for line in narrow.splitlines() if len(line.rstrip()) > width]
    assert [
        line for line in long if not re.match("next:|results:|page:|report:|where", line)
    ] == []

"""How texts, tables and terminals write numbers, counts, lists and verdicts: one way for each."""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Row = Mapping[Hashable, Any]
"""A row of a summary, by column, as pandas makes it of a frame."""

NOTHING = "-"
"""Stands where a number does not exist."""

_LISTED = 5

ArmKind = Literal["better", "worse", "open", "uncompared", "reference"]
"""What a sweep shows of an arm's whole curve; open: no difference is shown."""

EffectKind = Literal["helps", "hurts", "no effect", "no difference", "no change", "inconclusive"]
"""What a correlation study shows of querying one end of a score.

"no difference": groups do not differ in usefulness beyond chance; "no change": they change nothing measurable.
"""


@dataclass(frozen=True)
class Verdict:
    """What the numbers of a row show, decided and worded once for sentences, tables and charts.

    Attributes:
        kind: The verdict alone.
        text: In a sentence, with the bound or the reason.
        cell: The same in a table, whose row and column say what it is about.
    """

    kind: ArmKind | EffectKind
    text: str
    cell: str


REFERENCE = Verdict("reference", "the reference", "the reference")
"""Of the arm that others are compared with."""

UNCOMPARED = Verdict("uncompared", "compared with no other arm", "not compared")
"""Of an arm that has no common seed with its reference, or no reference."""


def arm_verdict(
    kind: Literal["better", "worse", "open"], reference: str, *, exploratory: bool
) -> Verdict:
    """Return the words for an arm's whole curve against that of its reference."""
    text, cell = {
        "better": (f"above {reference}", "better"),
        "worse": (f"below {reference}", "worse"),
        "open": (f"not shown to differ from {reference}", "not shown"),
    }[kind]
    return Verdict(kind, text, f"{cell}, exploratory" if exploratory else cell)


def effect_verdict(
    kind: EffectKind, *, bound: float = math.nan, reason: str = "", seeds: int | None = None
) -> Verdict:
    """Return the words for the effect of querying one end of a score.

    Args:
        kind: The verdict.
        bound: Of "no effect": the largest effect that is not excluded, as a share of what a group changes. It is
            rounded up: a smaller bound than the interval's would say too much.
        reason: Of "inconclusive": the condition that is not met.
        seeds: Of "inconclusive": how many would make the outcome reliable enough.
    """
    if kind == "no effect" and not math.isnan(bound):
        text = f"no effect larger than {percent_up(bound)} of what a group changes"
        return Verdict(kind, text, f"no effect larger than {percent_up(bound)}")
    if kind == "no difference":
        text = "groups do not differ in usefulness beyond chance"
        return Verdict(kind, text, "groups do not differ")
    if kind == "no change":
        return Verdict(kind, "groups change nothing measurable", "groups change nothing")
    if kind == "inconclusive":
        needed = "" if seeds is None else f": {count(seeds, 'seed')} needed"
        return Verdict(kind, f"{kind}, {reason}", f"{kind}{needed}")
    return Verdict(kind, kind, kind)


def percent_up(share_: float) -> str:
    """Return a share as a whole percentage, rounded up: `9 %`."""
    return f"{math.ceil(100 * share_ - 1e-9):,} %"


def share(value: float | None, decimals: int = 3) -> str:
    """Return a number as `.652`, `1.000` or `-.003`; `-` where it is NaN or None."""
    if value is None or math.isnan(value):
        return NOTHING
    # What rounds to zero has no sign.
    text = f"{abs(value):.{decimals}f}".removeprefix("0")
    return f"-{text}" if value < 0 and float(text) != 0 else text


def signed(value: float, decimals: int = 3) -> str:
    """Return a number with its sign: `+.012`, `-.003`; `-` where it is NaN."""
    text = share(value, decimals)
    return text if text.startswith("-") else f"+{text}"


def interval(
    low: float, high: float, write: Callable[[float], str] = signed, between: str = " to "
) -> str:
    """Return `(-.020 to -.004)`, each end as `write` has it, and nothing where there is no interval.

    An interval that leaves 0 out shows it: an end that would round to zero has as many decimals as it needs, `-.0002`.
    """
    if math.isnan(low) or math.isnan(high):
        return ""
    ends = [write(low), write(high)]
    if write is signed and low * high > 0:
        ends = [signed(end, enough_decimals(end)) for end in (low, high)]
    return f"({ends[0]}{between}{ends[1]})"


def enough_decimals(value: float, fewest: int = 3) -> int:
    """Return how many decimals it takes, from these on, for a number not to read as zero."""
    decimals = fewest
    while decimals < 9 and round(abs(value), decimals) == 0:
        decimals += 1
    return decimals


def p_value(value: float) -> str:
    """Return `.034`, `<.001` or `-`."""
    return "<.001" if value < 0.0005 else share(value)


def whole(value: float) -> str:
    """Return a number without decimals: `1,200`."""
    return f"{round(value):,}"


def percentage(value: float, low: float, high: float) -> tuple[str, str]:
    """Return a share as `12 %` and its interval as `(4 to 19 %)`, which may have no end on one side.

    A share that is NaN has not been reached where its upper end is known, and is a dash where it is not.
    """
    if math.isnan(value):
        text = "not reached" if math.isfinite(high) else NOTHING
    else:
        text = f"{whole(100 * value)} %"
    if math.isnan(low) or math.isnan(high) or (low, high) == (-math.inf, math.inf):
        return text, ""
    if low == -math.inf:
        return text, f"(below {whole(100 * high)} %)"
    if high == math.inf:
        return text, f"(above {whole(100 * low)} %)"
    return text, f"({whole(100 * low)} to {whole(100 * high)} %)"


def decimals_of(scale: float) -> int:
    """Return how many decimals, from 3 to 6, leave two digits of a number of this size."""
    if math.isnan(scale) or scale <= 0:
        return 3
    return min(max(1 - math.floor(math.log10(scale)), 3), 6)


def count(number: int, noun: str, plural: str = "") -> str:
    """Return `1 run`, `3 runs`, `12,000 objects`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def counts(numbers: Iterable[int], noun: str) -> str:
    """Return `1 epoch`, `5 epochs`, `1, 2 and 5 epochs`."""
    first, *others = numbers
    return f"{joined([str(first), *map(str, others)])} {noun}s" if others else count(first, noun)


def joined(items: Sequence[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    *first, last = items
    return f"{', '.join(first)} and {last}" if first else last


def is_or_are(number: int) -> str:
    """Return the verb for so many."""
    return "is" if number == 1 else "are"


def listed(items: Sequence[str]) -> str:
    """Return the first five items, and how many more there are."""
    more = f"; and {len(items) - _LISTED} more" if len(items) > _LISTED else ""
    return "; ".join(items[:_LISTED]) + more


def about_time(seconds: float) -> str:
    """Return how long something takes: `a few seconds`, `about 40 seconds`, `about 5 minutes`, hours or days."""
    if seconds < 8:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} seconds"
    for unit, size, until in (("minute", 60, 90), ("hour", 3600, 36)):
        if seconds < until * size:
            return f"about {count(round(seconds / size), unit)}"
    return f"about {count(round(seconds / 86400), 'day')}"

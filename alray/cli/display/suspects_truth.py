"""What a column of right labels says of the suspects, in sentences."""

from alray.analysis.wording import count, is_or_are
from alray.cli.visible import visible_line
from alray.pools.columns.metadata import name_some
from alray.statistics.proportion import FEWEST, Proportion
from alray.studies.suspects.truth import Checked


def said_of_truth(checked: Checked) -> list[str]:
    """Return how many wrong labels are suspect, and how many right ones; shares from `FEWEST` labels on."""
    column = repr(visible_line(checked.column))
    found = _part(checked.wrong, checked.found, "suspect", _share(checked, checked.found_share))
    alarms = _part(
        checked.right, checked.alarms, "suspect too", _share(checked, checked.alarm_share)
    )
    lines = [f"Column {column} contradicts {found}. It confirms {alarms}. {_unknown(checked)}."]
    if checked.outside:
        which = visible_line(name_some(checked.outside_classes))
        lines.append(
            f"Of the labels that {column} contradicts, {checked.outside:,} {is_or_are(checked.outside)} contradicted "
            f"by a class that no label of the pool has: {which}."
        )
    if checked.uneven:
        lines += _uneven(checked)
    elif checked.unknown and max(checked.wrong, checked.right) >= FEWEST:
        lines.append(
            "For the whole pool a share holds if the objects with a truth were drawn at random; if suspects were "
            "looked at more often than others, it is too high."
        )
    return lines


def _uneven(checked: Checked) -> list[str]:
    """Return what is known where suspects and others were not looked at alike: how many suspects are wrong."""
    suspects, known = checked.suspects, checked.found + checked.alarms
    others, known_others = checked.labels - suspects, checked.wrong + checked.right - known
    lines = [
        f"Of {count(suspects, 'suspect')} {known:,} {_has(known)} a truth, of {count(others, 'other label')} "
        f"{known_others:,}: these were not looked at alike, so it does not show how many of the pool's wrong labels "
        "are found. Objects that are drawn at random would."
    ]
    if known:
        every = known == suspects
        wrong = _part(
            known, checked.found, "wrong", _text(checked.wrong_share, exact=every), "suspect"
        )
        limits = (
            "; the share holds for all suspects if these were drawn at random, and is likely too high if they are the "
            "first ranks"
        )
        of_some = not every and known >= FEWEST
        lines.append(
            f"Column {visible_line(checked.column)!r} is known for {wrong}{limits if of_some else ''}."
        )
    return lines


def _has(number: int) -> str:
    return "has" if number == 1 else "have"


def _unknown(checked: Checked) -> str:
    if not checked.unknown:
        return "No label is unknown to it"
    return f"{count(checked.unknown, 'label')} {is_or_are(checked.unknown)} unknown to it"


def _share(checked: Checked, found: Proportion) -> str:
    return "" if checked.uneven else _text(found, exact=not checked.unknown)


def _text(found: Proportion, *, exact: bool) -> str:
    """Return ` (75.0 %, 95 % interval 46.8 to 91.1 %)`; no interval where the counts are of all labels."""
    ends = f", 95 % interval {100 * found.low:.1f} to {100 * found.high:.1f} %"
    return f" ({100 * found.share:.1f} %{'' if exact else ends})"


def _part(labels: int, part: int, what: str, share: str, noun: str = "label") -> str:
    """Return `12 labels, of which 9 are suspect` and the share; that only where the labels are not few."""
    if not labels:
        return f"no {noun}"
    shown = share if labels >= FEWEST else ""
    return f"{count(labels, noun)}, of which {part:,} {is_or_are(part)} {what}{shown}"

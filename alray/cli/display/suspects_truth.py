"""What a column of right labels says of the suspects, in sentences."""

from alray.analysis.wording import count, is_or_are
from alray.cli.visible import visible_line
from alray.pools.columns.metadata import name_some
from alray.statistics.proportion import FEWEST, Proportion
from alray.studies.suspects.truth import Checked


def said_of_truth(checked: Checked) -> list[str]:
    """Return how many wrong labels are suspect, and how many right ones; shares from `FEWEST` labels on."""
    column = repr(visible_line(checked.column))
    lines = (_of_suspects if checked.only_suspects else _of_labels)(checked, column)
    if checked.outside:
        which = visible_line(name_some(checked.outside_classes))
        lines.append(
            f"Of the labels that {column} contradicts, {checked.outside:,} {is_or_are(checked.outside)} contradicted "
            f"by a class that no label of the pool has: {which}."
        )
    return lines


def _of_labels(checked: Checked, column: str) -> list[str]:
    exact = not checked.unknown
    found = _part(checked.wrong, checked.found, "suspect", checked.found_share, exact=exact)
    alarms = _part(checked.right, checked.alarms, "suspect too", checked.alarm_share, exact=exact)
    lines = [f"Column {column} contradicts {found}. It confirms {alarms}. {_unknown(checked)}."]
    if not exact and max(checked.wrong, checked.right) >= FEWEST:
        lines.append(
            "For the whole pool a share holds if the objects with a truth were drawn at random; if suspects were "
            "looked at more often than others, it is too high."
        )
    return lines


def _of_suspects(checked: Checked, column: str) -> list[str]:
    known = checked.found + checked.alarms
    exact = known == checked.suspects
    wrong = _part(known, checked.found, "wrong", checked.wrong_share, exact=exact)
    lines = [
        f"Column {column} is known for {wrong}. {_unknown(checked)}. All labels with a truth are suspect, so it does "
        "not show how many wrong labels are found: look at some that are not suspect too, drawn at random."
    ]
    if not exact and known >= FEWEST:
        lines.append(
            f"Of all {checked.suspects:,} suspects the share holds if those with a truth were drawn at random; if they "
            "are the first ranks, it is likely too high."
        )
    return lines


def _unknown(checked: Checked) -> str:
    if not checked.unknown:
        return "No label is unknown to it"
    return f"{count(checked.unknown, 'label')} {is_or_are(checked.unknown)} unknown to it"


def _part(labels: int, part: int, what: str, found: Proportion, *, exact: bool) -> str:
    """Return `12 labels, of which 9 are suspect (75.0 %, 95 % interval 46.8 to 91.1 %)`.

    Args:
        labels: How many there are.
        part: How many of them are what is counted.
        what: That, as an adjective.
        found: The share.
        exact: The counts are of all labels, so that no interval is needed.
    """
    if not labels:
        return "no label"
    share = ""
    if labels >= FEWEST:
        interval = (
            "" if exact else f", 95 % interval {100 * found.low:.1f} to {100 * found.high:.1f} %"
        )
        share = f" ({100 * found.share:.1f} %{interval})"
    return f"{count(labels, 'label')}, of which {part:,} {is_or_are(part)} {what}{share}"

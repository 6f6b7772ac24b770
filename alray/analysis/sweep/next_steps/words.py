"""The sentences of what to do next, each with its reason."""

import math
from collections.abc import Sequence

from alray.analysis.sweep.arms import RANDOM
from alray.analysis.sweep.findings import named, whole_curve
from alray.analysis.sweep.metrics import better_sign, metric_title
from alray.analysis.sweep.next_steps.decision import MATTERS, Decided
from alray.analysis.sweep.picking import usable_rows
from alray.analysis.sweep.references import compared_with
from alray.analysis.sweep.regret import picked_among, regret_text
from alray.analysis.wording import (
    Row,
    count,
    interval,
    is_or_are,
    joined,
    share,
    signed,
    whole,
)
from alray.statistics.power import NUMBERS


def choice_said(found: Decided, rows: Sequence[Row], reference: str = RANDOM) -> str:
    """Return what to choose, and why; "" where the sweep has not decided."""
    row = found.row
    if row is None or found.outcome in {"none", "open", "too few"}:
        return ""
    against = compared_with(row, reference)
    if found.outcome == "better":
        return _choose(row, rows, against)
    if found.outcome == "elsewhere" and found.other is not None:
        areas = share(found.other["alc"]), share(row["alc"])
        return (
            f"Choose between settings first: {named(row)} is shown to be better than {against}, but "
            f"{found.other['arm']} has the better area ({areas[0]} against {areas[1]}), and these two are not "
            "compared with each other."
        )
    usable = usable_rows(rows)
    by = "at random" if against == RANDOM else f"by {against}"
    if found.outcome == "worse":
        names = joined([named(other) for other in usable])
        worse = f"{names} {is_or_are(len(usable))} shown to be worse"
        return f"Label {by}, and compare no further: {worse}."
    others = f"no strategy is shown to be better than {against}"
    if len(usable) == 1:
        others = f"{named(row)} is not shown to be better than {against}"
    if found.outcome == "little":
        most, matters = _apart(found.most, found.matters)
        return (
            f"Label {by}, and compare no further: {others}, and a gain of more than {most} in area is ruled out "
            f"(95 % intervals), where {100 * MATTERS:.0f} % fewer labels would be worth {matters}; "
            f"{against} is as good as any, and costs nothing."
        )
    left = ""
    if found.most > 0:
        left = f"; gains of up to {share(found.most)} in area are not ruled out"
    return f"Label {by} for now: {others}, and {_hopeless(row)}{left}."


def seeds_said(found: Decided, reference: str = RANDOM) -> str:
    """Return how many seeds may decide about which pair; "" where that is not the question."""
    row = found.row
    if row is None or found.outcome not in {"open", "too few"}:
        return ""
    pair = f"{named(row)} against {compared_with(row, reference)}"
    there = row["paired_seeds"]
    if found.outcome == "too few":
        by_size = row["seeds_needed"] <= found.seeds
        can = "about {} may show one as large as seen so far" if by_size else "{} can"
        return (
            f"Run more seeds to decide about {pair}: {count(there, 'seed')} cannot show any difference, "
            f"{can.format(found.seeds)}."
        )
    return (
        f"Run more seeds to decide about {pair}: if the difference is as large as it looks (area "
        f"{signed(row['alc_difference'])}), about {found.seeds} seeds instead of {there} show it in four studies of "
        "five."
    )


def missing_said(unfinished: int, failed: int, *, ended: bool) -> str:
    """Return that runs are missing, and that the command goes on with them; "" where none are."""
    if unfinished or not ended:
        begun = f"{count(unfinished, 'run')} {is_or_are(unfinished)} not finished"
        if not unfinished:
            begun = "The study has not ended"
        again = f", and tries {count(failed, 'failed run')} again" if failed else ""
        return (
            f"Finish the study: {begun[0].lower()}{begun[1:]}, and what to choose is for a finished one; unless it is "
            f"still running, the same command goes on{again}."
        )
    if failed:
        them = "it" if failed == 1 else "them"
        return (
            f"Finish the study: {count(failed, 'run')} failed, and once the cause is mended the same command tries "
            f"{them} again."
        )
    return ""


def more_labels_said(
    arm: str,
    metric: str,
    ends: tuple[float, float],
    forecast: tuple[float, float, float],
    last: float,
) -> str:
    """Return what more labels are forecast to bring.

    Args:
        arm: The arm.
        metric: What is forecast.
        ends: Labels at the horizon, and at the end of the curve.
        forecast: The metric at the horizon, with the ends of its interval.
        last: The metric at the end of the curve.
    """
    mean, low, high = forecast
    return (
        f"More labels still pay: with {whole(ends[0])} labels instead of {whole(ends[1])}, {arm} is forecast to reach "
        f"{metric_title(metric)} {share(mean)} (90 % interval {share(low)} to {share(high)}) after {share(last)}."
    )


def stop_said(row: Row) -> str:
    """Return that a campaign may stop by a rule; `row` is one of the table of stopping rules."""
    sign = better_sign(str(row["metric"]))
    lost = share(row["lost"]) if row["lost"] > 0 else "nothing"
    worst = f", {share(row['lost_worst'])} at worst" if sign * row["lost_worst"] else ""
    return (
        f"Stop a campaign where {row['rule']} says so: it stopped all {row['seeds']} runs of {row['arm']}, at "
        f"{whole(row['stop_labels'])} of {whole(row['end_labels'])} labels on average, which lost {lost} of "
        f"{metric_title(str(row['metric']))} on average{worst}."
    )


def _choose(row: Row, rows: Sequence[Row], against: str) -> str:
    ends = row["alc_difference_low"], row["alc_difference_high"]
    text = (
        f"Let {named(row)} choose what to label, and compare no further: it is shown to be better than {against} "
        f"(area {signed(row['alc_difference'])} {interval(*ends)})"
    )
    regret = float(row.get("regret", math.nan))
    if not math.isnan(regret):
        of = picked_among(row, rows)
        return f"{text}, and picking it as the best of {of} arms loses {regret_text(regret)} on average."
    others = [
        other
        for other in usable_rows(rows)
        if _gain(other) > _gain(row) and whole_curve(other).kind == "open"
    ]
    if others:
        names = joined([named(other) for other in others])
        return f"{text}; {names} looked better still, which is not shown."
    return f"{text}."


def _gain(row: Row) -> float:
    return better_sign(str(row["metric"])) * float(row["alc_difference"])


def _hopeless(row: Row) -> str:
    """Return why more seeds make no sense."""
    needed, there = float(row["seeds_needed"]), row["paired_seeds"]
    if math.isnan(needed) or _gain(row) <= 0:
        return f"{named(row)} came nearest, without being ahead"
    many = f"more than {NUMBERS[-1]}" if math.isinf(needed) else f"about {needed:.0f}"
    return (
        f"to show a difference as small as that of {named(row)} (area {signed(row['alc_difference'])}) would take "
        f"{many} seeds instead of {there}"
    )


def _apart(smaller: float, larger: float) -> tuple[str, str]:
    """Return two numbers with so many decimals that they differ."""
    for decimals in range(3, 7):
        texts = share(smaller, decimals), share(larger, decimals)
        if texts[0] != texts[1]:
            return texts
    return share(smaller, 6), share(larger, 6)

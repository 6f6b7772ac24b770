"""What forecasts say, in sentences: for each target the labels that arms need, and at the horizon what they reach."""

import math
from collections.abc import Sequence

from alray.analysis.sweep.forecast import Outlook
from alray.analysis.sweep.metrics import metric_title
from alray.analysis.targets import about, target_text
from alray.analysis.wording import Row, interval, is_or_are, joined, share
from alray.statistics.forecast import MEASURED_RATIO

MOST_NAMED = 6
"""Arms that a sentence names; the table has all."""


def outlook_sentences(found: Outlook, end: float) -> list[str]:
    """Return what forecasts say, oracles left out, and how far that can be trusted.

    Args:
        found: The forecasts.
        end: The last label count that is known.
    """
    title = metric_title(found.metric)
    rows = found.labels_needed[~found.labels_needed["oracle"]].to_dict("records")
    sentences = [
        _of_target([row for row in rows if row["target"] == target], title)
        for target in found.targets
    ]
    sentences += _at_horizon(found, title)
    sentences += [
        f"{arm} cannot be forecast, because {reason}." for arm, reason in found.failures.items()
    ]
    if end and found.horizon / end > MEASURED_RATIO and len(found.forecast):
        sentences.append(
            f"That is {found.horizon / end:.1f} times the {end:,.0f} labels that are known; how often intervals hold "
            f"was measured up to {MEASURED_RATIO:.1f} times."
        )
    return [sentence for sentence in sentences if sentence]


def _of_target(rows: Sequence[Row], title: str) -> str:
    """Return a sentence on a target: who reaches it, soonest first, and who does not."""
    order = sorted(rows, key=lambda row: (math.isnan(row["labels"]), row["labels"], row["low"]))
    order = [row for row in order if row["answer"] != "cannot be forecast"]
    if not order:
        return ""
    named = order[:MOST_NAMED]
    far = [str(row["arm"]) for row in named if row["answer"] == "not within reach"]
    lucky = [f"{row['arm']} ({about(row['low'])})" for row in named if row["answer"] == "perhaps"]
    parts = [
        f"{row['arm']} {_answer(row)}" for row in named if row["answer"] in {"reached", "forecast"}
    ]
    if lucky:
        parts.append(
            f"only if all goes well by {order[0]['horizon']:,} labels, with so many at best: {joined(lucky)}"
        )
    if far:
        parts.append(
            f"{joined(far)} {is_or_are(len(far))} not within reach of it by {order[0]['horizon']:,} labels"
        )
    more = len(order) - MOST_NAMED
    left = f" (and {more} more arms in the table)" if more > 0 else ""
    return f"To {title} {target_text(rows[0]['target'])}: {'; '.join(parts)}{left}."


def _answer(row: Row) -> str:
    low, high = about(row["low"]), about(row["high"])
    if math.isinf(row["high"]):
        high = f"more than {row['horizon']:,}"
    if row["answer"] == "reached":
        return f"came with {about(row['labels'])} labels"
    return f"needs about {about(row['labels'])} labels ({low} to {high})"


def _at_horizon(found: Outlook, title: str) -> list[str]:
    """Return a sentence on what arms reach at the horizon, the best first."""
    oracles = set(found.labels_needed.loc[found.labels_needed["oracle"], "arm"])
    ends = found.forecast[found.forecast["labels"] == found.horizon]
    ends = ends[~ends["arm"].isin(oracles)].sort_values("mean", ascending=False, kind="stable")
    if ends.empty:
        return []
    parts = [
        f"{row['arm']} {share(row['mean'])} {interval(row['low'], row['high'], share)}"
        for row in ends.head(MOST_NAMED).to_dict("records")
    ]
    return [
        f"At {found.horizon:,} labels the forecast {title} is {'; '.join(parts)} (90 % intervals)."
    ]

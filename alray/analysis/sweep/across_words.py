"""What ranks over pools say, in sentences."""

import math

from alray.analysis.sweep.across import Across
from alray.analysis.sweep.metrics import metric_title
from alray.analysis.wording import count, interval, is_or_are, joined, p_value, share
from alray.statistics.mean_ranks import RankComparison
from alray.statistics.paired import SIGNIFICANCE


def across_sentences(found: Across) -> list[str]:
    """Return paragraphs: the safest arm, ranks over these pools, what that says of other pools, what is left out."""
    return [
        " ".join(_safest(found)),
        " ".join(_these(found)),
        " ".join(_others(found)),
        *_left_out(found),
    ]


def _safest(found: Across) -> list[str]:
    row = found.ranks[found.ranks["safest"]].iloc[0]
    title = metric_title(found.metric)
    high = float(row["worst_loss_high"])
    ends = f" {interval(row['worst_loss_low'], high, share)}" if math.isfinite(high) else ""
    if row["worst_loss"] == 0:
        luck = (
            f"; where that is luck, it loses at most {share(high)}"
            if ends and high >= 0.0005
            else ""
        )
        every = "every study that is compared" if _without_seeds(found) else "every study"
        return [
            f"The safest arm is {row['arm']}: it has the best area under the {title} curve in {every}{luck}."
        ]
    others = found.ranks[~found.ranks["safest"]].sort_values("worst_loss", kind="stable").iloc[0]
    return [
        f"The safest arm is {row['arm']}: where it does worst, on {row['worst_study']}, its area under the {title} "
        f"curve is {share(row['worst_loss'])}{ends} below that of the best arm there.",
        f"Next comes {others['arm']}, with {share(others['worst_loss'])} on {others['worst_study']}.",
    ]


def _these(found: Across) -> list[str]:
    ranks = found.these
    first = ranks.arms[0]
    said = [
        f"Over {count(len(found.pools), 'pool')}, in {count(ranks.blocks, 'block')} of pool and seed, {first} has the "
        f"best mean rank ({ranks.mean_ranks[0]:.1f} of {len(ranks.arms)} arms)."
    ]
    if not ranks.friedman_p < SIGNIFICANCE:
        return [*said, f"No arm is shown to differ from another ({_friedman(ranks)})."]
    if ranks.blocks < ranks.fewest_blocks:
        return [
            *said,
            f"Arms differ ({_friedman(ranks)}), but {ranks.blocks} blocks cannot show which of {len(ranks.arms)}: "
            f"{ranks.fewest_blocks} or more can, as more seeds bring.",
        ]
    shown = ranks.shown()
    worse = [arm for i, arm in enumerate(ranks.arms) if i and shown[0, i]]
    open_ = [arm for i, arm in enumerate(ranks.arms) if i and not shown[0, i]]
    if worse:
        said.append(
            f"{joined(worse)} {is_or_are(len(worse))} shown to be behind it ({_friedman(ranks)})."
        )
    if open_:
        said.append(f"Not shown to differ from it: {joined(open_)}.")
    return said


def _others(found: Across) -> list[str]:
    ranks, pools = found.others, found.others.blocks
    start = "That holds for these pools. Whether it holds for others like them, only pools can say, not seeds:"
    if pools < ranks.fewest_blocks:
        return [
            f"{start} {pools} pools cannot show a difference between {len(ranks.arms)} arms, {ranks.fewest_blocks} or "
            "more can."
        ]
    pairs = math.comb(len(ranks.arms), 2)
    shown = int(ranks.shown().sum()) // 2
    return [
        f"{start} over {pools} pools {shown} of {count(pairs, 'pair')} of arms {is_or_are(shown)} shown to differ "
        f"({_friedman(ranks)}), and {ranks.arms[0]} has the best mean rank ({ranks.mean_ranks[0]:.1f})."
    ]


def _left_out(found: Across) -> list[str]:
    said = []
    if found.left_out:
        said.append(
            "Left out, because a study lacks them or because they see true labels: "
            f"{', '.join(found.left_out)}."
        )
    without, area = _without_seeds(found), f"area under the {metric_title(found.metric)} curve"
    if without:
        said.append(
            f"Not compared, because no seed there has an {area} of every arm: {', '.join(without)}."
        )
    seeds = [
        f"{count(number, 'seed')} of {study}"
        for study, number in found.incomplete.items()
        if study not in without
    ]
    if seeds:
        said.append(f"Left out, because an arm has no {area} there: {', '.join(seeds)}.")
    return said


def _without_seeds(found: Across) -> list[str]:
    """Return the studies without a seed that all arms have."""
    return [str(name) for name in found.losses.loc[found.losses["seeds"] == 0, "setting"].unique()]


def _friedman(ranks: RankComparison) -> str:
    p = p_value(ranks.friedman_p)
    return f"Friedman's test: p {p if p.startswith('<') else f'= {p}'}"

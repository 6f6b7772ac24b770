"""The page and files of a comparison of arms over many pools."""

import math
from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from alray.analysis.sweep.across import Across
from alray.analysis.sweep.across_words import across_sentences
from alray.analysis.sweep.metrics import metric_title
from alray.analysis.wording import Row, interval, joined, share
from alray.reporting.figures import Figure
from alray.reporting.page import render_page, report_files
from alray.reporting.sweep.rank_charts import critical_difference_figure

Cells = Sequence[tuple[str, str]]
"""Text of every column, and what stands below it."""


def render_across(
    found: Across,
    title: str,
    problems: Sequence[str],
    facts: Mapping[str, str],
    links: Sequence[tuple[str, str]],
    formats: Collection[str],
) -> tuple[dict[str, bytes], str]:
    """Return the files of a report, as `page.report_files` does, and the findings, a paragraph a line."""
    words = "\n".join(across_sentences(found))
    figures = across_figures(found)
    studies = list(dict.fromkeys(found.losses["setting"]))

    def page() -> bytes:
        content = {
            "title": title,
            "verdict": words,
            "problems": problems,
            "facts": facts,
            "settings": {},
            "links": links,
            "formats": [name for name in ("svg", "png") if name in formats],
            "columns": _columns(found, studies),
            "lines": [_line(row, found.losses, studies) for row in found.ranks.to_dict("records")],
        }
        return render_page("across.html.j2", figures, content)

    findings: dict[str, pd.DataFrame] = {
        "ranks": found.ranks,
        "pairs": found.pairs,
        "losses": found.losses,
        "areas": found.areas,
    }
    return report_files(figures, formats, page, findings), words


def across_figures(found: Across) -> list[Figure]:
    """Return the figure of mean ranks over blocks of pool and seed."""
    title = metric_title(found.metric)
    return [
        critical_difference_figure(found.these, title, f"pool and seed, {joined(found.pools)}")
    ]


def _columns(found: Across, studies: Sequence[str]) -> list[tuple[str, str]]:
    title = metric_title(found.metric)
    loss = (
        f"Area under the {title} curve that the arm lacks to the best arm there, mean over seeds; 95 % interval for "
        "all arms and studies together, by paired t intervals"
    )
    return [
        (
            "mean rank",
            f"Over {found.these.blocks} blocks of pool and seed, by area under the {title} curve; 1 is best",
        ),
        ("worst loss", f"The largest of the losses at the right, and where. {loss}"),
        *((f"loss on {study}", loss) for study in studies),
    ]


def _line(row: Row, losses: pd.DataFrame, studies: Sequence[str]) -> tuple[str, bool, Cells]:
    own = losses[losses["arm"] == row["arm"]].set_index("setting")
    worst = _loss(row["worst_loss"], row["worst_loss_low"], row["worst_loss_high"])
    cells = [(f"{row['mean_rank']:.2f}", ""), worst]
    for study in studies:
        at = own.loc[study]
        cells.append(_loss(float(at["loss"]), float(at["low"]), float(at["high"])))
    return str(row["arm"]), bool(row["safest"]), cells


def _loss(loss: float, low: float, high: float) -> tuple[str, str]:
    ends = interval(low, high, share) if math.isfinite(high) else ""
    return "best" if loss == 0 else share(loss), ends

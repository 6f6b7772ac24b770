"""The page and files of a sweep without rounds: its table of variants first."""

import math
from collections.abc import Collection, Iterator
from typing import Any

import pandas as pd

from alray.analysis.sweep.choosing_words import choice_reading
from alray.analysis.sweep.full_data import split_full_data
from alray.analysis.sweep.metrics import metric_title
from alray.analysis.wording import NOTHING, Row, interval, share, signed
from alray.reporting.facts import facts_of, setting_texts
from alray.reporting.figures import Figure
from alray.reporting.links import links_of
from alray.reporting.page import render_page, report_files
from alray.reporting.sources import Source
from alray.reporting.sweep.choice_charts import choice_figures
from alray.settings.location import StudyPath
from alray.statistics.paired import FEWEST_SEEDS
from alray.studies.sweep.choice import choice_of

Cells = tuple[tuple[str, str], ...]
"""Text of every column, in order: value, and its interval or nothing."""


def render_choice(
    source: Source, folder: StudyPath, metric: str, formats: Collection[str]
) -> tuple[dict[str, bytes], str]:
    """Return the files of a report, as `page.report_files` does, and the findings, a paragraph a line.

    Raises:
        SpecError: The metric was not recorded on the validation part.
    """
    table = choice_of(source.rounds, source.runs, source.settings, metric)
    words = "\n".join(choice_reading(table, source.settings))
    figures = figures_of_choice(source, table)

    def page() -> bytes:
        content = {
            "title": source.name,
            "verdict": words,
            "problems": source.problems,
            "facts": facts_of(source, split_full_data(source.rounds, source.runs).ceilings),
            "settings": setting_texts(source.settings),
            "links": links_of(source, folder),
            "formats": [name for name in ("svg", "png") if name in formats],
            "columns": _columns(metric),
            "lines": list(_lines(table)),
        }
        return render_page("choice.html.j2", figures, content)

    return report_files(figures, formats, page, {"choice": table}), words


def figures_of_choice(source: Source, table: pd.DataFrame) -> list[Figure]:
    """Return the figures of a table of variants."""
    done = table[table["seeds"] > 0]
    metric = str(done["metric"].iloc[0])
    fits = source.rounds.merge(done[["arm", "settings"]], on="arm")
    parts = {"validation": f"validation_{metric}"}
    if done["test"].notna().any():
        parts["test"] = metric
    seeds = pd.concat(
        [
            fits[["settings", "seed"]].assign(part=part, value=fits[column])
            for part, column in parts.items()
        ],
        ignore_index=True,
    )
    return choice_figures(done, seeds)


def _columns(metric: str) -> list[tuple[str, str]]:
    title = metric_title(metric)
    over_seeds = "Mean over seeds, with its 95 % t interval"
    return [
        (
            f"validation {title}",
            f"What variants are ranked by. {over_seeds}. That of the best one flatters it: it was picked by that",
        ),
        (
            "against the best",
            "Difference to the best variant on the validation part, paired by seed; 95 % interval for all pairs of "
            f"variants together, which leaves out zero where the difference is shown; none with fewer than "
            f"{FEWEST_SEEDS} seeds",
        ),
        (f"test {title}", f"Plays no role in the choice. {over_seeds}"),
        ("parameters", "Trained numbers of the network"),
        ("seconds a fit", "Mean over seeds; on a GPU with others' work meanwhile"),
        ("labels", "That the fits learn from"),
        ("seeds", "Finished runs"),
    ]


def _lines(table: pd.DataFrame) -> Iterator[tuple[str, bool, Cells]]:
    """Yield each variant's name, whether it is to be taken, and its cells."""
    for row in table.to_dict("records"):
        yield str(row["settings"]), bool(row["chosen"]), _cells(row)


def _cells(row: Row) -> Cells:
    difference = (
        signed(row["difference"]),
        interval(row["difference_low"], row["difference_high"]),
    )
    return (
        (share(row["validation"]), interval(row["validation_low"], row["validation_high"], share)),
        ("best", "") if row["verdict"] == "best" else difference,
        (share(row["test"]), interval(row["test_low"], row["test_high"], share)),
        (_whole(row["parameters"]), ""),
        (NOTHING if math.isnan(row["seconds"]) else f"{row['seconds']:.2f}", ""),
        (_whole(row["labels"]), ""),
        (str(row["seeds"]), ""),
    )


def _whole(value: Any) -> str:
    return NOTHING if pd.isna(value) else f"{value:,}"

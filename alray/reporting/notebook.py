"""Studies as notebooks show them: a table with its sentences, and the charts of the page."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import escape
from typing_extensions import override

from alray.analysis.correlation.groupings import GROUPING_TITLES
from alray.analysis.sweep.axis import axis_of
from alray.analysis.sweep.next_steps.steps import Step
from alray.analysis.sweep.references import reference_title
from alray.analysis.wording import Row, interval, percentage, share, signed
from alray.errors import SpecError
from alray.settings.base import unknown_name
from alray.settings.location import Location
from alray.studies.correlation.results import Correlation
from alray.studies.correlation.results import load_correlation as read_correlation_at
from alray.studies.sweep.results import Sweep
from alray.studies.sweep.results import load as read_sweep_at

if TYPE_CHECKING:
    import altair as alt

    from alray.reporting.figures import Figure


class ShownSweep(Sweep):
    """A sweep that shows itself in a notebook, and draws the charts of its page."""

    @property
    def choice(self) -> pd.DataFrame:
        """The variants of a study without rounds, best first: `choosing.CHOICE_COLUMNS` says what its columns hold.

        Raises:
            SpecError: The study has rounds.
        """
        from alray.studies.sweep.choice import choice_of  # noqa: PLC0415 -- SciPy

        if self.settings.rounds > 0:
            raise SpecError(
                f"{self.path} has {self.settings.rounds} rounds, and choice is of a study with rounds=0; see summary"
            )
        return choice_of(self.rounds, self.runs, self.settings.model_dump())

    @property
    def next_steps(self) -> tuple[Step, ...]:
        """What to do next, the most pressing first; empty for a study without rounds, or without a finished run.

        Raises:
            StoreError: The records contradict each other.
        """
        from alray.reporting.next_steps import steps_of  # noqa: PLC0415 -- SciPy
        from alray.reporting.sources import find_results, read_sweep  # noqa: PLC0415 -- as above

        if self.settings.rounds == 0 or not self.summary["seeds"].sum():
            return ()
        return tuple(steps_of(read_sweep(find_results(self), None), self.summary))

    def chart(self, name: str = "", *, against: str | None = None) -> "alt.TopLevelMixin":
        """Return a chart of the page, such as `curves` or `differences`, as an Altair chart.

        Args:
            name: As the figures of `alray report` are named; `curves`, and `variants` of a study without rounds, if not
                given.
            against: The arm, or strategy, that others are compared with; random where None.

        Raises:
            AlrayError: There is no such chart or arm, or no run has finished.
        """
        # Altair takes a second to import.
        # What draws takes half a second and more to import, which a study need not pay.
        from alray.reporting.sources import find_results, read_sweep  # noqa: PLC0415 -- it draws
        from alray.reporting.sweep.page import figures_of  # noqa: PLC0415 -- as above
        from alray.reporting.sweep.style import arms_of  # noqa: PLC0415 -- as above
        from alray.reporting.sweep_findings import results_from  # noqa: PLC0415 -- as above

        source = read_sweep(find_results(self), against)
        if source.has_no_rounds:
            from alray.reporting.sweep.choice_page import figures_of_choice  # noqa: PLC0415 -- as above

            return _chart(figures_of_choice(source, self.choice), name or "variants")
        results = results_from(source, self.path, "accuracy", ("html",))
        return _chart(figures_of(results, arms_of(results.summary)), name or "curves")

    @override
    def __repr__(self) -> str:
        return f"<sweep {self.path}: {len(self.summary)} arms, {len(self.runs)} runs>"

    def _repr_html_(self) -> str:
        from alray.analysis.sweep.original import (  # noqa: PLC0415 -- as above
            original_intervals,
            original_said,
        )
        from alray.analysis.sweep.texts import reading  # noqa: PLC0415 -- as above

        done = self.summary["seeds"].sum() > 0
        if done and self.settings.rounds == 0:
            return self._choice_as_html()
        rows = self.summary.to_dict("records")
        table = pd.DataFrame([_arm(row, reference_title(rows)) for row in rows])
        by_crowd = self.settings.crowd is not None
        sentences = reading(self.summary, by_crowd=by_crowd) if done else ["No run has finished."]
        if done and self.settings.compat == "original":
            sentences += original_said(original_intervals(self.rounds, self.runs))
        return _html(table, sentences, self.path)

    def _choice_as_html(self) -> str:
        from alray.analysis.sweep.choosing_words import choice_reading  # noqa: PLC0415 -- as above

        found = self.choice
        table = pd.DataFrame([_variant(row) for row in found.to_dict("records")])
        return _html(table, choice_reading(found, self.settings.model_dump()), self.path)


class ShownCorrelation(Correlation):
    """A correlation study that shows itself in a notebook, and draws the charts of its page."""

    def chart(
        self, name: str = "rho_by_dose", *, outcome: str | None = None
    ) -> "alt.TopLevelMixin":
        """Return a chart of the page, as an Altair chart.

        Args:
            name: As the figures of `alray report` are named.
            outcome: accuracy, macro_f1 or nll; the study's own where None.

        Raises:
            AlrayError: There is no such chart or outcome.
        """
        # As above.
        from alray.reporting.correlation.frames import choose  # noqa: PLC0415 -- as above
        from alray.reporting.correlation.page import figures_of  # noqa: PLC0415 -- as above
        from alray.reporting.correlation.report import results_of  # noqa: PLC0415 -- as above
        from alray.reporting.sources import find_results  # noqa: PLC0415 -- as above

        results = results_of(self, find_results(self).manifest, outcome, ("html",))
        frames = results.summary, results.outcomes
        choice = choose(*frames, results.main_outcome, results.main_epochs)
        return _chart(figures_of(results, choice), name)

    @override
    def __repr__(self) -> str:
        return f"<correlation study {self.path}: {len(self.bases)} base models, {len(self.outcomes)} outcomes>"

    def _repr_html_(self) -> str:
        # As above.
        from alray.analysis.correlation.opening import opening  # noqa: PLC0415 -- as above
        from alray.reporting.correlation.frames import shown_interval  # noqa: PLC0415 -- as above
        from alray.reporting.correlation.report import measured_prediction  # noqa: PLC0415 -- as above

        outcome = self.settings.outcome
        of_outcome = self.summary[self.summary["outcome"] == outcome]
        rows = shown_interval(of_outcome).to_dict("records")
        there = {str(row["grouping"]) for row in rows}
        main = outcome, "score" if "score" in there else min(there)
        table = pd.DataFrame([_score(row) for row in rows])
        prediction = measured_prediction(self.settings.replay)
        sentences = opening(self.summary, self.checks, prediction, main)
        return _html(table, sentences, self.path)


def load(path: str | Path | Location) -> ShownSweep:
    """Read a sweep from its folder: local, or a URI.

    Raises:
        StoreError: There is none at this path.
    """
    return ShownSweep(**vars(read_sweep_at(path)))


def load_correlation(path: str | Path | Location) -> ShownCorrelation:
    """Read a correlation study from its folder: local, or a URI.

    Raises:
        StoreError: There is none at this path.
    """
    return ShownCorrelation(**vars(read_correlation_at(path)))


def _chart(figures: "Sequence[Figure]", name: str) -> "alt.TopLevelMixin":
    import altair as alt  # noqa: PLC0415 -- as above

    by_name = {figure.name: figure for figure in figures}
    if name not in by_name:
        names = ", ".join(by_name)
        raise SpecError(f"{unknown_name('chart', name, list(by_name))} (all charts: {names})")
    chart: alt.TopLevelMixin = alt.Chart.from_dict(by_name[name].printed())
    return chart


def _arm(row: Row, reference: str) -> dict[str, Any]:
    saved = percentage(row["labels_saved"], row["labels_saved_low"], row["labels_saved_high"])
    ends = interval(row["alc_difference_low"], row["alc_difference_high"])
    return {
        "arm": f"{row['arm']} (oracle)" if row["oracle"] else row["arm"],
        "seeds": row["seeds"],
        "accuracy": share(row["accuracy"]),
        "macro F1": share(row["macro_f1"]),
        f"ALC against {reference} (95 % interval)": f"{signed(row['alc_difference'])} {ends}",
        f"{axis_of(row).title} saved (95 % interval)": " ".join(saved),
    }


def _variant(row: Row) -> dict[str, Any]:
    ends = interval(row["difference_low"], row["difference_high"])
    against = "best" if row["verdict"] == "best" else f"{signed(row['difference'])} {ends}"
    metric = row["metric"]
    return {
        "variant": row["settings"],
        "seeds": row["seeds"],
        f"validation {metric}": share(row["validation"]),
        "against the best (95 % interval)": against,
        f"test {metric}": share(row["test"]),
        "parameters": row["parameters"],
    }


def _score(row: Row) -> dict[str, Any]:
    return {
        "score": f"{row['score']} ({row['queried']})",
        "groups": GROUPING_TITLES[str(row["grouping"])],
        "epochs": row["epochs"],
        "rho (95 % interval)": f"{signed(row['rho'])} {interval(row['low'], row['high'])}",
        "uplift (95 % interval)": f"{signed(row['uplift'])} {interval(row['uplift_low'], row['uplift_high'])}",
    }


def _html(table: pd.DataFrame, sentences: Sequence[str], path: object) -> str:
    """Return a table with its sentences; all content is escaped."""
    shown = table.to_html(index=False, border=0, escape=True, max_rows=60)
    paragraphs = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return f"{shown}{paragraphs}<p><code>{escape(str(path))}</code></p>"

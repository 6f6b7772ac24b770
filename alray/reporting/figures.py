"""The parts of every figure: panels, axes, labels, and the step from a chart to SVG and PNG."""

import dataclasses
import functools
import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import vl_convert

from alray.reporting import theme

VEGA_LITE = alt.SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]
"""Version of Vega-Lite that Altair writes, as vl-convert names it."""

COLUMNS = 3
"""Panels in a row where a figure is printed; a page chooses by its width."""

HEIGHT = 190
"""Pixels of a panel."""

Spec = dict[str, Any]
"""A Vega-Lite chart as JSON would hold it."""


@dataclass(frozen=True)
class Figure:
    """A figure, ready to be shown or printed.

    Attributes:
        name: Name of its files, without ending.
        heading: Its question or content, in a line.
        shown: The part of the study that the printed figure shows: outcome, dose, grouping.
        caption: How to read it.
        description: Its content in words, for those who cannot see it.
        rows: The data. A row is shown where every parameter equals its field of the same name; a missing field equals
            everything.
        params: Parameters that a page may change, with their first values.
        spec: The chart without its data. `usermeta` holds the margins that a page needs to fit it: see `Margins`.
    """

    name: str
    heading: str
    shown: str
    caption: str
    description: str
    rows: pd.DataFrame
    params: Mapping[str, Any]
    spec: Spec

    def interactive(self) -> dict[str, Any]:
        """Return the chart and all rows under their columns' names (once, to save bytes), for a page to draw."""
        return {
            "spec": self.spec,
            "columns": list(self.rows.columns),
            "rows": _plain(self.rows).to_numpy().tolist(),
        }

    def svg(self) -> bytes:
        """Return it as SVG on white, with its heading and caption."""
        return self._drawn.encode()

    def png(self) -> bytes:
        """Return it as PNG on white, with 192 dots for each inch of 96 CSS pixels."""
        return vl_convert.svg_to_png(self._drawn, scale=2)

    @functools.cached_property
    def _drawn(self) -> str:
        return vl_convert.vegalite_to_svg(self._printed(), vl_version=VEGA_LITE)

    def _printed(self) -> str:
        shown = pd.Series(data=True, index=self.rows.index)
        for name, value in self.params.items():
            shown &= (self.rows[name] == value) | self.rows[name].isna()
        subtitle = textwrap.wrap(f"{self.shown}. {self.caption}", width=100)
        return json.dumps(
            {
                **self.spec,
                "data": {"values": _plain(self.rows[shown]).to_dict("records")},
                "title": {"text": self.heading, "subtitle": subtitle},
                "config": theme.config(theme.LIGHT) | {"background": theme.LIGHT["paper"]},
                "padding": 12,
            },
            allow_nan=False,
        )


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of what JSON has, with five digits for every number: the eye sees no more."""
    columns = {
        str(name): [float(f"{value:.5g}") for value in column]
        for name, column in frame.select_dtypes("float").items()
    }
    return frame.assign(**columns).astype(object).where(frame.notna(), None)


@dataclass(frozen=True)
class Margins:
    """Pixels around and between panels, so that a page can choose how many stand side by side.

    Attributes:
        left: For the labels and title of the vertical axis.
        label: Right of each panel, for labels of lines that end there.
        least: Width that a panel needs.
        gap: Between two panels.
        most: Width that a panel fills at most.
    """

    left: int = 62
    label: int = 20
    least: int = 190
    gap: int = 14
    most: int = 420


def no_data() -> alt.InlineData:
    """Return the data of a chart whose figure holds them."""
    return alt.InlineData(values=[])


def panels(
    layers: Sequence[alt.Chart],
    rows: pd.DataFrame,
    by: str,
    titles: Mapping[str, str],
    height: int = HEIGHT,
) -> alt.FacetChart:
    """Return layers as small multiples: a panel per key of `titles`, in that order, each with its own x axis."""
    # Keys that are drawn nowhere would leave holes.
    present = [key for key in titles if key in set(rows[by])]
    header = alt.Header(title=None, labelExpr=lookup(titles), labelAnchor="start")
    facet = alt.Facet(f"{by}:N", sort=present, header=header)
    chart = alt.layer(*layers).properties(width=200, height=height)
    own_axis = alt.Resolve(axis=alt.AxisResolveMap(x="independent"))
    return chart.facet(facet=facet, data=no_data(), columns=COLUMNS, resolve=own_axis)


def with_interval(chart: alt.Chart, rows: pd.DataFrame) -> list[alt.Chart]:
    """Return a chart of the rows that have an interval, `low` to `high`; none where no row has: Vega would complain."""
    if not rows[["low", "high"]].notna().all(axis=1).any():
        return []
    return [chart.transform_filter("isValid(datum.low) && isValid(datum.high)")]


def spec_of(
    chart: alt.FacetChart | alt.LayerChart,
    params: Mapping[str, Any],
    margins: Margins | None = None,
) -> Spec:
    """Return a chart as JSON without data, with parameters that choose its rows, and the margins it needs."""
    margins = margins or Margins()
    spec: Spec = chart.to_dict()
    # The theme decides how it looks, once for all figures; the figure holds its rows.
    del spec["config"], spec["data"]
    spec["params"] = [{"name": name, "value": value} for name, value in params.items()]
    spec["transform"] = [
        {"filter": f"!isValid(datum.{name}) || datum.{name} === {name}"} for name in params
    ]
    count = len(spec["facet"]["sort"]) if "facet" in spec else 1
    if "facet" in spec:
        spec["spacing"] = {"row": 28, "column": margins.gap}
    return spec | {"usermeta": {**dataclasses.asdict(margins), "panels": count}}


def lookup(titles: Mapping[str, str]) -> str:
    """Return a Vega expression: the title of a label, or the label itself."""
    # Vega-Lite pastes an expression where `datum.label` stands, hence the parentheses.
    return f"({json.dumps(dict(titles))})[datum.label] || (datum.label)"


def score_colour(scores: Sequence[str]) -> alt.Color:
    """Return the colour of the field `score`; panels and labels name it, so there is no legend."""
    scale = alt.Scale(domain=list(scores), range=theme.colours(scores))
    return alt.Color("score:N", scale=scale, legend=None)


def grouping_marks(titles: Mapping[str, str]) -> tuple[alt.Shape, alt.StrokeDash]:
    """Return shape and dash of the field `grouping`, with one legend if there is more than one grouping."""
    names = list(titles)
    legend = alt.Legend(title=None, labelExpr=lookup(titles)) if len(names) > 1 else None
    shapes = alt.Scale(domain=names, range=[theme.SHAPES[name] for name in names])
    dashes = alt.Scale(domain=names, range=[theme.DASHES[name] for name in names])
    return (
        alt.Shape("grouping:N", scale=shapes, legend=legend),
        alt.StrokeDash("grouping:N", scale=dashes, legend=legend),
    )


@dataclass(frozen=True)
class DoseAxis:
    """The axis of epochs: logarithmic where doses span a factor of four or more.

    Attributes:
        doses: All doses, rising.
    """

    doses: tuple[int, ...]

    @property
    def logarithmic(self) -> bool:
        """Whether the doses span a factor of four or more."""
        return self.doses[-1] >= 4 * self.doses[0]

    @property
    def domain(self) -> list[float]:
        """Its ends, with a margin around the doses."""
        low, high = float(self.doses[0]), float(self.doses[-1])
        if self.logarithmic:
            factor = (high / low) ** 0.08
            return [low / factor, high * factor]
        margin = 0.08 * (high - low) or 1.0
        return [low - margin, high + margin]

    def beside(self, doses: pd.Series, ranks: pd.Series, of: int) -> pd.Series:
        """Return positions for points that would overlap: ranks 0 to `of` - 1 side by side around the dose."""
        steps = (ranks - (of - 1) / 2) / 90
        low, high = self.domain
        if self.logarithmic:
            return doses * (high / low) ** steps
        return doses + (high - low) * steps

    def x(self, field: str) -> alt.X:
        """Return the encoding."""
        scale = alt.Scale(
            type="log" if self.logarithmic else "linear", domain=self.domain, nice=False
        )
        axis = alt.Axis(
            values=list(self.doses), grid=False, format="d", title="dose (epochs, log axis)"
        )
        if not self.logarithmic:
            axis.title = "dose (epochs)"
        return alt.X(f"{field}:Q", scale=scale, axis=axis)


def signed_axis(title: str) -> alt.Axis:
    """Return an axis whose labels carry their signs, with as many digits as its ticks need."""
    return alt.Axis(title=title, format="+f")


def bound_of(values: Iterable[float]) -> float:
    """Return the end of a symmetrical axis for correlations: the next fifth above the largest size, at most 1."""
    sizes = np.abs(np.fromiter(values, float))
    largest = float(np.nanmax(sizes)) if np.isfinite(sizes).any() else 1.0
    return min(1.0, max(0.2, float(np.ceil(5 * largest - 1e-9)) / 5))


def spread_labels(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return positions for labels at `values`: `gap` apart, within `low` to `high`, in the same order, near them."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    # Neighbours that overlap form a block, which is centred on the mean of the values that it labels.
    blocks: list[list[float]] = []
    for i in order:
        blocks.append([values[i]])
        while len(blocks) > 1 and _overlap(blocks[-2], blocks[-1], gap):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    spread = [
        fmean(block) + gap * (rank - (len(block) - 1) / 2)
        for block in blocks
        for rank in range(len(block))
    ]
    positions = [0.0] * len(values)
    for rank, i in enumerate(order):
        last = high - gap * (len(order) - 1 - rank)
        positions[i] = max(low + gap * rank, min(spread[rank], last))
    return positions


def _overlap(lower: list[float], upper: list[float], gap: float) -> bool:
    return fmean(upper) - fmean(lower) < gap * (len(lower) + len(upper)) / 2

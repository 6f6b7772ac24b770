"""The parts of every figure: panels, axes, labels, and the step from a chart to SVG and PNG."""

import dataclasses
import functools
import json
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import altair as alt
import pandas as pd
import vl_convert

from alray.reporting import theme

VEGA_LITE = alt.SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]
"""Version of Vega-Lite that Altair writes, as vl-convert names it."""

COLUMNS = 3
"""Panels in a row where a figure is printed; a page chooses by its width."""

LETTER, BOLD = 6.2, 8.0
"""Pixels of a letter of a caption and of a heading where figures are printed, generously."""

HEIGHT = 190
"""Pixels of a panel."""

_NO_DATA = alt.InlineData(values=[])
"""Data of a chart: its figure holds them."""

Spec = dict[str, Any]
"""A Vega-Lite chart as JSON would hold it."""


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
        chart: The chart without its data.
        margins: The pixels that a page needs to fit it.
        params: Parameters that a page may change, with their first values.
        highlights: Whether marks know which strategy a page highlights; none is at first.
    """

    name: str
    heading: str
    shown: str
    caption: str
    description: str
    rows: pd.DataFrame
    chart: alt.FacetChart | alt.LayerChart
    margins: Margins = Margins()
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    highlights: bool = False

    @functools.cached_property
    def spec(self) -> Spec:
        """The chart as JSON without its rows, which the parameters choose; `usermeta` holds the margins."""
        spec: Spec = self.chart.to_dict()
        # The theme decides how it looks, once for all figures.
        del spec["config"], spec["data"]
        highlight = {"highlight": ""} if self.highlights else {}
        spec["params"] = [
            {"name": name, "value": value} for name, value in {**self.params, **highlight}.items()
        ]
        spec["transform"] = [
            {"filter": f"!isValid(datum.{name}) || datum.{name} === {name}"}
            for name in self.params
        ]
        panels = 1
        if "facet" in spec:
            panels = len(spec["facet"]["sort"])
            spec["spacing"] = {"row": 28, "column": self.margins.gap}
        return spec | {"usermeta": {**dataclasses.asdict(self.margins), "panels": panels}}

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
        drawn = json.dumps(self.printed(), allow_nan=False)
        return vl_convert.vegalite_to_svg(drawn, vl_version=VEGA_LITE)

    def printed(self) -> Spec:
        """Return the chart as it is printed: on white, with its data, heading and caption."""
        shown = pd.Series(data=True, index=self.rows.index)
        for name, value in self.params.items():
            shown &= (self.rows[name] == value) | self.rows[name].isna()
        subtitle = textwrap.wrap(f"{self.shown}. {self.caption}", width=100)
        return {
            **self.spec,
            "data": {"values": _plain(self.rows[shown]).to_dict("records")},
            "title": {"text": self.heading, "subtitle": subtitle},
            "config": theme.config(theme.LIGHT) | {"background": theme.LIGHT["paper"]},
            "padding": {
                **dict.fromkeys(("left", "top", "bottom"), 12),
                "right": self._right(subtitle),
            },
        }

    def _right(self, subtitle: Sequence[str]) -> int:
        """Return the padding at the right: a few panels are narrower than the text above them, which would be cut."""
        if "facet" not in self.spec:
            return 12
        beside = min(COLUMNS, len(self.spec["facet"]["sort"]))
        width = int(self.spec["spec"]["width"]) * beside + self.margins.gap * (beside - 1)
        text = max(LETTER * max(map(len, subtitle), default=0), BOLD * len(self.heading))
        return 12 + max(0, math.ceil(text - width))


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of what JSON has, with five digits for every number: the eye sees no more."""
    columns = {
        str(name): [float(f"{value:.5g}") for value in column]
        for name, column in frame.select_dtypes("float").items()
    }
    return frame.assign(**columns).astype(object).where(frame.notna(), None)


def single(
    layers: Sequence[alt.Chart], width: int, height: int
) -> alt.LayerChart | alt.FacetChart:
    """Return layers as one panel of this size in pixels."""
    return alt.layer(*layers, data=_NO_DATA).properties(width=width, height=height)


def panels(
    layers: Sequence[alt.Chart],
    rows: pd.DataFrame,
    by: str,
    titles: Mapping[str, str],
    height: int = HEIGHT,
    width: int = 200,
) -> alt.FacetChart:
    """Return layers as small multiples: a panel per key of `titles`, in that order, each with its own x axis."""
    # Keys that are drawn nowhere would leave holes.
    present = [key for key in titles if key in set(rows[by])]
    header = alt.Header(title=None, labelExpr=lookup(titles), labelAnchor="start")
    facet = alt.Facet(f"{by}:N", sort=present, header=header)
    chart = alt.layer(*layers).properties(width=width, height=height)
    own_axis = alt.Resolve(axis=alt.AxisResolveMap(x="independent"))
    return chart.facet(facet=facet, data=_NO_DATA, columns=COLUMNS, resolve=own_axis)


def having(field: str) -> alt.Chart:
    """Return a chart of the rows that have a value in a field."""
    chart: alt.Chart = alt.Chart().transform_filter(f"isValid(datum.{field})")
    return chart


def error_bars(chart: alt.Chart, rows: pd.DataFrame, **look: Any) -> list[alt.Chart]:
    """Return bars from `low` to `high` of the rows that have both; none where no row has: Vega would complain.

    `chart` has the other encodings; `look` are properties of the mark.
    """
    if not rows[["low", "high"]].notna().all(axis=1).any():
        return []
    known = chart.transform_filter("isValid(datum.low) && isValid(datum.high)")
    return [known.mark_rule(**look)]


def interval_tooltip(field: str, digits: str, title: Any = alt.Undefined) -> list[alt.Tooltip]:
    """Return a field and the ends of its 95 % interval as a tooltip shows them, in this format."""
    return [
        alt.Tooltip(f"{field}:Q", title=title, format=digits),
        alt.Tooltip("low:Q", title="95 % from", format=digits),
        alt.Tooltip("high:Q", title="95 % to", format=digits),
    ]


def lookup(titles: Mapping[str, str]) -> str:
    """Return a Vega expression: the title of a label, or the label itself."""
    # Vega-Lite pastes an expression where `datum.label` stands, hence the parentheses.
    return f"({json.dumps(dict(titles))})[datum.label] || (datum.label)"


def signed_axis(title: str) -> alt.Axis:
    """Return an axis whose labels carry their signs, with as many digits as its ticks need."""
    return alt.Axis(title=title, format="+f")


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

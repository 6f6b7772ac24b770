"""Colours, shapes and axes that the figures of a correlation study share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from alray.reporting import theme
from alray.reporting.figures import lookup


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


def bound_of(values: Iterable[float]) -> float:
    """Return the end of a symmetrical axis for correlations: the next fifth above the largest size, at most 1."""
    sizes = np.abs(np.fromiter(values, float))
    largest = float(np.nanmax(sizes)) if np.isfinite(sizes).any() else 1.0
    return min(1.0, max(0.2, float(np.ceil(5 * largest - 1e-9)) / 5))

"""The colour and dash of every arm of a sweep, in every figure and table.

Colour and dash belong to the strategy; variants of a strategy (other training settings) stand in panels of their own.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import altair as alt
import pandas as pd

from alray.analysis.sweep.axis import LABELS, Axis, axis_in
from alray.reporting import theme

REFERENCE_COLOUR = "#858d96"
"""Grey, legible on light and dark paper: what every arm is compared with, drawn thicker than the others."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito without black and yellow, which vanish on dark and on light paper."""

DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (7, 3), (2, 2), (9, 2, 2, 2))
"""Solid first: with six colours they tell 24 strategies apart."""

_KNOWN: Mapping[str, str] = {**theme.COLOURS, "ideal_loss": theme.COLOURS["loss"]}
"""A strategy has the colour of its score, so that it is the same on every page."""


@dataclass(frozen=True)
class ArmStyle:
    """An arm as it is shown.

    Attributes:
        name: As in the study.
        strategy: What it is labelled by within its variant.
        variant: Varied training settings, empty where none are.
        oracle: Whether it sees true labels.
        reference: Whether others are compared with it.
        against: The arm that it is compared with, "" where there is none.
        colour: Of its lines.
        dash: Of its lines.
    """

    name: str
    strategy: str
    variant: str
    oracle: bool
    reference: bool
    colour: str
    dash: tuple[int, ...]
    against: str = ""

    @property
    def title(self) -> str:
        """Its name; an oracle's says so."""
        return f"{self.name} (oracle)" if self.oracle else self.name

    @property
    def dash_array(self) -> str:
        """Its dash as SVG writes it."""
        return "" if self.dash == DASHES[0] else " ".join(map(str, self.dash))


@dataclass(frozen=True)
class ArmStyles:
    """All arms of a study, in order, and what their curves run along."""

    all: tuple[ArmStyle, ...]
    axis: Axis = LABELS

    @property
    def strategies(self) -> tuple[ArmStyle, ...]:
        """The first arm of each strategy: what a legend shows."""
        return tuple({arm.strategy: arm for arm in reversed(self.all)}.values())[::-1]

    @property
    def variants(self) -> tuple[str, ...]:
        """Variants, in order."""
        return tuple(dict.fromkeys(arm.variant for arm in self.all))

    @property
    def references(self) -> tuple[str, ...]:
        """Strategies that others are compared with: one, or none, or those that train the network alike besides."""
        return tuple(dict.fromkeys(arm.strategy for arm in self.all if arm.reference))

    @property
    def reference_title(self) -> str:
        """What others are compared with, in words."""
        plain = [arm.strategy for arm in self.all if arm.reference and not arm.against]
        return " or ".join(dict.fromkeys(plain or self.references)) or "the reference"

    @property
    def compared_title(self) -> str:
        """What any arm is compared with, in words: `its reference` where that is not the same strategy for all."""
        return self.reference_title if len(self.references) <= 1 else "its reference"

    @property
    def reference_of(self) -> dict[str, str]:
        """Arm: the arm that it is compared with, and a reference itself where it is compared with none."""
        return {
            arm.name: arm.against or arm.name for arm in self.all if arm.against or arm.reference
        }

    @property
    def compared(self) -> dict[str, str]:
        """Titles of the panels of all arms that are compared with another."""
        return {arm.name: arm.title for arm in self.all if arm.against or not arm.reference}

    def variant_titles(self) -> dict[str, str]:
        """Return a title for each variant's panel."""
        return {variant: variant or "the study's own settings" for variant in self.variants}

    def described(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a frame with the columns `strategy` and `variant` of its arms; arms unknown here are left out."""
        of_arm = {arm.name: arm for arm in self.all}
        kept = frame[frame["arm"].isin(list(of_arm))]
        return kept.assign(
            strategy=[of_arm[name].strategy for name in kept["arm"]],
            variant=[of_arm[name].variant for name in kept["arm"]],
        )

    def colour(self) -> alt.Color:
        """Return the colour of the field `strategy`, without a legend."""
        scale = self._scale([arm.colour for arm in self.strategies])
        return alt.Color("strategy:N", scale=scale, legend=None)

    def dash(self) -> alt.StrokeDash:
        """Return the dash of the field `strategy`, without a legend."""
        scale = self._scale([list(arm.dash) for arm in self.strategies])
        return alt.StrokeDash("strategy:N", scale=scale, legend=None)

    def _scale(self, marks: Sequence[Any]) -> alt.Scale:
        return alt.Scale(domain=[arm.strategy for arm in self.strategies], range=marks)

    def width(self) -> Any:
        """Return the width of lines: the reference is thicker."""
        names = json.dumps(list(self.references))
        return alt.value({"expr": f"indexof({names}, datum.strategy) >= 0 ? 3 : 1.7"})

    def opacity(self, plain: float, lit: float | None = None) -> Any:
        """Return the opacity of marks: a strategy that is highlighted stands out, all but the reference step back."""
        kept = f"datum.strategy === highlight || indexof({json.dumps(list(self.references))}, datum.strategy) >= 0"
        value = f"highlight === '' ? {plain} : ({kept}) ? {lit or plain} : {plain / 7:.3g}"
        return alt.value({"expr": value})

    def line(self, x: alt.X, y: alt.Y) -> alt.Chart:
        """Return a line per strategy, in its colour and dashes, that steps back where another one is highlighted."""
        marks: alt.Chart = alt.Chart().mark_line()
        return marks.encode(
            x=x,
            y=y,
            color=self.colour(),
            strokeDash=self.dash(),
            strokeWidth=self.width(),
            opacity=self.opacity(1.0),
        )


def arms_of(summary: pd.DataFrame, currency: str = "") -> ArmStyles:
    """Return the arms of a summary, with the marks of their strategies; `currency` is that of money."""
    against = summary["against"].fillna("")
    rows = list(
        zip(
            summary["arm"],
            _strategies(summary),
            summary["variant"],
            summary["oracle"],
            against,
            strict=True,
        )
    )
    compared_with = frozenset(against)
    # The plain reference first: it gets the plain line.
    ordered = sorted(rows, key=lambda row: bool(row[4]))
    references = dict.fromkeys(row[1] for row in ordered if row[0] in compared_with)
    marks = marks_of(list(dict.fromkeys(row[1] for row in rows)), references)
    return ArmStyles(
        tuple(
            ArmStyle(arm, strategy, variant, oracle, arm in compared_with, *marks[strategy], other)
            for arm, strategy, variant, oracle, other in rows
        ),
        axis_in(summary.to_dict("records"), currency),
    )


def _strategies(summary: pd.DataFrame) -> list[str]:
    """Return what each arm is labelled by: its strategy or, where a variant has two arms of one, the arm's own name."""
    shared = summary.duplicated(["strategy", "variant"], keep=False)
    rows = zip(summary["arm"], summary["strategy"], summary["variant"], shared, strict=True)
    return [
        str(arm).removesuffix(f" [{variant}]") if several else str(strategy)
        for arm, strategy, variant, several in rows
    ]


def marks_of(
    strategies: Sequence[str], references: Iterable[str]
) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return colour and dash of each strategy: the colour of its own score where it has one and it is free."""
    solid: tuple[int, ...] = DASHES[0]
    marks = {
        name: (REFERENCE_COLOUR, DASHES[number % len(DASHES)])
        for number, name in enumerate(references)
    }
    others = [name for name in strategies if name not in marks]
    for name in others:
        own = (_KNOWN.get(name.partition(":")[0], ""), solid)
        if own[0] and own not in marks.values():
            marks[name] = own
    for name in others:
        free = ((c, d) for d, c in product(DASHES, COLOURS) if (c, d) not in marks.values())
        if name not in marks:
            marks[name] = next(free, (COLOURS[len(marks) % len(COLOURS)], DASHES[-1]))
    return marks


def label_axis(along: Axis = LABELS, **scale: Any) -> alt.X:
    """Return the axis of label counts, or what else curves run along, with these properties of its scale."""
    written = ",f" if along.is_money else ",d"
    axis = alt.Axis(title=along.heading, grid=False, format=written, tickCount=5)
    return alt.X("labels:Q", axis=axis).scale(nice=False, **scale)

"""What learning curves run along: labels, answers of a crowd or money, and how amounts of it are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from alray.analysis.wording import Row, count

AxisName = Literal["labels", "answers", "cost"]

AXES: tuple[AxisName, ...] = ("labels", "answers", "cost")


@dataclass(frozen=True)
class Axis:
    """What curves run along, with its words.

    Attributes:
        name: labels, answers or cost.
        currency: Of money, "" where none is named.
    """

    name: AxisName = "labels"
    currency: str = ""

    @property
    def is_money(self) -> bool:
        """Whether amounts are money."""
        return self.name == "cost"

    @property
    def title(self) -> str:
        """`labels`, `answers` or `money`."""
        return "money" if self.is_money else self.name

    @property
    def heading(self) -> str:
        """The title of an axis or a column, with the currency."""
        return f"{self.title} ({self.currency})" if self.is_money and self.currency else self.title

    @property
    def how_much(self) -> str:
        """`how many labels`, `how much money`."""
        return f"how {'much' if self.is_money else 'many'} {self.title}"

    @property
    def question(self) -> str:
        """`How many labels are`, `How much money is`."""
        return f"{self.how_much.capitalize()} {'is' if self.is_money else 'are'}"

    @property
    def less(self) -> str:
        """`fewer labels`, `less money`."""
        return f"{self._less} {self.title}"

    @property
    def one(self) -> str:
        """What a price is of: `a label`, `an answer`."""
        return {"labels": "a label", "answers": "an answer", "cost": ""}[self.name]

    @property
    def no_single(self) -> str:
        """`no single number of labels`."""
        return "no single amount of money" if self.is_money else f"no single number of {self.name}"

    @property
    def points(self) -> str:
        """What several values of the axis are called."""
        return "amounts of money" if self.is_money else f"{self.name[:-1]} counts"

    @property
    def number_format(self) -> str:
        """How D3 writes a value in figures."""
        return ",.2f" if self.is_money else ",.0f"

    def number(self, value: float) -> str:
        """Return `1,200`, or of money `18.00`, with more digits where it is next to nothing."""
        if not self.is_money:
            return f"{round(value):,}"
        return f"{value:,.2f}" if value == 0 or abs(value) >= 0.1 else f"{value:.2g}"

    def amount(self, value: float) -> str:
        """Return `1,200 labels`, `1 answer`, `18.00 EUR`."""
        if not self.is_money:
            return count(round(value), self.name[:-1])
        return self.with_currency(self.number(value))

    def at(self, value: float) -> str:
        """Return an amount where the unit is clear: `1,200`, `18.00 EUR`."""
        return self.with_currency(self.number(value))

    def stretch(self, low: float, high: float) -> str:
        """Return `from 300 to 500 labels`, `from 15.00 to 25.00 EUR`."""
        unit = self.currency if self.is_money else self.name
        return f"from {self.number(low)} to {self.number(high)} {unit}".rstrip()

    def change(self, value: float) -> str:
        """Return `40 labels fewer` of a saving, `2.00 EUR more` of what is negative."""
        return f"{self.amount(abs(value))} {'more' if value < 0 else self._less}"

    def plain(self, value: float) -> str:
        """Return a number as sentences have it beside others: of labels without commas."""
        # Adding zero takes the sign from what rounds to zero.
        return self.number(value) if self.is_money else f"{round(value, 0) + 0:.0f}"

    def with_currency(self, text: str) -> str:
        """Return a number as money, where the axis is that."""
        return f"{text} {self.currency}".rstrip() if self.is_money else text

    def column(self, name: str) -> str:
        """Return a column of a table as files name it: those about labels have the axis's name."""
        if self.name == "labels" or "labels" not in name:
            return name
        return name.replace("labels", self.name)

    @property
    def _less(self) -> str:
        return "less" if self.is_money else "fewer"


LABELS = Axis()
"""The usual axis."""


def axis_in(rows: Sequence[Row], currency: str = "") -> Axis:
    """Return the axis of the rows of a summary, all of which are along one."""
    return axis_of(rows[0], currency) if rows else LABELS


def axis_of(row: Row, currency: str = "") -> Axis:
    """Return the axis that a row of a summary is along; rows that older versions wrote are along labels."""
    name = row.get("axis")
    return Axis(name, currency) if name in AXES else LABELS

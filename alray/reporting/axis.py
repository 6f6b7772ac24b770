"""The axis that a report is along: the one that is asked for, or the usual one of the records."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from alray.analysis.sweep.along import usual_axis
from alray.analysis.sweep.axis import AXES, Axis, AxisName
from alray.analysis.sweep.full_data import finished_split
from alray.errors import SpecError
from alray.reporting.label_cost import parse_cost
from alray.reporting.sources import Source
from alray.settings.base import unknown_name


@dataclass(frozen=True)
class Wish:
    """What is asked for of a report's axis.

    Attributes:
        name: The axis; None: the usual one.
        label_cost: What a label costs, where that is given: what was paid, where nothing was on record.
        currency: Of money, "" where none is named.
    """

    name: AxisName | None = None
    label_cost: float | None = None
    currency: str = ""


NO_WISH = Wish()


def wish_of(x: str | None, label_cost: float | str | None, currency: str | None) -> Wish:
    """Return what options ask for.

    Raises:
        SpecError: There is no such axis, or currencies contradict each other.
    """
    name = next((axis for axis in AXES if axis == x), None)
    if x is not None and name is None:
        raise SpecError(f"--x {x}: {unknown_name('axis', x, list(AXES))}")
    amount, of_cost = parse_cost(label_cost)
    if currency is not None and of_cost and of_cost != currency:
        raise SpecError(
            f"--currency {currency} is not the currency of --label-cost ({of_cost}); leave one of them out"
        )
    return Wish(name, amount, of_cost or currency or "")


def common_axis(sources: Sequence[Source]) -> AxisName:
    """Return the usual axis of studies that one page compares: labels, where they do not have another in common."""
    usual = {usual_axis(_finished(source)) for source in sources}
    return usual.pop() if len(usual) == 1 else "labels"


def along(source: Source, wish: Wish) -> tuple[Source, Axis]:
    """Return a study with what it has paid, and the axis with its currency.

    Raises:
        SpecError: The records do not have the axis, or the wish contradicts them.
    """
    amount, unit = wish.label_cost, wish.currency
    chosen: AxisName = wish.name or usual_axis(_finished(source))
    if chosen == "labels":
        return source, Axis(currency=unit)
    if chosen in source.rounds and source.rounds[chosen].notna().any():
        if amount is not None:
            _refuse_price(source, chosen, amount, asked=wish.name is not None)
        if source.rounds[chosen].max() == 0:
            raise SpecError(
                f"--x {chosen}: in {source.path} all {chosen} are 0; leave --x out, or give --x labels"
            )
        return source, Axis(chosen, unit)
    if chosen == "answers":
        raise SpecError(
            f"--x answers: {source.path} has no answers of a crowd, its labels are the pool's; leave --x out, or run a "
            "sweep with --crowd rate=.2,answers=3"
        )
    if not amount:
        raise SpecError(
            f"--x cost: {source.path} has no record of what was paid; say what a label costs, such as "
            "--label-cost '0.05 EUR'"
        )
    paid = source.rounds.assign(cost=source.rounds["labels"] * amount)
    return dataclasses.replace(source, rounds=paid), Axis(chosen, unit)


def why(source: Source, axis: Axis, *, asked: bool) -> dict[str, str]:
    """Return the fact about the axis, where it is not labels or is not the usual one."""
    usual = usual_axis(_finished(source))
    if axis.name == "labels":
        other = f"; runs pay different amounts for a label: --x {usual} shows that"
        return {"x axis": f"labels{other}"} if usual != "labels" else {}
    reason = "as --x asks" if asked else "since runs pay different amounts for a label"
    return {
        "x axis": f"{axis.heading}, {reason}; curves, areas and savings are along it, as far as all curves of a "
        "variant go"
    }


def _finished(source: Source) -> pd.DataFrame:
    """Return the rounds of finished runs, which arms are compared by."""
    return finished_split(source.rounds, source.runs).rounds


def _refuse_price(source: Source, chosen: AxisName, amount: float, *, asked: bool) -> None:
    along_labels = "" if asked else ", or give --x labels"
    raise SpecError(
        f"--label-cost {amount:g}: {source.path} has on record what its {chosen} are, so curves along {chosen} need no "
        f"price of a label; leave it out{along_labels}, and name the currency by --currency EUR"
    )

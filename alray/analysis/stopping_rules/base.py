"""The interface of stopping rules: frozen dataclasses whose fields are their options, with one method, `stops`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from alray.analysis.wording import share
from alray.errors import SpecError

Values = Float[np.ndarray, " round"]
Stops = Bool[np.ndarray, " round"]

Curve = Mapping[str, Values]
"""Columns of `rounds` by name, of one run, over its evaluated rounds; NaN where a value is unknown."""


@dataclass(frozen=True)
class StoppingRule(ABC):
    """When to stop labelling, by what a campaign knows at the time.

    Attributes:
        name: What it is called on a command line.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """The columns that it reads, beside `round` and `labels`."""

    @abstractmethod
    def stops(self, curve: Curve) -> Stops:
        """Return for each round whether the rule says to stop after it: later rounds play no part.

        What is unknown is no reason to stop.
        """

    @abstractmethod
    def says(self, curve: Curve) -> str:
        """Return what the rule goes by after the last round, and what it wants in order to stop."""


def require(condition: bool, option: str, wanted: str, value: object) -> None:  # noqa: FBT001 -- reads as a sentence
    """Refuse the value of an option.

    Raises:
        SpecError: The condition does not hold.
    """
    if not condition:
        raise SpecError(f"{option} must be {wanted} (got {value})")


def compared(what: str, values: Values, wanted: str, missing: str) -> str:
    """Return the last of the values that a rule goes by beside what it wants, or what is missing."""
    if np.isnan(values[-1]):
        return f"{what}: not known yet, {missing}"
    return f"{what} is {share(float(values[-1]))}; {wanted}"


def windows(values: Values, size: int) -> Float[np.ndarray, "round size"]:
    """Return for each round the last so many values, that of the round last; NaN before the first round."""
    before = np.full(size - 1, np.nan)
    found: Float[np.ndarray, "round size"] = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([before, values]), size
    )
    return found
